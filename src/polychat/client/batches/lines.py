"""The questions of a batch: OpenAI's file of lines, checked whole before anything is sent.

    {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": ..., "messages": [...]}}

The file is read twice: once to check every line, later line by line as they are asked. In between an index on the disk
knows where each line is and whether it is still to do, so that memory does not grow with the file.

Wire facts: OpenAI's Batch API reference, "The request input object", and `openai.types.batch_create_params`, 2026-11.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from polychat.errors import BadOption, ConfigError

STDIN = "-"
LONGEST_BYTES = 256 * 1024 * 1024  # of a line: an hour of sound as base64 is less
CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
_CONTENT = {CHAT: "messages", EMBEDDINGS: "input"}  # url -> the field of its body that holds the question
_BOM = b"\xef\xbb\xbf"
_A_LINE = (
    '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": ..., "messages": [...]}}'
)
_PAGE = 500  # rows read from the index at once
_CACHE_KIB = 16_384


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    custom_id: str
    url: str
    body: dict[str, Any]


class Row(NamedTuple):
    """Where a question stands, and how it went until now."""

    number: int  # of the line, from 1
    id: str
    at: int  # bytes from the file's begin
    size: int
    tries: int  # how often it was asked in vain


class Lines:
    """The file at `path`; - is stdin, which is copied to the disk first, as is whatever can be read once only.

    Raises: `BadOption` naming the first wrong line, its field and what to mend; `ConfigError` for an unreadable file.
    """

    def __init__(self, path: Path | str, stdin: BinaryIO | None = None) -> None:
        self.name = "stdin" if str(path) == STDIN else str(path)
        self.streams = 0  # lines that ask for a stream
        self._file = _opened(path, stdin)
        self.index = Index()
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def read(self, row: Row) -> Line:
        """The question itself. Raises: `ConfigError` where it is no longer there."""
        self._file.seek(row.at)
        with suppress(msgspec.MsgspecError):
            line = msgspec.json.decode(self._file.read(row.size), type=Line)
            if line.custom_id == row.id:
                return line
        raise ConfigError(
            f"{self.name} was changed while it was being asked: line {row.number} is another one now",
            hint="start again with --resume; what is answered is kept",
        )

    def close(self) -> None:
        """Let go of the file and of the index."""
        self._file.close()
        self.index.close()

    def _check(self) -> None:
        at = 0
        for number, data in enumerate(iter(lambda: self._file.readline(LONGEST_BYTES), b""), 1):
            if len(data) == LONGEST_BYTES:
                raise _bad(f"{self.name}:{number}", None, f"is longer than {LONGEST_BYTES // 1_000_000} MB")
            skipped = len(_BOM) if at == 0 and data.startswith(_BOM) else 0
            if data[skipped:].strip():
                self._keep(number, at + skipped, data[skipped:])
            at += len(data)

    def _keep(self, number: int, at: int, data: bytes) -> None:
        where = f"{self.name}:{number}"
        line = checked(data, where)
        self.streams += bool(line.body.get("stream"))
        if (first := self.index.add(number, line.custom_id, at, len(data))) is not None:
            raise _bad(
                where,
                "custom_id",
                f"is {line.custom_id!r}, which line {first} has too",
                hint="give each line a custom_id of its own: answers are told apart by it",
            )


def _opened(path: Path | str, stdin: BinaryIO | None) -> BinaryIO:
    if str(path) == STDIN and stdin is not None:
        return _copied(stdin)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed by `Lines.close`
        if file.seekable():
            return file
        with file:
            return _copied(file)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def _copied(stream: BinaryIO) -> BinaryIO:
    """What comes from `stream`, on the disk, in a file that is gone when it is closed."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `Lines.close`
    shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


# ---------------------------------------------------------------- what a line has to be


class _Given(msgspec.Struct, kw_only=True):
    """A line as it is written; everything may be wrong with it."""

    custom_id: Any = None
    method: Any = None
    url: Any = None
    body: Any = None


def checked(data: bytes, where: str) -> Line:
    """The question in `data`; `where` is FILE:LINE. Raises: `BadOption`."""
    try:
        given = msgspec.json.decode(data, type=_Given)
    except msgspec.ValidationError as error:
        raise _bad(where, None, "is not a JSON object", hint=f"write each line like {_A_LINE}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(where, None, f"is not JSON: {_why(error)}", hint=f"write each line like {_A_LINE}") from error
    if not isinstance(given.custom_id, str) or not given.custom_id:
        hint = 'name each line, in a text of its own: "custom_id": "1"'
        raise _wrong(where, "custom_id", given.custom_id, "a text that names the line", hint)
    if given.method != "POST":
        raise _wrong(where, "method", given.method, "POST", 'write "method": "POST"')
    if not isinstance(given.url, str) or given.url not in _CONTENT:
        raise _wrong(where, "url", given.url, "one that can be asked", f"there are {' and '.join(_CONTENT)}")
    if not isinstance(given.body, dict):
        raise _wrong(where, "body", given.body, "a JSON object", f'write "body": {{"model": ..., {_asked(given.url)}}}')
    if not given.body.get(_CONTENT[given.url]):
        raise _bad(where, f"body.{_CONTENT[given.url]}", "is missing or empty", hint=f"write {_asked(given.url)}")
    return Line(custom_id=given.custom_id, url=given.url, body=given.body)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    is_text = isinstance(error, msgspec.DecodeError)
    return str(error).removeprefix("JSON is malformed: ") if is_text else "it is not text in UTF-8"


def _asked(url: str) -> str:
    return '"messages": [{"role": "user", "content": "..."}]' if url == CHAT else '"input": ["..."]'


def _wrong(where: str, field: str, given: object, wanted: str, hint: str) -> BadOption:
    if given is None:
        return _bad(where, field, "is missing", hint=hint)
    shown = repr(given) if isinstance(given, str) and len(given) < 80 else f"a {type(given).__name__}"
    return _bad(where, field, f"is {'empty' if given == '' else shown}, not {wanted}", hint=hint)


def _bad(where: str, field: str | None, what: str, *, hint: str | None = None) -> BadOption:
    return BadOption(f"{where}: {field or 'the line'} {what}", field=field, hint=hint)


# ---------------------------------------------------------------- the index


class Index:
    """Where each line is, and in which round it is to be asked; in a nameless file of the system's temporary folder."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)  # gone when it is closed, also by a kill
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("PRAGMA synchronous = OFF")
        self._rows.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._rows.execute(
            "CREATE TABLE line (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, at INTEGER, size INTEGER, "
            "tries INTEGER DEFAULT 0, round INTEGER DEFAULT 0)"
        )
        self._rows.execute("BEGIN")

    def close(self) -> None:
        """Forget everything."""
        self._rows.close()

    def add(self, number: int, custom_id: str, at: int, size: int) -> int | None:
        """One more line; the number of the one that has its name already, and then nothing is added."""
        try:
            self._rows.execute(
                "INSERT INTO line (number, id, at, size) VALUES (?, ?, ?, ?)", (number, custom_id, at, size)
            )
        except sqlite3.IntegrityError:
            return self._one("SELECT number FROM line WHERE id = ?", custom_id)
        return None

    def finished(self, custom_id: str) -> bool:
        """That line is answered; False where there is none of that name."""
        done = self._rows.execute("UPDATE line SET round = NULL WHERE id = ?", (custom_id,))
        return done.rowcount > 0

    def again(self, row: Row, turn: int) -> None:
        """That line is asked once more in round `turn`."""
        self._rows.execute("UPDATE line SET round = ?, tries = ? WHERE number = ?", (turn, row.tries, row.number))

    def limit(self, count: int) -> None:
        """Only the first `count` lines that are still to do are done."""
        self._rows.execute(
            "DELETE FROM line WHERE number > "
            "(SELECT number FROM line WHERE round = 0 ORDER BY number LIMIT 1 OFFSET ?) AND round = 0",
            (count - 1,),
        )

    def __len__(self) -> int:
        """How many lines there are."""
        return self._one("SELECT count(*) FROM line")

    def to_do(self, turn: int = 0) -> int:
        """How many of them are to be asked in round `turn`."""
        return self._one("SELECT count(*) FROM line WHERE round = ?", turn)

    def rows(self, turn: int) -> Iterator[Row]:
        """Those lines, in order; lines may be put into later rounds meanwhile."""
        number = 0
        query = "SELECT number, id, at, size, tries FROM line WHERE round = ? AND number > ? ORDER BY number LIMIT ?"
        while page := [Row(*row) for row in self._rows.execute(query, (turn, number, _PAGE))]:
            yield from page
            number = page[-1].number

    def _one(self, query: str, *values: object) -> int:
        found: int = self._rows.execute(query, values).fetchone()[0]
        return found
