# ruff: noqa
# fmt: off
reka = Reka()
messages = [{"role": "user", "content": "Hello"}]
for chunk in reka.create_completion(model="reka-core", messages=messages, stream=True):
    print(chunk, end="")
