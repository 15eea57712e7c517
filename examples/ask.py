"""Ask once, and go on with the conversation."""

from polychat import Client

with Client() as client:
    answer = client.chat.completions.create(model="reka/reka-core", messages="Name three rivers.")
    print(answer.text)
    more = client.chat.completions.create(
        model="reka/reka-core", messages="Which is the longest?", conversation=answer.conversation
    )
    print(more.text)
