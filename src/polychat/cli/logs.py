"""What the loggers say, on stderr, for whoever asks for it: POLYCHAT_LOG=DEBUG (or INFO, WARNING).

A line is the moment, the level, the logger, the event, and the event's own fields.
"""

from __future__ import annotations

import logging

from polychat.errors import ConfigError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_USUAL = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime", "taskName"}


class _Fields(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={value!r}" for name, value in vars(record).items() if name not in _USUAL]
        return " ".join([super().format(record), *fields])


def begin(level: str) -> None:
    """Let the loggers be heard from `level` on. Raises: `ConfigError` for a level there is not."""
    if level not in LEVELS:
        raise ConfigError("POLYCHAT_LOG is not a level of logging", hint=f"the levels are {', '.join(LEVELS)}")
    heard = logging.StreamHandler()
    heard.setFormatter(_Fields("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[heard], force=True)
