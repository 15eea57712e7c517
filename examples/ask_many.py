"""Ask several questions at once, asynchronously."""

import asyncio

from polychat import AsyncClient

QUESTIONS = ["What is tea?", "What is coffee?", "What is cocoa?"]


async def main() -> None:
    async with AsyncClient(provider="reka") as client:
        asks = (client.chat.completions.create(model="reka-flash", messages=question) for question in QUESTIONS)
        for answer in await asyncio.gather(*asks):
            print(answer.text)


asyncio.run(main())
