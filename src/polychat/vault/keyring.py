"""A vault's key in the keyring of the operating system (the extra `keyring`).

The entry's service is `polychat`, its user the vault's id. The library takes a tenth of a second to load, so it is
loaded only for a vault whose key is there, and where a new vault may put it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec

from polychat.credentials import Secret
from polychat.errors import ConfigError

SERVICE = "polychat"


def available() -> bool:
    """True where the library is installed and has a keyring to speak to."""
    if find_spec("keyring") is None:
        return False
    import keyring

    return float(keyring.get_keyring().priority) > 0


def text(vault_id: str) -> Secret | None:
    """The key kept for a vault; None when there is none. Raises: `ConfigError` when the keyring does not answer."""
    with _failures_named("read"):
        import keyring

        kept = keyring.get_password(SERVICE, vault_id)
    return Secret(kept) if kept else None


def keep(vault_id: str, key: Secret) -> None:
    """Keep a vault's key. Raises: `ConfigError` when the keyring does not take it."""
    with _failures_named("written"):
        import keyring

        keyring.set_password(SERVICE, vault_id, key.reveal())


def forget(vault_id: str) -> None:
    """Delete a key that opens nothing any more; one that is not there, or stays, does no harm."""
    if not available():
        return
    import keyring
    from keyring.errors import KeyringError

    with suppress(KeyringError):
        keyring.delete_password(SERVICE, vault_id)


@contextmanager
def _failures_named(act: str) -> Iterator[None]:
    try:
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigError(
            "the vault's key is to be in the keyring of this system, and the package for it is not installed",
            hint='pip install "polychat[keyring]"',
        ) from error
    try:
        yield
    except KeyringError as error:
        raise ConfigError(
            f"the keyring of this system cannot be {act}: {str(error) or type(error).__name__}",
            hint="unlock it, or give the key by POLYCHAT_VAULT_KEY_FILE; polychat vault rekey moves it elsewhere",
        ) from error
