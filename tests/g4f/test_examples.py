"""The pages' own examples, run as they stand; in examples/ only the roots of their imports differ from the pages."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from polychat.g4f import Client
from polychat.g4f.Provider import Reka
from polychat.sandbox.journal import Entry
from polychat.sandbox.server import Sandbox

EXAMPLES = Path(__file__).parent / "examples"
SEEDS = Path(__file__).parents[3] / "shared/seeds"
_HEADER = "# ruff: noqa\n# fmt: off\n"
_ROOT = re.compile(r"^from (?:\S*\bg4f\b|src(?=\.(?:providers|typing)\b))", re.MULTILINE)
_BLOCK = re.compile(r"^```python\n(.*?)(?:^```|\Z)", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # page 002 leaves its picture open


def run(name: str, replaced: tuple[str, str] = ("", ""), **names: Any) -> None:
    """Run an example that finds `names` in its namespace."""
    path = EXAMPLES / f"{name}.py"
    text = path.read_text(encoding="utf-8").replace(*replaced)
    exec(compile(text, str(path), "exec"), {"__name__": "__main__", **names})


def chats(sandbox: Sandbox) -> list[Entry]:
    """The questions that arrived."""
    return sandbox.journal(service="reka", path="/api/chat")


def uploads(sandbox: Sandbox) -> list[Any]:
    """The parts of the uploads that arrived."""
    return [part for entry in sandbox.journal(service="reka", path="/api/upload-image") for part in entry.parts or ()]


def sha256(data: bytes) -> str:
    """As the journal has it."""
    return hashlib.sha256(data).hexdigest()


def test_page_000(reka: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The first page's script prints a completion, the picture's URL and an access token, and no error."""
    run("page_000")
    printed = capsys.readouterr().out
    assert "стихотворение" in printed
    assert f"URL изображения: {reka.url}/reka/media/YOUR_API_KEY/" in printed
    assert "Токен доступа: ey" in printed
    assert "Ошибка" not in printed
    (chat,) = chats(reka)
    assert (chat.account, chat.headers.get("cookie")) == ("YOUR_API_KEY", None)
    assert chat.json["conversation_history"] == [{"type": "human", "text": "Напиши короткое стихотворение о весне."}]
    (part,) = uploads(reka)
    assert (part.filename, part.media_type, part.sha256) == ("image.png", "image/png", sha256(b"PNG image data"))


def test_page_001_reka(reka: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An instance of `Reka` answers with the account that is kept."""
    run("page_001_reka", Reka=Reka)
    assert "Hello" in capsys.readouterr().out
    assert [chat.account for chat in chats(reka)] == ["sandbox-alice"]


def test_page_001_create_completion(reka: Sandbox, proxy: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The example runs to its end, its proxy being one that exists; only the call that names it goes through."""
    run("page_001_create_completion", ("http://your_proxy:8080", proxy.url), Reka=Reka)
    assert "Как дела?" in capsys.readouterr().out
    assert proxy.passed == ["/reka/bff/auth/access_token", "/reka/api/chat"]
    assert [chat.account for chat in chats(reka)] == ["your_api_key", "sandbox-alice"]


def test_page_001_upload_image(reka: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no picture arrive whole, and the URL is printed."""
    run("page_001_upload_image", Reka=Reka)
    assert capsys.readouterr().out.startswith(f"{reka.url}/reka/media/your_access_token/")
    assert [part.sha256 for part in uploads(reka)] == [sha256(b"your_image_data")]


def test_page_001_get_access_token(reka: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The token of the kept session is printed."""
    run("page_001_get_access_token", Reka=Reka)
    assert capsys.readouterr().out.startswith("ey")


def test_page_002(reka: Sandbox, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The picture arrives byte for byte, is part of the question, and the answer speaks of it."""
    run("page_002")
    assert_picture_was_seen(reka, home, capsys.readouterr().out)


def test_page_002_in_pieces(reka: Sandbox, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's two fragments do the same, given the client of its whole example."""
    client = Client(provider=Reka)
    found: dict[str, Any] = {"client": client}
    for name in ("page_002_create", "page_002_loop"):
        exec((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"), found)
    assert_picture_was_seen(reka, home, capsys.readouterr().out)


def test_page_003(chatgpt: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An api key alone asks the model that was asked for; text, what comes beside it, and the reason of the end."""
    run("page_003")
    lines = capsys.readouterr().out.splitlines()
    assert "Привет, как дела?" in "".join(line for line in lines if not line.startswith("Received chunk: "))
    received = [line.removeprefix("Received chunk: ") for line in lines if line.startswith("Received chunk: ")]
    assert [text.partition("(")[0] for text in received] == ["TitleGeneration", "Conversation", "SynthesizeData"]
    assert lines[-1] == "Finish reason: stop"
    (turn,) = chatgpt.journal(service="chatgpt", path="/backend-api/f/conversation")
    assert (turn.account, turn.json["model"], turn.headers.get("cookie")) == ("YOUR_API_KEY", "gpt-3.5-turbo", None)
    assert "YOUR_API_KEY" not in str(lines)


def assert_picture_was_seen(sandbox: Sandbox, home: Path, printed: str) -> None:
    """The file went up, its URL is in the question, and the answer tells its size."""
    assert [part.sha256 for part in uploads(sandbox)] == [sha256((home / "docs/images/cat.jpeg").read_bytes())]
    (chat,) = chats(sandbox)
    (turn,) = chat.json["conversation_history"]
    assert (turn["type"], turn["text"], turn["media_type"]) == ("human", "What can you see in the image ?", "image")
    assert turn["image_url"].startswith(f"{sandbox.url}/reka/media/sandbox-alice/")
    assert chat.json["model_name"] == "reka-core"
    with Image.open(home / "docs/images/cat.jpeg") as picture:
        assert f"{picture.width} × {picture.height} pixels" in printed.replace("\n", "")


def test_examples_are_the_pages() -> None:
    """Every runnable block of the five pages is here, and nothing in it differs but the roots of imports."""
    if not SEEDS.is_dir():
        pytest.skip("the pages are not part of this repository")
    ours = {path.read_text(encoding="utf-8").removeprefix(_HEADER).strip() for path in EXAMPLES.glob("page_*.py")}
    assert ours == {example for number in ("000", "001", "002", "003", "004") for example in page_examples(number)}


def page_examples(number: str) -> list[str]:
    """The code blocks of a page that are no bare signatures."""
    (page,) = SEEDS.glob(f"{number}_*.txt")
    blocks = [block.strip() for block in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    runnable = [block for block in blocks if not block.startswith(("def ", "@classmethod"))]
    return [_ROOT.sub("from polychat.g4f", block) for block in runnable]
