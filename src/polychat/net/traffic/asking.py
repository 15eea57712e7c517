"""The request of an exchange as it is written down: where it went, what it said, and of files what they were.

A body is text where it is JSON or a form; any other is its size and hash, and so is a file inside JSON.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping

import msgspec

from polychat.net.traffic.recorded import Asked, Part
from polychat.net.traffic.redaction import Redactor
from polychat.net.transport import FilePart, HttpRequest, Owner

_FILE_IN_JSON = re.compile(rb'"(data:[\w/+.-]{1,80};base64,)?([A-Za-z0-9+/_-]{1024,}={0,2})"')


def asked(request: HttpRequest, redactor: Redactor) -> Asked:
    """The request as it is written down. Raises: `Leak`."""
    host, path = place(request.url, request.owner)
    body = request.body
    base = Asked(
        method=request.method,
        url=redactor.url(request.url),
        path=redactor.url(path),
        host=host,
        headers=redactor.headers(request.headers),
        parts=tuple(_part(part, redactor) for part in request.parts),
    )
    if body is None:
        return base
    kind = media_type(request.headers)
    if _is_text(kind):
        text = redactor.body(fileless(body), kind).data.decode("utf-8", "replace")
        return msgspec.structs.replace(base, text=text)
    return msgspec.structs.replace(base, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest())


def place(url: str, owner: Owner | None) -> tuple[str | None, str]:
    """The service's name for the host, None for a stranger's, and the path there, without query."""
    bare = url.partition("#")[0].partition("?")[0]
    bases = [] if owner is None else sorted(owner.hosts.items(), key=lambda item: -len(item[1]))
    for alias, base in bases:
        if bare == base or bare.startswith(base.rstrip("/") + "/"):
            return alias, bare[len(base.rstrip("/")) :] or "/"
    return None, "/" + bare.partition("://")[2].partition("/")[2]


def _part(part: FilePart, redactor: Redactor) -> Part:
    """A field's text, under the rules for JSON; of a file what it is."""
    filename = None if part.filename is None else redactor.text(part.filename)
    named = Part(name=redactor.text(part.name), filename=filename, media_type=part.media_type)
    if part.filename is None and part.media_type is None:
        text = redactor.field(part.name, part.data.decode("utf-8", "replace"))
        return msgspec.structs.replace(named, text=text)
    sha256 = hashlib.sha256(part.data).hexdigest()
    return msgspec.structs.replace(named, size_bytes=len(part.data), sha256=sha256)


def media_type(headers: Mapping[str, str]) -> str:
    """What a body is said to be, lower-case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_text(kind: str) -> bool:
    return kind.endswith(("/json", "+json", "/x-ndjson")) or kind == "application/x-www-form-urlencoded"


def fileless(body: bytes) -> bytes:
    """A JSON body with the files in it, long base64, as size and hash."""
    return _FILE_IN_JSON.sub(_hashed, body)


def _hashed(found: re.Match[bytes]) -> bytes:
    coded = found[2].translate(bytes.maketrans(b"+/", b"-_")).rstrip(b"=")
    data = urlsafe_b64decode(coded + b"=" * (-len(coded) % 4)) if len(coded) % 4 != 1 else coded
    return b'"%s<%d bytes, sha256 %s>"' % (found[1] or b"", len(data), hashlib.sha256(data).hexdigest().encode())
