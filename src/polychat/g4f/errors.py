"""Every error of `polychat.errors` once more under its own name, and a `ValueError` as well.

The pages catch `ValueError` where there is no account, a credential is not accepted, or no access token can be had.
There, and only there, an error is raised as its twin from here: the same object, sentence and hint, caught by either
name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polychat import errors
from polychat.errors import PolychatError

_TWINS: dict[type[PolychatError], type[PolychatError]] = {
    kind: type(name, (kind, ValueError), {"__module__": __name__, "__doc__": kind.__doc__})
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, PolychatError)
}
globals().update({twin.__name__: twin for twin in _TWINS.values()})  # where a pickle looks for them


@contextmanager
def value_errors(*kinds: type[PolychatError]) -> Iterator[None]:
    """Let errors of these kinds leave the block as `ValueError`s too."""
    try:
        yield
    except kinds as error:
        error.__class__ = _TWINS.get(type(error), type(error))
        raise
