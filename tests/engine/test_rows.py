"""engine/rows.py: services that the config names, over real HTTP, and how a mistake in one is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polychat import Client, Secret
from polychat.engine.accounts import kept
from polychat.engine.services import Services
from polychat.engine.settings import Settings, load
from polychat.errors import ConfigError, NoAccount, UnknownModel
from polychat.sandbox import Sandbox

ALICE = "sandbox-alice"
AT = '[services.team]\nbase_url = "https://t.example"\n'
Write = Callable[[str], Path]
Configured = Callable[..., Settings]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the person's config."""

    def written(text: str) -> Path:
        path = tmp_path / "config" / "config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def configured(tmp_path: Path, write: Write) -> Configured:
    """The settings of such a config, with those variables set."""

    def loaded(text: str, **environ: str) -> Settings:
        write(text)
        return load(environ={"POLYCHAT_HOME": str(tmp_path), **environ})

    return loaded


def team(sandbox: Sandbox, more: str = "") -> str:
    """A service of the config that is the emulated API."""
    return f'[services.team]\nbase_url = "{sandbox.url}/openai/v1/"\nmodels = ["gpt-4o"]\n{more}'


def test_a_service_of_the_config_is_asked_with_its_key_and_headers(sandbox: Sandbox, configured: Configured) -> None:
    """The key under its variable, the headers as written or from a variable; nobody else gets them."""
    environ = {"TEAM_KEY": ALICE, "GATE_KEY": "sandbox-gate"}
    text = team(sandbox, 'keys = ["TEAM_KEY"]\nheaders = { X-Team = "search", x-gate = "env:GATE_KEY" }')
    settings = configured(text, **environ)
    with Client(settings=settings, vault=kept(settings, environ)) as client:
        answer = client.chat.completions.create(model="team", messages="hi")
    assert (answer.provider, answer.account, answer.model) == ("team", "env:TEAM_KEY", "gpt-4o")
    (entry,) = sandbox.journal(service="openai")
    assert entry.account == ALICE
    assert entry.headers["x-team"] == "search"
    assert "x-gate" in entry.headers
    assert "sandbox-gate" not in repr(settings)


def test_a_key_file_is_an_account(sandbox: Sandbox, configured: Configured, tmp_path: Path) -> None:
    """As containers and systemd hand keys over; a new line at its end is none of the key's."""
    (tmp_path / "key").write_text(f"{ALICE}\n", encoding="utf-8")
    settings = configured(team(sandbox, f'key_file = "{tmp_path / "key"}"'))
    with Client(settings=settings, vault=kept(settings, {})) as client:
        answer = client.chat.completions.create(model="team/gpt-4o", messages="hi")
    assert answer.account == "key-file@team"


def test_a_service_whose_variable_is_not_set_asks_for_a_sign_in(configured: Configured) -> None:
    """And nothing is sent."""
    settings = configured(AT + 'models = ["m"]\nkeys = ["TEAM_KEY"]')
    with Client(settings=settings, vault=kept(settings, {})) as client, pytest.raises(NoAccount) as caught:
        client.chat.completions.create(model="team", messages="hi")
    assert caught.value.hint == "polychat login team --key -"


def test_a_sandbox_stands_in_for_it_and_is_told_nothing_real(sandbox: Sandbox, configured: Configured) -> None:
    """Neither the address nor the headers of the config are used there."""
    text = '[services.team]\nbase_url = "https://team.example/v1"\nmodels = ["gpt-4o"]\nheaders = { x-gate = "real" }\n'
    settings = configured(text, POLYCHAT_SANDBOX=sandbox.url)
    with Client(settings=settings, provider="team", api_key=ALICE) as client:
        client.chat.completions.create(messages="hi")
    (entry,) = sandbox.journal(service="openai")
    assert "x-gate" not in entry.headers


def test_a_known_row_is_changed_in_what_the_config_says(configured: Configured) -> None:
    """The rest of it stays."""
    services = Services(configured('[services.openai]\nbase_url = "https://gate.example/v1"'))
    info = services.load("openai").info
    assert dict(info.hosts) == {"api": "https://gate.example/v1"}
    assert (info.label, info.default_model, info.env_keys) == ("OpenAI", "gpt-5.5", ("OPENAI_API_KEY",))
    assert services.names().count("openai") == 1


def test_a_wrong_name_is_answered_with_those_of_the_config_too(configured: Configured) -> None:
    """The person finds the own service among them."""
    services = Services(configured('[services.team]\nbase_url = "https://team.example/v1"'))
    with pytest.raises(UnknownModel, match="there are: team, "):
        services.load("taem")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[services.team]\nmodels = ["a"]', "services.team.base_url is missing"),
        ('[services.team]\nbase_url = "team.example/v1"', "services.team.base_url is not a URL"),
        ('[services.team]\nbase_url = "http://t.example/v1"', "services.team.base_url is plain http to t.example"),
        (AT + 'base = 1', "unknown field `base`"),
        (AT + 'keys = "K"', "services.team.keys: expected `array`"),
        (AT + 'can = ["fly"]', "services.team.can[0]: invalid enum value 'fly'"),
        ("[services]\nteam = 1", "services.team is not a table"),
        ("services = 1", "services is of type int"),
        ('[services.reka]\nbase_url = "https://t.example"', "services.reka: reka is a service of its own kind"),
        ('[services."a/b"]\nbase_url = "https://t.example"', "services.a/b is no name for a service"),
        (AT + 'headers = { Host = "x" }', "headers.Host is no header to set"),
        (AT + 'headers = { "a b" = "x" }', "headers.a b is no header to set"),
        (
            AT + 'headers = { a = "env:NOT_SET" }',
            "headers.a is to come from NOT_SET, which is not set",
        ),
        (
            AT + 'headers = { a = "x\\ny" }',
            "headers.a cannot be sent over HTTP",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_setting(configured: Configured, write: Write, table: str, said: str) -> None:
    """One sentence, with the place."""
    place = write(table)
    with pytest.raises(ConfigError) as caught:
        configured(table)
    assert said in caught.value.message
    assert str(place) in caught.value.message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff", "is not text"),
        (b"one\ntwo\n", "has several lines"), ("schlüssel".encode(), "is not plain ASCII"),
    ],
)  # fmt: skip
def test_a_key_file_that_holds_no_key_is_named(
    configured: Configured, tmp_path: Path, content: bytes | None, why: str
) -> None:
    """Before anything is asked."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    settings = configured(f'[services.team]\nbase_url = "https://t.example"\nkey_file = "{tmp_path / "key"}"')
    with pytest.raises(ConfigError, match=rf"services\.team\.key_file: .*{why}"):
        kept(settings, {})


def test_a_header_is_a_secret(configured: Configured) -> None:
    """It shows in no settings that are printed."""
    settings = configured('[services.t]\nbase_url = "https://t.example"\nheaders = { a = "sandbox-hidden" }')
    found: Any = settings.services["t"]
    assert found.headers == {"a": Secret("sandbox-hidden")}
    assert "sandbox-hidden" not in repr(settings)
