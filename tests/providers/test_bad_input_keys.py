"""A key that opens nothing, and an address where none may go: every dialect, over real HTTP, by client and program."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from polychat import AsyncClient, AuthExpired, BadOption, Client, PolychatError
from polychat.credentials import ApiKey, Secret
from polychat.engine import accounts
from polychat.engine.settings import Settings, load
from polychat.providers import load as provider
from polychat.sandbox import Sandbox

WRONG = "sandbox-key-of-another"
SAYS_OPENAI = "says: This API key is unknown or has been revoked (HTTP 401)"
RAYCAST = "raycast does not accept this sign-in (HTTP 401): The session is missing, unknown or over"
NEW_GEMINI_KEY = "make a key in Google AI Studio, then: polychat login gemini --key -"


class Dialect(NamedTuple):
    """One way of speaking to a service, and what that service makes of a wrong key."""

    service: str  # as the sandbox calls it
    name: str  # of the provider
    question: dict[str, Any]
    refusal: str
    status: int = 401
    hint: str | None = None  # unless it is the usual one
    label: str = ""


DIALECTS = {
    "chat": Dialect("openai", "openai", {"model": "gpt-4o"}, f"openai {SAYS_OPENAI}", label="OpenAI"),
    "responses": Dialect(
        "openai", "openai", {"model": "gpt-4o", "api": "responses"}, f"openai {SAYS_OPENAI}", label="OpenAI"
    ),
    "anthropic": Dialect(
        "anthropic", "anthropic", {}, "anthropic says: this key is unknown or has been revoked (HTTP 401)",
        label="Anthropic",
    ),
    "gemini": Dialect(
        "gemini", "gemini", {}, "gemini says: The API key is not valid (HTTP 400)", 400, NEW_GEMINI_KEY, "Gemini API"
    ),
    "raycast": Dialect("raycast", "raycast", {}, RAYCAST, label="Raycast AI"),
    "custom": Dialect("openai", "custom", {"model": "gpt-4o"}, f"custom {SAYS_OPENAI}", label="custom"),
}  # fmt: skip
EVERY = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    """Those of a person without accounts, whose services are all emulated."""
    return load(environ={"POLYCHAT_HOME": str(tmp_path / "home"), "POLYCHAT_SANDBOX": sandbox.url})


def to(dialect: Dialect, sandbox: Sandbox) -> dict[str, Any]:
    """What a client is made with, to ask that service."""
    return {"base_url": f"{sandbox.url}/openai/v1"} if dialect.name == "custom" else {"provider": dialect.name}


def paths(sandbox: Sandbox) -> list[str]:
    """Everything that was asked."""
    return [entry.path for entry in sandbox.journal()]


# ---------------------------------------------------------------- a key that opens nothing


@EVERY
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_the_service_does_not_know_is_expired(
    sandbox: Sandbox, settings: Settings, dialect: Dialect, stream: bool
) -> None:
    """In the service's words, with service, account and the way to another; it is tried once and never shown."""
    with Client(**to(dialect, sandbox), api_key=WRONG, settings=settings) as client, pytest.raises(AuthExpired) as told:
        client.chat.completions.create(messages="hi", stream=stream, **dialect.question)
    error = told.value
    assert error.message == dialect.refusal
    assert error.hint == (dialect.hint or "give another api_key")
    assert (error.provider, error.account) == (dialect.name, f"given@{dialect.name}")
    assert (error.upstream_status, error.after_content) == (dialect.status, False)
    assert len(paths(sandbox)) == 1
    assert WRONG not in str(error)


@EVERY
def test_the_asynchronous_client_is_told_the_same(sandbox: Sandbox, settings: Settings, dialect: Dialect) -> None:
    """Also while other questions go on with a key that is right."""

    async def main() -> tuple[str, BaseException]:
        made = to(dialect, sandbox) | {"settings": settings}
        async with (
            AsyncClient(**made, api_key="sandbox-alice") as right,
            AsyncClient(**made, api_key=WRONG) as wrong,
        ):
            asked = [one.chat.completions.create(messages="hi", **dialect.question) for one in (right, wrong)]
            good, bad = await asyncio.gather(*asked, return_exceptions=True)
        assert not isinstance(good, BaseException)
        assert isinstance(bad, AuthExpired)
        return good.text, bad

    text, error = asyncio.run(main())
    assert (text, str(error).splitlines()[0]) == ("You asked: “hi” (1 word).", dialect.refusal)


@EVERY
def test_a_key_that_ends_while_it_answers_keeps_what_came(
    sandbox: Sandbox, settings: Settings, dialect: Dialect
) -> None:
    """The words before it, and the class that says what to do, where the service gives a code."""
    sandbox.script(dialect.service, chunks=[f"{number} " for number in range(20)])
    sandbox.fault(dialect.service, "expired_mid_stream", after=14, method="POST")
    heard: list[str] = []
    with (
        Client(**to(dialect, sandbox), api_key="sandbox-alice", settings=settings) as client,
        client.chat.completions.create(messages="hi", stream=True, **dialect.question) as stream,
        pytest.raises(PolychatError, match=r"The access token has expired") as told,
    ):
        heard.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    error: Any = told.value
    assert error.code == ("unavailable" if dialect.name == "raycast" else "auth_expired")  # it has no codes
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    assert error.partial.text.startswith("0 1 ")
    assert error.partial.text == "".join(heard)


# ---------------------------------------------------------------- a key that is none


@EVERY
@pytest.mark.parametrize("face", [Client, AsyncClient])
@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_told_when_the_client_is_made(
    sandbox: Sandbox, settings: Settings, dialect: Dialect, face: Any, key: str
) -> None:
    """With the field, and nothing is sent."""
    with pytest.raises(BadOption) as told:
        face(**to(dialect, sandbox), api_key=key, settings=settings)
    assert (told.value.message, told.value.field) == (f"the {dialect.label} key is empty", "api_key")
    assert (told.value.hint or "").startswith("get one at http")
    assert paths(sandbox) == []


@EVERY
@pytest.mark.parametrize("key", ["sandbox-line\n", "sandbox-\r\nx-injected: 1"])
def test_a_key_that_no_header_can_carry_is_not_sent(
    sandbox: Sandbox, settings: Settings, dialect: Dialect, key: str
) -> None:
    """Nor shown; the hint says how a key looks."""
    with pytest.raises(BadOption) as told:
        Client(**to(dialect, sandbox), api_key=key, settings=settings).chat.completions.create(
            messages="hi", **dialect.question
        )
    assert told.value.message == f"the {dialect.label} key has a line end or is not plain ASCII"
    assert (told.value.field, told.value.hint) == ("api_key", "give one line, the key")
    assert "sandbox-" not in str(told.value)
    assert paths(sandbox) == []


def test_a_key_without_a_service_belongs_nowhere(settings: Settings, sandbox: Sandbox) -> None:
    """It is not sent to whichever comes first."""
    with pytest.raises(BadOption, match="api_key and cookies need provider=") as told:
        Client(api_key="sandbox-alice", settings=settings)
    assert (told.value.field, paths(sandbox)) == ("provider", [])


# ---------------------------------------------------------------- an address that is none


NO_URL = "base_url is not a URL that begins with https:// or http://"
LIKE_THIS = "write it like https://api.example.com/v1"
HTTPS = "use https://; plain http is for this machine only"
SEEN = "where everyone on the way could read the key"


@pytest.mark.parametrize("face", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("url", "sentence", "hint"),
    [
        ("", NO_URL, LIKE_THIS),
        ("api.example.com/v1", NO_URL, LIKE_THIS),
        ("localhost:8000/v1", NO_URL, LIKE_THIS),
        ("//api.example.com/v1", NO_URL, LIKE_THIS),
        ("ftp://api.example.com/v1", NO_URL, LIKE_THIS),
        ("https://", NO_URL, LIKE_THIS),
        ("https://api.example.com:port/v1", NO_URL, LIKE_THIS),
        ("http://[::1/v1", NO_URL, LIKE_THIS),
        *(
            (f"http://{host}/v1", f"base_url is plain http to {host}, {SEEN}", HTTPS)
            for host in ("api.example.com", "10.0.0.5", "192.168.1.9", "localhost.example.com", "127.0.0.1.example.com")
        ),
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_shows_the_key_is_refused(face: Any, url: str, sentence: str, hint: str) -> None:
    """When the client is made, in one sentence with the field and the way to mend it."""
    with pytest.raises(BadOption) as told:
        face(base_url=url, api_key="sandbox-alice")
    assert (told.value.message, told.value.field, told.value.hint) == (sentence, "base_url", hint)


# ---------------------------------------------------------------- the program


class Program:
    """`polychat` at home in an empty folder, with nothing else of this machine's environment."""

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        self.home = home
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "POLYCHAT_HOME": str(home)}
        self.sandboxed = {"POLYCHAT_SANDBOX": sandbox.url}

    def __call__(self, *args: str, stdin: bytes = b"", **env: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr; services are the sandbox's unless `env` says other things."""
        done = subprocess.run(
            [sys.executable, "-m", "polychat.cli", *args], input=stdin, env=self.env | (env or self.sandboxed),
            capture_output=True, timeout=30, cwd=self.home,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def keep(self, name: str, key: str, *, called: str | None = None) -> None:
        """An account of that service with that key, as a sign-in would leave it."""
        settings = load(environ={"POLYCHAT_HOME": str(self.home), **self.sandboxed})
        info = provider(name).info
        account = accounts.account(info, called, accounts.key_credential(info, Secret(key)))
        assert isinstance(account.credential, ApiKey) == (info.sign_in.key_kind == "api_key")
        accounts.file_vault(settings, {}).put(account)

    def configure(self, table: str) -> None:
        """Write the config."""
        (self.home / "config").mkdir()
        (self.home / "config" / "config.toml").write_text(table, encoding="utf-8")


@pytest.fixture
def polychat(tmp_path: Path, sandbox: Sandbox) -> Program:
    """The program."""
    return Program(tmp_path, sandbox)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "custom"])
def test_the_program_names_a_wrong_key(polychat: Program, name: str) -> None:
    """One sentence and the hint on stderr, nothing on stdout, and the exit code for a sign-in."""
    dialect = DIALECTS[name]
    polychat.keep(dialect.name, WRONG)
    options = ["-m", f"{dialect.name}/{dialect.question['model']}"] if dialect.question else ["-m", dialect.name]
    if name == "responses":
        options += ["-o", "api=responses"]
    told = polychat("chat", "hi", "--account", dialect.name, *options)
    hint = dialect.hint or f"sign in again: polychat login {dialect.name}"
    assert told == (4, "", f"error: {dialect.refusal}\nhint: {hint}\n")


def test_the_program_names_a_wrong_key_of_a_service_of_the_config(polychat: Program, sandbox: Sandbox) -> None:
    """Which comes from a variable."""
    polychat.configure(f'[services.team]\nbase_url = "{sandbox.url}/openai/v1"\nmodels = ["gpt-4o"]\nkeys = ["K"]\n')
    told = polychat("chat", "hi", "-m", "team", K=WRONG)
    hint = "put a key that works into K"
    assert told == (4, "", f"error: account env:K: team {SAYS_OPENAI}\nhint: {hint}\n")


def test_the_program_names_the_account_with_a_wrong_key(polychat: Program) -> None:
    """And how that one is renewed, where it has a name of its own."""
    polychat.keep("openai", WRONG, called="work")
    told = polychat("chat", "hi", "-m", "openai/gpt-4o", "--account", "work")
    hint = "sign in again: polychat login openai --name work"
    assert told == (4, "", f"error: account work: openai {SAYS_OPENAI}\nhint: {hint}\n")


def test_the_program_refuses_a_key_of_several_lines_in_the_environment(polychat: Program, sandbox: Sandbox) -> None:
    """It names the variable, shows nothing of it, and sends nothing."""
    polychat.configure(f'[services.team]\nbase_url = "{sandbox.url}/openai/v1"\nmodels = ["gpt-4o"]\nkeys = ["K"]\n')
    sentence = "the key in K has a line end or is not plain ASCII"
    assert polychat("chat", "hi", "-m", "team", K="sandbox-alice\nx: 1") == (
        3, "", f"error: {sentence}\nhint: put one line into K, the key\n"
    )  # fmt: skip
    assert paths(sandbox) == []


@pytest.mark.parametrize("key", [b"", b" \n"])
def test_an_empty_key_is_not_kept(polychat: Program, sandbox: Sandbox, key: bytes) -> None:
    """It is wrong usage, and nobody is asked."""
    code, stdout, stderr = polychat("login", "anthropic", "--key", "-", stdin=key)
    assert (code, stdout, stderr.splitlines()[0]) == (2, "", "error: the Anthropic key is empty")
    assert paths(sandbox) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("team.example/v1", NO_URL), ("http://team.example/v1", f"base_url is plain http to team.example, {SEEN}")],
)
def test_an_address_of_the_config_is_named_with_its_place(polychat: Program, url: str, sentence: str) -> None:
    """The file and the setting, and how to write it."""
    polychat.configure(f'[services.team]\nbase_url = "{url}"\nkeys = ["K"]\n')
    code, stdout, stderr = polychat("chat", "hi", "-m", "team/x", K="sandbox-alice")
    place = polychat.home / "config" / "config.toml"
    assert (code, stdout, stderr.splitlines()[0]) == (3, "", f"error: {place}: services.team.{sentence}")
    assert stderr.splitlines()[1].startswith("hint: ")
