"""docs/guides/tools.md: its snippets run as they stand, against the sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polychat.engine.settings import ModelSettings, load
from polychat.sandbox.server import Sandbox

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "tools.md").read_text("utf-8")
SNIPPETS = dict(
    zip(["own", "words", "schema", "wrong"], re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL), strict=True)
)
CALL = '{"tool_calls":[{"name":"weather","arguments":{"city":"Oslo"}}]}'


@pytest.mark.parametrize(
    ("name", "answers", "printed"),
    [
        ("own", [], "The tool answered: “18 °C and sunny in"),
        ("words", [CALL, "It is 18 °C."], "It is 18 °C.\n"),
        ("words", ["I do not know."], "I do not know.\n"),
        ("schema", ['```json\n{"city": "Paris"}\n```'], "Paris\n"),
        ("wrong", ["In Paris.", "[]"], "it said: In Paris.\n\n[]\n"),
    ],
    ids=["own", "call", "words", "schema", "wrong"],
)
def test_a_snippet_does_what_the_guide_says(
    name: str,
    answers: list[str],
    printed: str,
    tmp_path: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With these answers of the model it prints this."""
    for answer in answers:
        sandbox.script("reka", text=answer)
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path))
    monkeypatch.setenv("POLYCHAT_SANDBOX", sandbox.url)
    exec(compile(SNIPPETS[name], f"docs/guides/tools.md: {name}", "exec"), {"__name__": "__main__"})
    assert printed in capsys.readouterr().out


def test_the_settings_of_the_guide_are_settings(tmp_path: Path) -> None:
    """They load, and say what they seem to."""
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    config = tmp_path / "given.toml"
    config.write_text(text)
    emulate = ModelSettings(tools="emulate")
    assert load(environ={"POLYCHAT_HOME": str(tmp_path)}, config_file=config).models == {
        "reka/reka-core": emulate, "ollama/gemma3:4b": emulate,
    }  # fmt: skip
