# ruff: noqa
# fmt: off
from polychat.g4f.Provider.needs_auth import Reka
from polychat.g4f.typing import Messages, ImageType

# Пример использования create_completion
messages: Messages = [{"role": "user", "content": "Напиши короткое стихотворение о весне."}]
stream = True
api_key = "YOUR_API_KEY"  # Замените на ваш реальный API ключ

try:
    completion = Reka.create_completion(
        model="reka-core",
        messages=messages,
        stream=stream,
        api_key=api_key
    )
    if completion:
        for token in completion:
            print(token, end="")
    else:
        print("Не удалось получить завершение.")
except ValueError as e:
    print(f"Ошибка: {e}")

# Пример использования upload_image
image: ImageType = b"PNG image data"  # Замените на ваши реальные данные изображения
try:
    image_url = Reka.upload_image(Reka, api_key, image)
    print(f"URL изображения: {image_url}")
except Exception as e:
    print(f"Ошибка при загрузке изображения: {e}")

# Пример использования get_access_token
try:
    access_token = Reka.get_access_token(Reka)
    print(f"Токен доступа: {access_token}")
except ValueError as e:
    print(f"Ошибка при получении токена доступа: {e}")
