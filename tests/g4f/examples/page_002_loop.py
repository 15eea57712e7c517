# ruff: noqa
# fmt: off
for message in completion:
    print(message.choices[0].delta.content or "")
