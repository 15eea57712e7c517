"""Stream the description of a picture: python examples/describe_picture.py [PICTURE]"""

import sys
from pathlib import Path

from polychat import Client

picture = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/cat.jpeg")
with (
    Client() as client,
    client.chat.completions.create(
        model="reka/reka-core", messages="What is on the picture?", image=picture, stream=True
    ) as stream,
):
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()
