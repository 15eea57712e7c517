"""Where the text of a vault's key is found, in this order:

    a key file          --vault-key-file, POLYCHAT_VAULT_KEY_FILE, vault_key_file in config.toml
    the environment     POLYCHAT_VAULT_KEY, taken out of the process's environment as soon as it is read
    systemd             the credential polychat-vault-key
    Docker              the secret polychat_vault_key
    the system's keyring, a passphrase (asked for, or unlocked for a while), a key file beside the vault

The first four are given on purpose: one of them that is there and is not this vault's key is an error. Of the last
three the vault says which. A key file may hold several lines, the key in force first and former ones below it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from polychat.credentials import Secret
from polychat.errors import BadOption, ConfigError
from polychat.vault import keyring
from polychat.vault.private import Hidden, PrivateFile
from polychat.vault.seal import SCRYPT_N, Key, Keyhole, Source, new_text
from polychat.vault.unlocked import Unlocked

Choice = Secret | Path | Literal["keyring"] | None  # a passphrase, a key file, the keyring, or the next that is there
Ask = Callable[[str], Secret]

VARIABLE = "POLYCHAT_VAULT_KEY"
LOCAL_NAME = "vault.key"
_SYSTEMD_NAME = "polychat-vault-key"
_DOCKER_NAME = "polychat_vault_key"
_MOST_LINES = 16  # more is no key file, and a passphrase costs a moment for each
_PROMPTS = ("vault passphrase", "not this one; vault passphrase", "nor this one; vault passphrase")
_A_KEY = "put a key or a passphrase there, for example the output of: openssl rand -base64 32"
_LOST = "put it back from a copy; without it the accounts cannot be opened: move the vault away and sign in again"

_PLACES: dict[Source, str] = {
    "key_file": "a key file",
    "environment": VARIABLE,
    "systemd": f"the systemd credential {_SYSTEMD_NAME}",
    "docker": f"the Docker secret {_DOCKER_NAME}",
    "keyring": "the keyring of this system",
    "local": f"the key file {LOCAL_NAME} beside it",
}
_WAYS: dict[Source, str] = {
    "key_file": "name it: --vault-key-file FILE, POLYCHAT_VAULT_KEY_FILE, or vault_key_file in config.toml",
    "environment": f"set {VARIABLE}, or name a file with the key by POLYCHAT_VAULT_KEY_FILE",
    "systemd": f"start it in a unit with LoadCredential={_SYSTEMD_NAME}:FILE",
    "docker": f"start it in a container with the secret {_DOCKER_NAME}",
}


def whereabouts(source: Source) -> str:
    """What a vault's key is, or where: "a passphrase", "in the keyring of this system"."""
    return "a passphrase" if source == "passphrase" else f"in {_PLACES[source]}"


class Given(NamedTuple):
    """A source that is there on purpose."""

    source: Source
    place: str  # as messages name it
    texts: tuple[Secret, ...]  # the one in force, then former ones

    def key(self, keyhole: Keyhole) -> Key | None:
        """The vault's key, if it is among them."""
        return next(filter(None, map(keyhole.key, self.texts)), None)


class Keys:
    """Finds the key of a vault, and makes that of a new one.

    file: the key file that is set. environ: where POLYCHAT_VAULT_KEY and systemd's folder are looked for.
    secrets: Docker's folder of secrets. runtime: where unlocked vaults are remembered. uses_keyring: whether a new
    vault may put its key there unasked. ask: asks a person for a passphrase. notice: is told what a person should know.
    """

    def __init__(
        self,
        *,
        file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        secrets: Path | None = None,
        runtime: Path | None = None,
        uses_keyring: bool = False,
        ask: Ask | None = None,
        notice: Callable[[str], None] = lambda text: None,
        scrypt_n: int = SCRYPT_N,
        now: Callable[[], float] = time.time,
    ) -> None:
        environ = {} if environ is None else environ
        self.scrypt_n = scrypt_n
        self.unlocked = Unlocked(runtime, now)
        self.notice = notice
        self._file = file
        self._variable = _variable(environ)
        self._credentials = environ.get("CREDENTIALS_DIRECTORY")
        self._secrets = secrets
        self._uses_keyring = uses_keyring
        self._ask = ask

    # ------------------------------------------------------------ of a vault that is there

    def find(self, keyhole: Keyhole, vault: PrivateFile, *, asking: bool = True, strict: bool = True) -> Key:
        """The vault's key. Not `asking`, nobody is asked; not `strict`, a given key of another vault is passed over.

        Raises: `ConfigError` saying which source is missing, wrong or locked.
        """
        for given in self._given():
            if key := given.key(keyhole):
                return key
            if strict or given.source == keyhole.source:
                raise _misfit(given, keyhole, vault)
        match keyhole.source:
            case "keyring":
                return self._of_keyring(keyhole, vault)
            case "passphrase":
                return self._of_person(keyhole, vault, asking=asking)
            case "local":
                return self._local(keyhole, vault)
        raise ConfigError(
            f"the key of {vault} is {whereabouts(keyhole.source)}, and that is not there",
            hint=_WAYS[keyhole.source],
        )

    def _of_keyring(self, keyhole: Keyhole, vault: PrivateFile) -> Key:
        text = keyring.text(keyhole.id)
        if text is None:
            raise ConfigError(f"the keyring of this system has no key for {vault}", hint=_LOST)
        return _fitting(keyhole.key(text), f"what the keyring of this system has for {vault} is not its key")

    def _of_person(self, keyhole: Keyhole, vault: PrivateFile, *, asking: bool) -> Key:
        if kept := self.unlocked.find(keyhole):
            return kept.key
        if self._ask is None or not asking:
            raise ConfigError(
                f"{vault} is locked",
                hint="polychat vault unlock; on a server, POLYCHAT_VAULT_KEY_FILE names a file with the passphrase",
            )
        for prompt in _PROMPTS:
            if key := keyhole.key(self._ask(prompt)):
                return key
        raise ConfigError(f"this is not the passphrase of {vault}", hint="try again")

    def _local(self, keyhole: Keyhole, vault: PrivateFile) -> Key:
        file = _local_file(vault)
        data = file.read()
        if data is None:
            raise ConfigError(f"{file} is missing, and {vault} was sealed with it", hint=_LOST)
        given = Given("local", str(file), _lines(Hidden(data), str(file), limited=False))
        return _fitting(given.key(keyhole), f"{file} does not hold the key of {vault}")

    # ------------------------------------------------------------ of a new one

    def make(self, choice: Choice, vault: PrivateFile, vault_id: str, *, renew: bool = False) -> tuple[Source, Secret]:
        """Where the key of a new vault is to live, and its text, which is there already when this returns.

        `renew` makes another key where the next source in the order would have the vault's present one.
        """
        match choice:
            case Secret():
                if not choice:
                    raise BadOption("the passphrase is empty", field="passphrase")
                return "passphrase", choice
            case Path():
                return "key_file", self._in_file(choice)
            case "keyring":
                return "keyring", _in_keyring(vault_id)
        if given := next(self._given(), None):
            return given.source, given.texts[0]
        if self._uses_keyring and keyring.available():
            return "keyring", _in_keyring(vault_id)
        return "local", self._beside(vault, renew=renew)

    def _in_file(self, path: Path) -> Secret:
        file = PrivateFile(path, "key file")
        if file.create(Hidden(new_text().reveal().encode() + b"\n")):
            self.notice(f"made {file}; with it and a copy of the vault anyone can open the vault, so keep them apart")
        return _lines(Hidden(file.read() or b""), str(file))[0]

    def _beside(self, vault: PrivateFile, *, renew: bool) -> Secret:
        file, line = _local_file(vault), Hidden(new_text().reveal().encode() + b"\n")
        if file.create(line):
            self.notice(
                f"the accounts are encrypted with a key in {file.path}: a copy of the vault without it stays closed, "
                "but whoever can read all of your files can open it; "
                "polychat vault rekey --passphrase protects from that too"
            )
        elif renew:
            with file.locked():
                file.replace(line + (file.read() or b""))
        return _lines(Hidden(file.read() or b""), str(file), limited=False)[0]

    # ------------------------------------------------------------ what is given on purpose

    def _given(self) -> Iterator[Given]:
        if self._file is not None:
            file = PrivateFile(self._file, "key file")
            data = file.read()
            if data is None:
                raise ConfigError(
                    f"{file} does not exist", hint="polychat vault init and rekey make one: --key-file FILE"
                )
            yield Given("key_file", str(file), _lines(Hidden(data), str(file)))
        if self._variable is not None:
            yield Given("environment", VARIABLE, _nonempty([self._variable], VARIABLE))
        if self._credentials:
            yield from _mounted("systemd", Path(self._credentials) / _SYSTEMD_NAME)
        if self._secrets:
            yield from _mounted("docker", self._secrets / _DOCKER_NAME)


def _mounted(source: Source, path: Path) -> Iterator[Given]:
    """What systemd or Docker put there for this process; its modes are theirs."""
    place = f"{_PLACES[source]} ({path})"
    try:
        data = Hidden(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ConfigError(f"{place} cannot be read: {error.strerror}", hint="let this user read it") from error
    yield Given(source, place, _lines(data, place))


def _local_file(vault: PrivateFile) -> PrivateFile:
    return PrivateFile(vault.path.with_name(LOCAL_NAME), "key file")


def _in_keyring(vault_id: str) -> Secret:
    text = new_text()
    keyring.keep(vault_id, text)
    return text


def _lines(data: Hidden, place: str, *, limited: bool = True) -> tuple[Secret, ...]:
    """The keys in a file. Raises: `ConfigError` for one that holds none, or too many where that is `limited`."""
    try:
        lines = [Secret(line.strip()) for line in data.decode().removeprefix("\ufeff").split("\n")]
    except UnicodeDecodeError:
        lines = []
    if not lines or (limited and len(lines) > _MOST_LINES):
        raise ConfigError(f"{place} holds no key: a key is a line of text", hint=_A_KEY)
    return _nonempty(lines, place)


def _nonempty(texts: list[Secret], place: str) -> tuple[Secret, ...]:
    if keys := tuple(filter(None, texts)):
        return keys
    raise ConfigError(f"{place} is empty", hint=_A_KEY)


def _fitting(key: Key | None, otherwise: str) -> Key:
    if key is None:
        raise ConfigError(otherwise, hint=_LOST)
    return key


def _misfit(given: Given, keyhole: Keyhole, vault: PrivateFile) -> ConfigError:
    if given.source == keyhole.source:
        return ConfigError(f"{given.place} does not hold the key of {vault}", hint="give the one that it was made with")
    return ConfigError(
        f"{given.place} does not hold the key of {vault}, which is {whereabouts(keyhole.source)}",
        hint="take it away, or move the vault to it: polychat vault rekey",
    )


def _variable(environ: Mapping[str, str]) -> Secret | None:
    """What POLYCHAT_VAULT_KEY holds; it is taken out of the process's own environment, so no child has it."""
    if environ is not os.environ:
        return _stripped(environ)
    taken = _taken(VARIABLE)
    if (text := _stripped(environ)) is not None:
        taken[:] = [text]
        _wipe(VARIABLE)
        os.environ.pop(VARIABLE, None)
    return taken[0] if taken else None


def _wipe(variable: str) -> None:
    """Overwrite the variable's own bytes: where a process was started with it, others see them as long as it runs."""
    if sys.platform == "win32":
        return
    import ctypes

    place = ctypes.CDLL(None).getenv
    place.restype = ctypes.c_void_p
    if address := place(variable.encode()):
        ctypes.memset(address, 0, len(os.environb[variable.encode()]))


def _stripped(environ: Mapping[str, str]) -> Secret | None:
    return Secret(environ[VARIABLE].strip()) if VARIABLE in environ else None


@cache
def _taken(variable: str) -> list[Secret]:
    """What was taken out of the process's environment.

    The environment is the process's, not an engine's: the second engine must find what the first one took, so this is
    the one thing that outlives both. It is kept by the variable's name, and a variable that is set anew counts anew.
    """
    return []
