# ruff: noqa
# fmt: off
from polychat.g4f.client import Client
from polychat.g4f.Provider import Reka

client = Client(provider=Reka)

completion = client.chat.completions.create(
    model="reka-core",
    messages=[{"role": "user", "content": "What can you see in the image ?"}],
    stream=True,
    image=open("docs/images/cat.jpeg", "rb")
)

for message in completion:
    print(message.choices[0].delta.content or "")
