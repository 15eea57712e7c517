# ruff: noqa
# fmt: off
from polychat.g4f.Provider.not_working import Raycast
from polychat.g4f.typing import Message

# Пример использования провайдера Raycast для получения ответа от модели GPT-3.5-turbo
try:
    messages: list[Message] = [
        {"role": "user", "content": "Hello, how are you?"}
    ]
    auth_token = "YOUR_AUTH_TOKEN"  # Замените на ваш токен аутентификации
    
    # Вызов метода create_completion для получения ответа от Raycast
    completion = Raycast.create_completion(
        model="gpt-3.5-turbo",
        messages=messages,
        stream=True,
        auth=auth_token
    )
    
    # Итерация по ответу и вывод каждого токена
    if completion:
        for token in completion:
            print(token, end="", flush=True)
    else:
        print("Completion is None")

except ValueError as e:
    print(f"Error: {e}")
except Exception as e:
    print(f"An unexpected error occurred: {e}")
