# ruff: noqa
# fmt: off
from polychat.g4f.Provider.needs_auth import OpenaiChat
from polychat.g4f.providers.response import AuthResult, FinishReason
from polychat.g4f.typing import Messages
import asyncio

async def main():
    # Пример использования класса OpenaiChat
    messages: Messages = [{"role": "user", "content": "Привет, как дела?"}]
    auth_result = AuthResult(api_key="YOUR_API_KEY")  # Замените YOUR_API_KEY на реальный API ключ

    # Создание асинхронного генератора для разговора
    async for chunk in OpenaiChat.create_authed(
        model="gpt-3.5-turbo",
        messages=messages,
        auth_result=auth_result
    ):
        if isinstance(chunk, str):
            print(chunk)  # Вывод текста ответа
        elif isinstance(chunk, FinishReason):
            print(f"Finish reason: {chunk.finish_reason}")  # Вывод причины завершения разговора
        else:
            print(f"Received chunk: {chunk}")  # Вывод других типов данных

if __name__ == "__main__":
    asyncio.run(main())
