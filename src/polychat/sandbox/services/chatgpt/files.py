"""Files: announced, put into a foreign object store, confirmed; read again through links that expire.

    POST files                                    name, size, use -> file_id, upload_url at the foreign origin
    PUT  <foreign>/blob/{id}                      raw bytes; refused if any credential comes along
    POST files/{id}/uploaded                      done
    GET  files/{id}/download                      `file-service://` -> a signed link
    GET  conversation/{cid}/attachment/{id}/download    `sediment://` of that conversation -> a signed link
    GET  files/download/{id}                      both, newer
    GET  <foreign>/content/{id}                   the bytes; refused if a credential comes along
    GET  estuary/content                          the bytes, on the own origin, for a session or bearer of the owner

A link is good until its `se`; its `sig` covers that moment.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlencode

from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.chatgpt import bodies, refusals
from polychat.sandbox.services.chatgpt.identity import ChatCall, session, signed_in
from polychat.sandbox.services.chatgpt.state import Upload

_GENERATED = "file_"  # pictures of the newer kind
_CREDENTIALS = ("authorization", "cookie")


async def announce(call: ChatCall) -> Response:
    """A place for a file that will come."""
    owner = signed_in(call)
    asked = bodies.read(call.body, bodies.NewFile)
    if asked.file_size > call.knobs.upload_limit_bytes:
        raise refusals.coded(413, "file_too_large", "The file is too large.")
    upload = Upload(
        id=f"file-{call.world.ids.hex(24)}", owner=owner, name=asked.file_name, size_bytes=asked.file_size,
        use_case=asked.use_case, signature=call.world.ids.hex(32),
    )  # fmt: skip
    call.state.uploads[upload.id] = upload
    url = f"{call.foreign_url}/blob/{upload.id}?{_signed(call, upload)}"
    return json({"status": "success", "upload_url": url, "file_id": upload.id})


async def put_blob(call: ChatCall) -> Response:
    """The object store: it knows nobody, and wants no credential but the signature."""
    upload = _linked(call)
    if call.headers.get("x-ms-blob-type") != "BlockBlob":
        raise _denied(400, "MissingRequiredHeader", "x-ms-blob-type: BlockBlob is required")
    if len(call.body) != upload.size_bytes:
        raise _denied(400, "InvalidHeaderValue", f"{upload.size_bytes} bytes were announced, {len(call.body)} came")
    upload.data = call.body
    upload.media_type = call.headers.get("content-type", upload.media_type)
    return Response(status_code=201, headers={"etag": f'"{hashlib.sha256(call.body).hexdigest()[:16]}"'})


async def confirm(call: ChatCall) -> Response:
    """The bytes are there."""
    upload = _owned(call, signed_in(call), call.path["id"])
    if upload.data is None:
        raise refusals.coded(400, "file_not_uploaded", "The file has not been uploaded")
    upload.complete = True
    return _told(call, upload)


async def download(call: ChatCall) -> Response:
    """Resolve `file-service://`."""
    upload = _owned(call, signed_in(call), call.path["id"])
    if upload.id.startswith(_GENERATED):
        raise _not_found()
    return _told(call, upload)


async def attachment(call: ChatCall) -> Response:
    """Resolve `sediment://`."""
    upload = _owned(call, signed_in(call), call.path["id"])
    if upload.conversation_id not in (None, call.path["conversation"]):
        raise _not_found()
    return _told(call, upload)


async def newer_download(call: ChatCall) -> Response:
    """Resolve either."""
    upload = _owned(call, signed_in(call), call.path["id"])
    if upload.conversation_id not in (None, call.query.get("conversation_id")):
        raise _not_found()
    return _told(call, upload)


async def content(call: ChatCall) -> Response:
    """The bytes behind a signed link."""
    upload = _linked(call)
    if not upload.complete:
        raise _denied(404, "BlobNotFound", "The blob does not exist")
    return Response(upload.data, media_type=upload.media_type)


async def estuary(call: ChatCall) -> Response:
    """The bytes, for their owner alone."""
    grant = session(call)
    owner = grant.owner if grant is not None and call.bearer is None else signed_in(call)
    upload = _owned(call, owner, call.query.get("id", ""))
    if not _is_signed(call, upload):
        raise refusals.plain(403, "The link is not valid or has expired.")
    return Response(upload.data, media_type=upload.media_type)


def _told(call: ChatCall, upload: Upload) -> Response:
    if not upload.complete:
        raise _not_found()
    links = call.knobs.links
    if links == "estuary" or (links == "auto" and upload.id.startswith(_GENERATED)):
        url = f"{call.base_url}/backend-api/estuary/content?{urlencode({'id': upload.id})}&{_signed(call, upload)}"
    else:
        url = f"{call.foreign_url}/content/{upload.id}?{_signed(call, upload)}"
    return json({"status": "success", "download_url": url, "metadata": None, "file_name": upload.name})


def _owned(call: ChatCall, owner: str, file_id: str) -> Upload:
    upload = call.state.uploads.get(file_id)
    if upload is None or upload.owner != owner:
        raise _not_found()
    return upload


def _linked(call: ChatCall) -> Upload:
    """The upload of a foreign link. Raises: Refusal, also when the link's own signature is not the only credential."""
    if present := [name for name in _CREDENTIALS if name in call.headers]:
        raise _denied(400, "InvalidAuthenticationInfo", f"no {' and no '.join(present)} belongs here")
    upload = call.state.uploads.get(call.path["id"])
    if upload is None or not _is_signed(call, upload):
        raise _denied(403, "AuthenticationFailed", "The signature is not valid or has expired")
    return upload


def _signed(call: ChatCall, upload: Upload) -> str:
    expires = str(int(call.now + call.knobs.link_ttl_s))
    return urlencode({"se": expires, "sp": "r", "sig": _signature(upload, expires)})


def _is_signed(call: ChatCall, upload: Upload) -> bool:
    expires = call.query.get("se", "")
    in_time = re.fullmatch(r"\d{1,12}", expires) is not None and int(expires) > call.now
    return in_time and call.query.get("sig") == _signature(upload, expires)


def _signature(upload: Upload, expires: str) -> str:
    return hashlib.sha256(f"{upload.signature}:{expires}".encode()).hexdigest()[:40]


def _denied(status: int, code: str, message: str) -> refusals.Refusal:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return refusals.Refusal(Response(body, status, media_type="application/xml"))


def _not_found() -> refusals.Refusal:
    return refusals.coded(404, "file_not_found", "File not found")
