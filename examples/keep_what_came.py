"""An answer that breaks off keeps what came, and says what to do."""

from polychat import Client, Interrupted, PolychatError

with Client() as client:
    try:
        answer = client.chat.completions.create(model="reka/reka-core", messages="Tell me a story.")
        print(answer.text)
    except Interrupted as error:
        print(error.partial.text if error.partial else "", "... and then it was cut off")
    except PolychatError as error:
        print("no answer:", error)
