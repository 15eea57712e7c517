"""`polychat image`: the picture in a file of a good name, or on stdout, or the reason why not."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image as Picture

TURN = "/backend-api/f/conversation"


def files(polychat: Any) -> list[str]:
    """What lies in the folder, without what polychat keeps."""
    return sorted(path.name for path in Path(polychat.home).iterdir() if path.is_file())


def test_a_picture_is_saved_under_a_name_from_its_prompt(polychat: Any) -> None:
    """stdout tells the name, stderr what it is, and the file opens with those dimensions."""
    done = polychat("image", "A red fox, in deep snow!")
    assert (done.returncode, done.stdout) == (0, "a-red-fox-in-deep-snow.png\n")
    path = polychat.home / done.stdout.strip()
    with Picture.open(path) as picture:
        width, height = picture.size
    assert done.stderr == f"{width} x {height} px, PNG, {path.stat().st_size} B\n"


def test_nothing_is_overwritten_unless_asked(polychat: Any) -> None:
    """A made name gets a number; a given one that is taken is refused before anything is sent."""
    assert [polychat("image", "fox").stdout for _ in range(3)] == ["fox.png\n", "fox-2.png\n", "fox-3.png\n"]
    Path(polychat.home, "taken.png").write_bytes(b"older")
    polychat.sandbox.reset()
    refused = polychat("image", "fox", "-O", "taken.png")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: taken.png is there already\nhint: --force overwrites it\n"
    assert polychat.sandbox.journal() == []
    assert polychat("image", "fox", "-O", "taken.png", "--force").stdout == "taken.png\n"
    assert Path(polychat.home, "taken.png").read_bytes()[:4] == b"\x89PNG"
    assert polychat("image", "fox", "--force").stdout == "fox.png\n"


def test_a_folder_takes_the_made_name(polychat: Any) -> None:
    """-O FOLDER."""
    Path(polychat.home, "pictures").mkdir()
    assert polychat("image", "fox", "-O", "pictures").stdout == "pictures/fox.png\n"


@pytest.mark.parametrize(
    ("prompt", "name"),
    [("Рыжая лиса", "рыжая-лиса.png"), ("../../etc/passwd", "etc-passwd.png"), ("?!", "picture.png")],
)
def test_a_name_is_made_of_words_alone(polychat: Any, prompt: str, name: str) -> None:
    """In any alphabet, and never a path."""
    assert polychat("image", prompt).stdout == f"{name}\n"
    assert files(polychat) == [name]


def test_a_dash_writes_the_bytes_to_a_pipe(polychat: Any) -> None:
    """stdout is the picture and nothing else."""
    process = polychat.start("image", "fox", "-O", "-")
    stdout, stderr = process.communicate(timeout=30)
    with Picture.open(io.BytesIO(stdout)) as picture:
        assert picture.format == "PNG"
    assert (process.returncode, stderr.endswith(f"PNG, {len(stdout)} B\n".encode())) == (0, True)
    assert files(polychat) == []


def test_a_terminal_is_spared_the_bytes(polychat: Any) -> None:
    """-O - is refused there, before anything is sent."""
    code, drawn = polychat.on_terminal("image", "fox", "-O", "-")
    assert (code, "stdout is a terminal" in drawn, polychat.sandbox.journal()) == (2, True, [])


def test_json_tells_file_and_picture(polychat: Any) -> None:
    """One document: OpenAI's fields, and where and what each picture is; the bytes are those of the service."""
    polychat.sandbox.knobs("chatgpt", links="foreign")
    facts = json.loads(polychat("image", "fox", "--json").stdout)
    (picture,) = facts["data"]
    data = Path(polychat.home, picture["path"]).read_bytes()
    assert (picture["path"], picture["media_type"], picture["size_bytes"]) == ("fox.png", "image/png", len(data))
    assert (facts["provider"], facts["account"]) == ("chatgpt", "sandbox-alice@chatgpt")
    with urlopen(picture["url"]) as served:
        assert hashlib.sha256(served.read()).hexdigest() == hashlib.sha256(data).hexdigest()


def test_pictures_are_shown_and_the_prompt_may_come_from_a_pipe(polychat: Any) -> None:
    """-i sends a file's very bytes; words and stdin make the prompt."""
    polychat("image", "fox", "-O", "fox.png")
    polychat.sandbox.reset()
    assert polychat("image", "make it", "-i", "fox.png", stdin=b"blue\n").stdout == "make-it-blue.png\n"
    journal = polychat.sandbox.journal(service="chatgpt")
    sent = hashlib.sha256(Path(polychat.home, "fox.png").read_bytes()).hexdigest()
    assert [entry.body_sha256 for entry in journal if entry.method == "PUT"] == [sent]
    assert [entry.json["messages"][-1]["content"]["parts"][-1] for entry in journal if entry.path == TURN] == [
        "make it\n\nblue"
    ]


def test_account_and_model_may_be_chosen(polychat: Any) -> None:
    """-m, --account, --provider; without them the first account of a service that draws, whatever model is set."""
    for args in (["-m", "chatgpt/gpt-image"], ["--account", "sandbox-bob@chatgpt"], ["--provider", "chatgpt"], []):
        assert polychat("image", "fox", *args).returncode == 0
    people = [entry.account for entry in polychat.sandbox.journal(path=TURN)]
    assert people == ["sandbox-alice", "sandbox-bob", "sandbox-alice", "sandbox-alice"]


def test_an_account_that_cannot_draw_is_passed_over(polychat: Any) -> None:
    """Also where it is the person's first."""
    polychat("login", "reka", "--cookies", "-", stdin=b"appSession=sandbox-bob", env={"POLYCHAT_MODEL": None})
    done = polychat("image", "fox", env={"POLYCHAT_MODEL": None})
    assert (done.returncode, done.stdout) == (0, "fox.png\n")


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        ([], 2, "there is nothing to draw"),
        (["fox", "--size", "8x8"], 2, "chatgpt does not let the size of a picture be chosen (size 8x8)"),
        (["fox", "-m", "reka"], 2, "reka makes no pictures"),
        (["fox", "-o", "quality=hd"], 2, "chatgpt has no option 'quality'"),
        (["fox", "-n", "2"], 2, "n is not 1"),
        (["fox", "--format", "webp"], 2, "chatgpt has no option 'output_format'"),
        (["fox", "--mask", "fox.png"], 2, "chatgpt has no option 'mask'"),
        (["fox", "-m", "openai/gpt-image-2", "--mask", "nowhere.png"], 2, "mask says where a picture may change"),
        (["fox", "-m", "openai/gpt-image-2", "-o", "qualty=low"], 2, "hint: did you mean quality?"),
        (["fox", "-i", "nowhere.png"], 2, "cannot read nowhere.png"),
        (["fox", "-O", "no/where.png"], 2, "there is no folder no"),
        (["fox", "-O", "-", "--json"], 2, "--json and --output - exclude each other"),
        (["fox", "--account", "nobody"], 4, "nobody"),
    ],
)
def test_what_cannot_be_drawn_is_told_before_anything_is_sent(
    polychat: Any, args: list[str], code: int, complaint: str
) -> None:
    """One sentence, its exit code, and silence on the wire."""
    done = polychat("image", *args)
    assert (done.returncode, done.stdout, complaint in done.stderr) == (code, "", True)
    assert (polychat.sandbox.journal(), files(polychat)) == ([], [])


def test_words_instead_of_a_picture_are_6(polychat: Any) -> None:
    """What the service said is told, and there is no file."""
    polychat.sandbox.knobs("chatgpt", picture_form="dalle")
    polychat.sandbox.fault("chatgpt", "changed_field", field="asset_pointer", to="gone", path=TURN)
    done = polychat("image", "fox")
    assert (done.returncode, done.stdout, files(polychat)) == (6, "", [])
    assert done.stderr.startswith("error: chatgpt made no picture; it said: Here it is.\n")


def test_a_model_that_only_draws_takes_more_wishes(polychat: Any) -> None:
    """Several pictures, each in a file of its own, as what was asked for."""
    done = polychat(
        "image",
        "fox",
        "-m",
        "openai/gpt-image-2",
        "-n",
        "2",
        "--size",
        "64x32",
        "--format",
        "webp",
        "-o",
        "quality=low",
    )
    assert (done.returncode, done.stdout.splitlines()) == (0, ["fox.webp", "fox-2.webp"]), done.stderr
    made = [Picture.open(io.BytesIO((polychat.home / name).read_bytes())) for name in files(polychat)]
    assert [(picture.format, picture.size) for picture in made] == [("WEBP", (64, 32))] * 2
    (entry,) = polychat.sandbox.journal(service="openai")
    assert entry.json == {
        "model": "gpt-image-2", "prompt": "fox", "n": 2, "size": "64x32", "output_format": "webp", "quality": "low",
    }  # fmt: skip


def test_a_mask_says_where_a_picture_may_change(polychat: Any) -> None:
    """Both are sent whole."""
    for name, colour in (("red.png", "red"), ("mask.png", (0, 0, 0, 0))):
        Picture.new("RGBA", (16, 16), colour).save(polychat.home / name)
    done = polychat("image", "blue", "-m", "openai", "-i", "red.png", "--mask", "mask.png", "--json")
    (made,) = json.loads(done.stdout)["data"]
    assert (made["path"], made["width"], made["height"]) == ("blue.png", 16, 16)
    sent = {part.name: part.sha256 for part in polychat.sandbox.journal()[0].parts if part.filename}
    assert sent == {
        name.partition(".")[0].replace("red", "image"): hashlib.sha256((polychat.home / name).read_bytes()).hexdigest()
        for name in ("red.png", "mask.png")
    }


def test_a_set_model_that_cannot_draw_stands_for_its_service(polychat: Any) -> None:
    """One that draws as part of its answers, or outside them, is asked itself."""
    done = polychat("image", "fox", "--size", "64x32", env={"POLYCHAT_MODEL": "openai/whisper-1"})
    assert (done.returncode, done.stdout) == (0, "fox.png\n"), done.stderr
    assert [entry.json["model"] for entry in polychat.sandbox.journal(service="openai")] == ["gpt-image-2"]


def test_a_folder_that_takes_nothing_is_3(polychat: Any) -> None:
    """What the disk refuses is a sentence."""
    Path(polychat.home, "fox.png").mkdir()
    Path(polychat.home, "fox.png", "fox.png").mkdir()
    done = polychat("image", "fox", "-O", "fox.png", "--force")
    assert (done.returncode, done.stderr) == (3, "error: fox.png/fox.png cannot be written: Is a directory\n")
