"""Files go in and out whole, and credentials go nowhere they do not belong."""

from __future__ import annotations

import hashlib
import http.client
import io
from urllib.parse import urlsplit

import pytest
from PIL import Image

BLOB = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2020-04-08", "content-type": "image/png"}


def picture() -> bytes:
    """A small orange PNG."""
    file = io.BytesIO()
    Image.new("RGB", (32, 20), (245, 135, 30)).save(file, "PNG")
    return file.getvalue()


def fetch(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None):
    """One request to wherever a link leads: status and body."""
    link = urlsplit(url)
    connection = http.client.HTTPConnection(link.netloc, timeout=10)
    connection.request(method, f"{link.path}?{link.query}", body, headers or {})
    with connection.getresponse() as answer:
        said = answer.read()
    connection.close()
    return answer.status, said


def announce(web, data: bytes, **changes) -> dict:
    """A place for `data`."""
    return web.ask(
        "POST", "/files", {"file_name": "x.png", "file_size": len(data), "use_case": "multimodal"} | changes
    ).json


def upload(web, data: bytes) -> str:
    """All three steps; the id."""
    place = announce(web, data)
    assert fetch("PUT", place["upload_url"], data, BLOB)[0] == 201
    assert web.ask("POST", f"/files/{place['file_id']}/uploaded", {}).json["status"] == "success"
    return place["file_id"]


def test_a_picture_goes_up_and_is_seen(web):
    """Announced, put, confirmed, pointed at: the answer describes its bytes."""
    data = picture()
    file_id = upload(web, data)
    part = {"asset_pointer": f"file-service://{file_id}", "width": 32, "height": 20, "size_bytes": len(data)}
    told = web.turn(part, "What is it?")
    assert "I see a PNG picture, 32 × 20 pixels, mostly orange" in told.text
    assert hashlib.sha256(data).hexdigest() in told.text
    assert web.send(web.body(part | {"size_bytes": 5}, "What?")).status == 422


def test_a_document_goes_along_as_an_attachment(web):
    """No pointer, only metadata."""
    file_id = upload(web, b"%PDF-1.7 and so on")
    body = web.body("Read it")
    body["messages"][0]["metadata"] = {"attachments": [{"id": file_id, "name": "x.pdf", "size": 18, "mimeType": "a/b"}]}
    assert "I see a PDF document (18 bytes" in web.turn(**body).text


def test_the_object_store_is_another_origin(web, sandbox):
    """Not that of the service, and of the same services nonetheless."""
    url = announce(web, b"x")["upload_url"]
    assert url.startswith(f"{sandbox.foreign_url}/chatgpt/blob/file-")
    assert urlsplit(url).netloc != urlsplit(sandbox.url).netloc


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer sandbox-alice"}, {"cookie": "session-token=sandbox-alice"}],
)
def test_the_object_store_refuses_credentials(web, headers):
    """400, and the file is not there."""
    place = announce(web, b"x")
    status, said = fetch("PUT", place["upload_url"], b"x", BLOB | headers)
    assert (status, b"InvalidAuthenticationInfo" in said) == (400, True)
    assert web.ask("POST", f"/files/{place['file_id']}/uploaded", {}).json["detail"]["code"] == "file_not_uploaded"


def test_the_object_store_is_particular(web, sandbox):
    """The header of its kind, the announced size, a signature, in time."""
    place = announce(web, b"xyz")
    url = place["upload_url"]
    assert fetch("PUT", url, b"xyz", {})[0] == 400
    assert fetch("PUT", url, b"xy", BLOB)[0] == 400
    assert fetch("PUT", url[:-1] + ("0" if url[-1] != "0" else "1"), b"xyz", BLOB)[0] == 403
    assert fetch("PUT", url.replace("se=1", "se=2"), b"xyz", BLOB)[0] == 403
    sandbox.clock(advance_s=301)
    assert fetch("PUT", url, b"xyz", BLOB)[0] == 403


def test_an_upload_may_be_refused_at_once(web, sandbox):
    """Too large: 413; without a size or of no known use: 422."""
    sandbox.knobs("chatgpt", upload_limit_bytes=10)
    asked = {"file_name": "x", "file_size": 11, "use_case": "multimodal"}
    assert web.ask("POST", "/files", asked).status == 413
    assert web.ask("POST", "/files", asked | {"file_size": 0}).json["detail"][0]["loc"] == ["body", "file_size"]
    assert web.ask("POST", "/files", asked | {"use_case": "fun"}).json["detail"][0]["loc"] == ["body", "use_case"]


@pytest.mark.parametrize("path", ["/files/{}/download", "/files/download/{}"])
def test_a_download_is_signed_and_short_lived(web, sandbox, path):
    """The bytes come back whole from a foreign origin, for a while, and to no bearer."""
    data = picture()
    told = web.ask("GET", path.format(upload(web, data))).json
    url = told["download_url"]
    assert (told["status"], told["file_name"], told["metadata"]) == ("success", "x.png", None)
    assert url.startswith(sandbox.foreign_url)
    assert fetch("GET", url) == (200, data)
    assert fetch("GET", url, headers={"authorization": "Bearer sandbox-alice"})[0] == 400
    sandbox.clock(advance_s=301)
    assert fetch("GET", url)[0] == 403


def test_the_estuary_wants_the_session(web, bob, sandbox):
    """By knob the link is on the own origin: for the owner's bearer or cookie alone, and signed as well."""
    sandbox.knobs("chatgpt", links="estuary")
    data = picture()
    url = web.ask("GET", f"/files/{upload(web, data)}/download").json["download_url"]
    assert url.startswith(f"{sandbox.url}/chatgpt/backend-api/estuary/content?")
    alice = {"authorization": "Bearer sandbox-alice"}
    assert fetch("GET", url)[0] == 401
    assert fetch("GET", url, headers={"authorization": "Bearer sandbox-bob"})[0] == 404
    assert fetch("GET", url, headers=alice) == (200, data)
    assert fetch("GET", url, headers={"cookie": "session-token=sandbox-alice"}) == (200, data)
    sandbox.clock(advance_s=301)
    assert fetch("GET", url, headers=alice)[0] == 403


def test_files_are_their_account_s(web, bob):
    """404 for anybody else, in every way, and no use in a turn."""
    file_id = upload(web, b"secret")
    for path in (
        f"/files/{file_id}/download",
        f"/files/download/{file_id}",
        f"/conversation/x/attachment/{file_id}/download",
    ):
        assert bob.ask("GET", path).json["detail"]["code"] == "file_not_found"
    assert bob.ask("POST", f"/files/{file_id}/uploaded", {}).status == 404
    part = {"asset_pointer": f"file-service://{file_id}", "width": 1, "height": 1}
    assert bob.send(bob.body(part, "What?")).status == 422


def test_an_unfinished_upload_is_not_there(web):
    """No download before it is confirmed."""
    assert web.ask("GET", f"/files/{announce(web, b'x')['file_id']}/download").status == 404
