"""Settings: which place wins, and how a mistake in one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import Secret
from polychat.engine.settings import Folders, ModelSettings, Settings, load
from polychat.errors import ConfigError
from polychat.net.clocks import USUAL, Clocks


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "given.toml"


def user_config(home: Path, text: str) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def environ(home: Path, **variables: str) -> dict[str, str]:
    return {"POLYCHAT_HOME": str(home), **variables}


def test_with_nothing_set_there_are_defaults(home: Path) -> None:
    """No file is needed, and none of the folders is made."""
    assert load(environ=environ(home)) == Settings(
        folders=Folders(
            config=home / "config",
            data=home / "data",
            state=home / "state",
            cache=home / "cache",
            runtime=home / "runtime",
        ),
        sandbox=None,
        model=None,
        proxy=None,
        vault_key_file=None,
        clocks=Clocks(),
        other_clocks={kind: clocks for kind, clocks in USUAL.items() if kind != "chat"},
        accounts={},
    )
    assert not home.exists()


def test_without_a_home_the_folders_are_the_systems() -> None:
    """Absolute folders, each of which is polychat's own."""
    folders = load(environ={}).folders

    for folder in (folders.config, folders.data, folders.state, folders.cache, folders.runtime):
        assert folder is not None
        assert folder.is_absolute()
        assert "polychat" in str(folder)


def test_what_ends_with_the_session_is_in_its_folder(tmp_path: Path) -> None:
    """That of XDG_RUNTIME_DIR; without one, or with a relative one, beside what stays."""
    assert load(environ={"XDG_RUNTIME_DIR": str(tmp_path)}).folders.runtime == tmp_path / "polychat"
    for environ_without in ({}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "run"}):
        folders = load(environ=environ_without).folders
        assert folders.runtime == folders.state / "runtime"


def test_a_relative_home_is_made_absolute(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A later change of the working directory moves nothing."""
    monkeypatch.chdir(tmp_path)

    assert load(environ={"POLYCHAT_HOME": "home"}).folders.data == home / "data"


def test_everything_can_be_set_in_a_file(home: Path) -> None:
    """config.toml of the user's config folder is read without being asked for."""
    user_config(
        home,
        """
        sandbox = "http://127.0.0.1:8765/"
        model = "reka/reka-core"
        proxy = "socks5://me:canary@127.0.0.1:1080"
        vault_key_file = "~/vault.key"
        [clocks]
        connect_s = 3
        total_s = 0
        [accounts]
        reka = "work"
        """,
    )
    settings = load(environ=environ(home))

    assert settings.sandbox == "http://127.0.0.1:8765"
    assert settings.model == "reka/reka-core"
    assert settings.proxy == Secret("socks5://me:canary@127.0.0.1:1080")
    assert settings.vault_key_file == Path("~/vault.key").expanduser()
    assert settings.clocks == Clocks(connect_s=3.0, total_s=None)
    assert settings.accounts == {"reka": "work"}
    assert "canary" not in repr(settings)


def test_the_nearer_place_wins(home: Path, file: Path) -> None:
    """Overrides over POLYCHAT_MODEL over the given file over config.toml."""
    user_config(home, 'model = "user"')
    file.write_text('model = "given"')
    variables = environ(home, POLYCHAT_MODEL="variable")

    assert load(environ=variables, config_file=file, overrides={"model": "flag"}).model == "flag"
    assert load(environ=variables, config_file=file, overrides={"model": None}).model == "variable"
    assert load(environ=environ(home), config_file=file).model == "given"
    assert load(environ=environ(home, POLYCHAT_MODEL="")).model == "user"


def test_tables_are_laid_over_one_another(home: Path, file: Path) -> None:
    """A place that sets one clock or account leaves the others as they were."""
    user_config(home, 'clocks = {connect_s = 1, total_s = 2}\naccounts = {reka = "a", openai = "b"}')
    file.write_text('clocks = {total_s = 3}\naccounts = {openai = "c"}')
    overrides = {"clocks": {"pool_s": 4, "connect_s": None}}
    settings = load(environ=environ(home), config_file=file, overrides=overrides)

    assert settings.clocks == Clocks(connect_s=1.0, total_s=3.0, pool_s=4.0)
    assert settings.accounts == {"reka": "a", "openai": "c"}


def test_a_model_has_settings_of_its_own(home: Path, file: Path) -> None:
    """By the service's name and its own; a nearer place says it anew, an empty table says nothing."""
    user_config(home, '[models."reka/reka-core"]\ntools = "emulate"\n[models."ollama/qwen3:8b"]\ntools = "emulate"')
    file.write_text('[models."reka/reka-core"]\ntools = "service"\n[models."a/b"]')
    emulate, service = ModelSettings(tools="emulate"), ModelSettings(tools="service")

    assert load(environ=environ(home)).models == {"reka/reka-core": emulate, "ollama/qwen3:8b": emulate}
    assert load(environ=environ(home), config_file=file).models == {
        "reka/reka-core": service, "ollama/qwen3:8b": emulate, "a/b": ModelSettings(),
    }  # fmt: skip


def test_variables_set_sandbox_and_proxy(home: Path) -> None:
    """POLYCHAT_SANDBOX, POLYCHAT_PROXY and POLYCHAT_VAULT_KEY_FILE are the settings of those names."""
    settings = load(
        environ=environ(
            home, POLYCHAT_SANDBOX="http://[::1]:1/x//", POLYCHAT_PROXY="http://h:1", POLYCHAT_VAULT_KEY_FILE="/k"
        )
    )

    assert settings.sandbox == "http://[::1]:1/x"
    assert settings.proxy == Secret("http://h:1")
    assert settings.vault_key_file == Path("/k")


def test_a_key_file_is_a_path(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Made absolute at once; ~ is the home, where there is such a user."""
    monkeypatch.chdir(tmp_path)

    for written, path in (("key", tmp_path / "key"), ("~nobody-there/key", tmp_path / "~nobody-there" / "key")):
        assert load(environ=environ(home, POLYCHAT_VAULT_KEY_FILE=written)).vault_key_file == path


def test_only_the_mapping_that_was_given_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment is not looked at."""
    monkeypatch.setenv("POLYCHAT_MODEL", "from the process")

    assert load(environ=environ(home)).model is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model = 3", "model is of type int, not str"),
        ("clocks = 1", "clocks is of type int, not object"),
        ("modl = 'canary'", "modl is not a setting"),
        ("clocks.conect_s = 1", "clocks.conect_s is not a setting"),
        ("clocks.connect_s = 'canary'", "clocks.connect_s is not a number of seconds"),
        ("clocks.connect_s = true", "clocks.connect_s is not a number of seconds"),
        ("clocks.connect_s = -1", "clocks.connect_s is not a number of seconds"),
        ("clocks.connect_s = nan", "clocks.connect_s is not a number of seconds"),
        ("clocks.connect_s = inf", "clocks.connect_s is not a number of seconds"),
        ("models = 1", "models is of type int, not object"),
        ("models.reka.tools = 'emulate'", "models.reka.targets is not a list of models"),
        ("models = {'reka/reka-core' = 'emulate'}", 'models."reka/reka-core" is not a table of a model'),
        ("models.'reka/reka-core'.tool = 'canary'", 'models."reka/reka-core".tool is not a setting'),
        ("models.'a/b'.tools = 'canary'", 'models."a/b".tools is not one of service, emulate'),
        ("models.'a/b'.tools = ['emulate']", 'models."a/b".tools is not one of service, emulate'),
        ("record = ''", "record is empty"),
        ("failover.attempts = 0", "failover.attempts is not a number of attempts"),
        ("failover.tries = 2", "failover.tries is not a setting"),
        ("logging.store = 'all'", "logging.store is not one of none, facts, full"),
        ("clocks.drawing = 3", "clocks.drawing is not a table of clocks"),
        ("clocks.drawing.total = 3", "clocks.drawing.total is not a setting"),
        ("vault_key_file = ''", "vault_key_file is empty"),
        ("vault_key_file = ' '", "vault_key_file is empty"),
        ("vault_key_file = 3", "vault_key_file is of type int, not str"),
        ("accounts.reka = ['canary']", "accounts.reka is not the name of an account"),
        ("sandbox = '127.0.0.1:8765'", "sandbox is not a URL that begins with http://, https://"),
        ("sandbox = 'localhost:8765'", "sandbox is not a URL that begins with http://, https://"),
        ("sandbox = 'socks5://h:1'", "sandbox is not a URL that begins with http://, https://"),
        ("proxy = 'me:canary@h:1'", None),
        ("proxy = 'http://me:canary@'", None),
        ("proxy = 'http://me:canary@h:99999'", None),
        ("proxy = 'http://me:canary@[h'", None),
    ],
)
def test_a_mistake_is_named_with_file_and_setting(home: Path, file: Path, text: str, complaint: str | None) -> None:
    """The whole path of the setting, and no value: a proxy's holds a password."""
    schemes = "http://, https://, socks4://, socks5://, socks5h://"
    expected = f"{file}: {complaint or f'proxy is not a URL that begins with {schemes}'}"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(environ=environ(home), config_file=file)

    assert expected == caught.value.message
    assert "canary" not in str(caught.value)


def test_the_hint_says_how_to_mend_it(home: Path) -> None:
    """An example of a URL, or the names there are."""
    with pytest.raises(ConfigError) as caught:
        load(environ=environ(home, POLYCHAT_SANDBOX="127.0.0.1:8765"))
    assert caught.value.hint == "write it like http://127.0.0.1:8765"
    with pytest.raises(ConfigError) as caught:
        load(environ=environ(home), overrides={"clocks": {"total": 1}})
    clocks = "connect_s, first_event_s, between_events_s, total_s, pool_s"
    kinds = "chat, drawing, speech, transcription, embeddings"
    assert caught.value.hint == f"the settings there are {clocks}, {kinds}"


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"environ": {"POLYCHAT_SANDBOX": "x"}}, "POLYCHAT_SANDBOX: sandbox"),
        ({"environ": {}, "overrides": {"sandbox": "x"}}, "options: sandbox"),
    ],
)
def test_a_mistake_outside_files_is_named_by_its_place(home: Path, arguments: dict[str, Any], place: str) -> None:
    """The variable, or the options of the call."""
    arguments["environ"] = environ(home, **arguments["environ"])
    with pytest.raises(ConfigError) as caught:
        load(**arguments)

    assert caught.value.message.startswith(place)


def test_a_mistake_counts_even_where_a_nearer_place_hides_it(home: Path) -> None:
    """What is wrong in a file is said, though a variable sets the same."""
    path = user_config(home, "model = 3")
    with pytest.raises(ConfigError) as caught:
        load(environ=environ(home, POLYCHAT_MODEL="x"))

    assert caught.value.message.startswith(f"{path}: model")


def test_a_given_file_has_to_be_there(home: Path, file: Path) -> None:
    """A missing one, a folder and what is not TOML are errors that name the file."""
    with pytest.raises(ConfigError) as caught:
        load(environ=environ(home), config_file=file)
    assert caught.value.message == f"the config file {file} does not exist"
    with pytest.raises(ConfigError, match="cannot be read: "):
        load(environ=environ(home), config_file=file.parent)


@pytest.mark.parametrize("content", [b"model = ", b"model = 'x'\nmodel = 'y'", b"model = '\xff'"])
def test_what_is_not_toml_is_called_so(home: Path, file: Path, content: bytes) -> None:
    """Cut off, twice the same or not UTF-8."""
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(environ=environ(home), config_file=file)

    assert caught.value.message.startswith(f"the config file {file} is not TOML: ")
