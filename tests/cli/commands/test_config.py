"""`polychat config`."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

CANARY = "canary-51c0d2"
CONFIG = """
proxy = "http://me:canary-51c0d2@127.0.0.1:9"
[clocks]
total_s = 300
drawing = { total_s = 0 }
[services.team]
base_url = "https://llm.example.com/v1"
keys = ["TEAM_KEY"]
headers = { x-team = "canary-51c0d2", x-gate = "env:GATE" }
[models]
fast = "groq/x"
[models.smart]
targets = ["reka/reka-core", "fast", "team/x"]
"""
ROUTES = b"""
models:
  - name: smart
    providers:
      - {provider: Reka, model: reka-core, condition: "error_count < 3"}
      - {provider: Yupp}
"""
DEPLOYMENTS = f"""
model_list:
  - model_name: smart
    litellm_params: {{model: openai/gpt-4o, api_key: {CANARY}}}
general_settings: {{master_key: {CANARY}}}
""".encode()


@pytest.fixture
def kept(polychat: Any) -> Any:
    """The program, with a config of the person's own."""
    keep(polychat, CONFIG)
    polychat.env["GATE"] = CANARY
    return polychat


def keep(polychat: Any, text: str) -> Path:
    file: Path = polychat.home / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


# ---------------------------------------------------------------- path


def test_path_tells_where_everything_is(kept: Any) -> None:
    """Each file and folder, and whether it is there."""
    rows = [line.split() for line in kept("config", "path").stdout.splitlines()]
    assert ["config", "there", str(kept.home / "config" / "config.toml")] in rows
    assert ["vault", "not", "there", str(kept.home / "data" / "sandbox-accounts.json")] in rows
    listed = json.loads(kept("config", "path", "--json", env={"POLYCHAT_SANDBOX": None}).stdout)
    assert {one["what"]: one["exists"] for one in listed} == {
        "config": True, "vault": False, "ledger": False, "health": False, "data folder": False,
        "state folder": False, "cache folder": False,
    }  # fmt: skip


def test_path_works_where_the_config_is_broken(polychat: Any) -> None:
    """Who has to mend a file has to find it."""
    file = keep(polychat, "clocks = 3")
    done = polychat("config", "path")
    assert (done.returncode, str(file) in done.stdout) == (0, True)
    assert done.stderr == "note: the config cannot be read as it is: polychat config check says why\n"


# ---------------------------------------------------------------- show


def test_show_says_what_is_in_force_and_by_which_place(kept: Any) -> None:
    """File, variable, option, default."""
    key_file = str(kept.home / "key")
    done = kept("config", "show", "--json", "--vault-key-file", key_file)
    shown = json.loads(done.stdout)
    file = str(kept.home / "config" / "config.toml")
    assert {name: (shown[name]["value"], shown[name]["from"]) for name in (
        "model", "sandbox", "vault_key_file", "clocks.total_s", "clocks.drawing.total_s", "clocks.speech.first_event_s",
        "failover.attempts", "logging.store", "models.fast", "services.team.keys",
    )} == {
        "model": ("reka", "POLYCHAT_MODEL"),
        "sandbox": (kept.sandbox.url, "POLYCHAT_SANDBOX"),
        "vault_key_file": (key_file, "--vault-key-file"),
        "clocks.total_s": (300, file),
        "clocks.drawing.total_s": (None, file),
        "clocks.speech.first_event_s": (60.0, "default"),
        "failover.attempts": (4, "default"),
        "logging.store": ("facts", "default"),
        "models.fast": ("groq/x", file),
        "services.team.keys": (["TEAM_KEY"], file),
    }  # fmt: skip


def test_show_hides_what_is_secret(kept: Any) -> None:
    """The proxy's password, and a header's value; the name of a variable is none."""
    keep(kept, CONFIG.replace('keys = ["TEAM_KEY"]', f'keys = ["TEAM_KEY", "{CANARY}"]'))
    for args in ([], ["--json"]):
        done = kept("config", "show", *args, env={"POLYCHAT_SANDBOX": "http://me:canary-51c0d2@127.0.0.1:1"})
        assert (done.returncode, CANARY in done.stdout + done.stderr) == (0, False)
        assert "http://***@127.0.0.1:9" in done.stdout
        assert "http://***@127.0.0.1:1" in done.stdout
        assert "env:GATE" in done.stdout


def test_show_lets_a_later_file_win(kept: Any) -> None:
    """A routed name of another file counts as a whole, a clock by itself."""
    other = kept.home / "other.toml"
    other.write_text('[clocks]\nconnect_s = 2\ntotal_s = 9\n[models.smart]\ntargets = ["reka"]\n')
    shown = json.loads(kept("config", "show", "--json", "--config", str(other)).stdout)
    assert shown["models.smart.targets"] == {"value": ["reka"], "from": str(other)}
    assert shown["clocks.total_s"] == {"value": 9, "from": str(other)}
    assert (shown["clocks.connect_s"]["from"], shown["models.fast"]["value"]) == (str(other), "groq/x")


# ---------------------------------------------------------------- check


def test_check_counts_what_is_there(kept: Any) -> None:
    """A sound config with names that all lead somewhere."""
    done = kept("config", "check")
    said = "can be read: 1 own service, 2 routed names, 0 model settings, 0 warnings\n"
    assert (done.returncode, done.stdout, done.stderr) == (
        0, f"{kept.home / 'config' / 'config.toml'} {said}", "",
    )  # fmt: skip


def test_check_without_a_file_says_so(polychat: Any) -> None:
    """Nothing is wrong with having none."""
    done = polychat("config", "check")
    assert (done.returncode, done.stdout.startswith("there is no config file; what is in force can be read")) == (
        0, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[models.smart]\ntargets = [{ model = "reka", when = "errors < 3" }]', "models.smart.targets[0].when"),
        ('[models.smart]\ntargets = [{ when = "errors_1h < 3" }]', "models.smart.targets[0] names no model"),
        ("[clocks]\ntotal_s = true", "clocks.total_s"),
        ("[services.x]\nkeys = []", "services.x.base_url"),
        ("model = 3", "model is of type int"),
    ],
)
def test_check_names_the_place_of_what_is_wrong(kept: Any, text: str, where: str) -> None:
    """The file that is named, the path in it, and exit code 3."""
    file = kept.home / "new.toml"
    file.write_text(text)
    done = kept("config", "check", str(file))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: {file}: {where}")


def test_check_warns_of_names_that_lead_nowhere(polychat: Any) -> None:
    """Each with its path and the nearest names; that is no error."""
    keep(
        polychat,
        """
        model = "smrt"
        [accounts]
        rekka = "x"
        reka = "x"
        [concurrency]
        chatgptt = 1
        [services.team]
        base_url = "https://llm.example.com/v1"
        keys = ["canary-51c0d2"]
        key_file = "/nowhere/key"
        [models."rekka/reka-core"]
        tools = "emulate"
        [models.smart]
        targets = ["reka/reka-cor", "anthropc/claude", "chatgpt/gpt-99", "groq/anything"]
        [models.again]
        targets = ["smart"]
        """,
    )
    done = polychat("config", "check", "--json", env={"POLYCHAT_MODEL": None})
    warned = {one["path"]: one for one in json.loads(done.stdout)["warnings"]}
    assert (done.returncode, list(warned)) == (
        0,
        [
            "model", "accounts.rekka", "accounts.reka", "concurrency.chatgptt", "services.team.keys[0]",
            "services.team.key_file", 'models."rekka/reka-core"', "models.smart.targets[0]",
            "models.smart.targets[1]", "models.smart.targets[2]",
        ],
    )  # fmt: skip
    assert warned["accounts.rekka"]["hint"].startswith("did you mean reka")
    assert "anthropic/" in warned["models.smart.targets[1]"]["hint"]
    assert "chatgpt is asked for its own list" in warned["models.smart.targets[2]"]["message"]
    assert CANARY not in done.stdout
    spoken = polychat("config", "check")
    assert "warning: models.smart.targets[1]: there is no model 'anthropc/claude'\nhint: did you" in spoken.stderr


def test_check_takes_one_file(kept: Any) -> None:
    """--config and FILE say the same."""
    done = kept("config", "check", "a.toml", "--config", "b.toml")
    assert (done.returncode, "the config is named twice" in done.stderr) == (2, True)
    assert kept("config", "check", "nowhere.toml").returncode == 3


# ---------------------------------------------------------------- import


def test_import_prints_toml_and_tells_what_has_no_place(polychat: Any) -> None:
    """stdout is a config; stderr says the rest, each with its line."""
    done = polychat("config", "import", "g4f", "-", stdin=ROUTES)
    assert (done.returncode, tomllib.loads(done.stdout)) == (
        0,
        {"models": {"smart": {"targets": [{"model": "reka/reka-core", "when": "errors_1h < 3"}]}}},
    )
    assert done.stdout.startswith("# Made from stdin, a config of gpt4free, by `polychat config import`; 1 remark ")
    assert done.stderr.startswith(
        "left out: stdin:6: models[0].providers[1].provider: polychat has no service for Yupp"
    )


def test_import_as_json_has_everything(polychat: Any) -> None:
    """The settings, their TOML, and each remark as data; a key of the file is in none of it."""
    (polychat.home / "their.yaml").write_bytes(DEPLOYMENTS)
    done = polychat("config", "import", "litellm", "their.yaml", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, CANARY in done.stdout) == (0, "", False)
    assert (found["program"], found["file"], found["written"]) == ("LiteLLM", "their.yaml", None)
    assert found["config"] == tomllib.loads(found["toml"]) == {"models": {"smart": "openai/gpt-4o"}}
    assert found["unmapped"][0] == {
        "kind": "to_do",
        "path": "model_list[0].litellm_params.api_key",
        "reason": "a key is not copied",
        "hint": "keep it: polychat login openai --key -",
        "line": 4,
    }


@pytest.mark.parametrize("option", ["--write", "--output"])
def test_import_writes_a_private_file_once(polychat: Any, option: str) -> None:
    """To the config folder or where one likes, 0600; what is there is never overwritten."""
    made = polychat.home / "config" / "config.toml" if option == "--write" else polychat.home / "made.toml"
    where = [option] if option == "--write" else [option, str(made)]
    done = polychat("config", "import", "g4f", "-", *where, stdin=ROUTES)
    assert (done.returncode, done.stdout) == (0, f"{made}\n")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert polychat("config", "check", *([] if option == "--write" else [str(made)])).returncode == 0
    before = made.read_bytes()
    again = polychat("config", "import", "litellm", "-", *where, stdin=DEPLOYMENTS)
    assert (again.returncode, again.stdout, made.read_bytes()) == (2, "", before)
    assert f"error: {made} is there already, and is not overwritten\nhint: -O names another file" in again.stderr


def test_a_dry_run_writes_nothing(polychat: Any) -> None:
    """It prints what would be written."""
    done = polychat("config", "import", "g4f", "-", "--write", "--dry-run", stdin=ROUTES)
    assert (done.returncode, "[models.smart]" in done.stdout) == (0, True)
    assert not (polychat.home / "config").exists()


def test_nothing_is_written_where_nothing_has_a_place(polychat: Any) -> None:
    """The remarks say why."""
    empty = b"models: [{name: a, providers: [{provider: Yupp}]}]"
    done = polychat("config", "import", "g4f", "-", "--write", stdin=empty)
    assert (done.returncode, done.stdout, (polychat.home / "config").exists()) == (3, "", False)
    assert "polychat has no service for Yupp" in done.stderr
    assert "error: nothing of stdin has a place in polychat, so nothing was written\n" in done.stderr


@pytest.mark.parametrize(
    ("program", "data", "code", "said"),
    [
        ("g4f", b"", 3, "error: stdin is empty\nhint: "),
        ("g4f", b"a: [1,\n", 3, "error: stdin, line 2: this is not YAML: "),
        ("g4f", b"- 1\n", 3, "error: stdin is no mapping of settings\nhint: "),
        ("litellm", b"models: []", 3, "error: stdin is no config of LiteLLM\nhint: of gpt4free? "),
        ("litellm", b"port: 1", 3, "error: stdin is no config of LiteLLM: it has none of model_list, "),
        ("litellm", b"a: !!python/object/apply:os.abort []", 3, "error: stdin, line 1: there is a tag (!...)"),
        ("litellm", b"\xff\xfe", 3, "error: stdin is not text in UTF-8\nhint: "),
    ],
)
def test_a_file_that_is_none_is_refused(polychat: Any, program: str, data: bytes, code: int, said: str) -> None:
    """One sentence with the line where there is one, and how to mend it."""
    done = polychat("config", "import", program, "-", stdin=data)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere.yaml"], "error: cannot read nowhere.yaml: No such file or directory"),
        (["."], "error: cannot read .: Is a directory"),
        (["-", "--write", "-O", "x.toml"], "error: --write and --output exclude each other"),
    ],
)
def test_a_wrong_use_is_2(polychat: Any, args: list[str], said: str) -> None:
    """A file that is not there, two places at once."""
    done = polychat("config", "import", "g4f", *args, stdin=ROUTES)
    assert (done.returncode, done.stdout, said in done.stderr) == (2, "", True)


def test_what_an_import_makes_answers(polychat: Any) -> None:
    """A route of gpt4free's, asked by its name."""
    assert polychat("config", "import", "g4f", "-", "--write", stdin=ROUTES).returncode == 0
    done = polychat("chat", "--model", "smart", "Hello")
    assert (done.returncode, "Hello" in done.stdout) == (0, True)
