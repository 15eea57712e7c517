# ruff: noqa
# fmt: off
messages = [{"role": "user", "content": "Hello"}]
for chunk in Reka.create_completion(model="reka-core", messages=messages, stream=True, api_key="your_api_key"):
    print(chunk, end="")

messages = [{"role": "user", "content": "Как дела?"}]
for chunk in Reka.create_completion(model="reka-core", messages=messages, stream=True, proxy="http://your_proxy:8080"):
    print(chunk, end="")
