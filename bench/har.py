"""What reading a network log costs: milliseconds and peak memory, for a made file of many entries with large bodies.

python bench/har.py [MEGABYTES] [RUNS]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from polychat.credentials import SignIn
from polychat.signin import har

MEGABYTES = int(sys.argv[1]) if len(sys.argv) > 1 else 35
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 20
HOME = "https://chat.example"
RECIPE = SignIn(
    url=HOME,
    cookies=("sid",),
    domains=("chat.example",),
    headers=("user-agent",),
    token_paths={"/session": "accessToken"},
)
STARTED = 1_750_000_000.0
KINDS = ((0.2, "text/html"), (0.5, "application/javascript"), (0.8, "application/json"), (1.0, "image/png"))


def headers(count: int, **more: str) -> list[dict[str, str]]:
    """As many as browsers send, and some more."""
    usual = [{"name": f"x-header-{n}", "value": f"value {n} " * 3} for n in range(count)]
    return usual + [{"name": name.replace("_", "-"), "value": value} for name, value in more.items()]


def body(size_bytes: int, chance: random.Random) -> dict[str, object]:
    """Script, markup or data with its escapes, or a picture in base64."""
    share = chance.random()
    kind = next(kind for limit, kind in KINDS if share <= limit)
    if kind == "image/png":
        return {"mimeType": kind, "text": "iVBORw0KGgo".ljust(size_bytes, "A"), "encoding": "base64"}
    piece = 'const word = "quoted\\n";\n\tif (a < b) { return `é ${word}`; }\n'
    return {"mimeType": kind, "text": piece * (size_bytes // len(piece) + 1)}


def entry(number: int, size_bytes: int, chance: random.Random) -> dict[str, object]:
    """One in three is the service's own."""
    own = number % 3 == 0
    url = f"{HOME}/api/{number}?q=1" if own else f"https://cdn-{number % 40}.example/assets/{number}.js"
    cookies = [{"name": f"c{n}", "value": "v" * 60} for n in range(20)] + [{"name": "sid", "value": "s" * 2000}]
    line = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
    proofs = {"cookie": line, "authorization": "Bearer t"}
    return {
        "startedDateTime": datetime.fromtimestamp(STARTED + number, UTC).isoformat(),
        "time": 12.5,
        "_initiator": {"type": "script", "stack": {"callFrames": [{"url": url, "lineNumber": n} for n in range(8)]}},
        "request": {
            "method": "GET", "url": url, "httpVersion": "h2", "queryString": [], "bodySize": 0,
            "headers": headers(15, user_agent="Bench/1.0", **(proofs if own else {})),
            "cookies": cookies if own else [],
        },
        "response": {
            "status": 200, "httpVersion": "h2", "headers": headers(18, set_cookie=f"c{number % 20}=v; Path=/"),
            "cookies": [], "content": {"size": size_bytes, **body(size_bytes, chance)},
        },
        "timings": {"send": 0.1, "wait": 10, "receive": 2.4},
    }  # fmt: skip


def write(path: Path, megabytes: int) -> int:
    """A file of about that size; how many entries it has."""
    chance, number = random.Random(1), 0
    with path.open("w") as file:
        file.write('{"log": {"version": "1.2", "pages": [], "entries": [')
        while file.tell() < megabytes * 1_000_000:
            size_bytes = int(chance.paretovariate(1.1) * 3_000) % 2_000_000
            file.write(("," if number else "") + json.dumps(entry(number, size_bytes, chance), ensure_ascii=False))
            number += 1
        file.write("]}}")
    return number


def peak_mb() -> float | None:
    """The most memory that this process ever had, from Linux's /proc."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "log.har")
    count = write(path, MEGABYTES)
    before, quickest = peak_mb(), float("inf")
    for _ in range(RUNS):
        started = time.perf_counter()
        har.read(path, RECIPE, hosts=[HOME])
        quickest = min(quickest, time.perf_counter() - started)
    print(f"{path.stat().st_size / 1e6:.1f} MB in {count} entries; best of {RUNS} runs")
    print(f"  read              {quickest * 1000:6.0f} ms")
    print(f"  peak memory       {peak_mb() or 0:6.0f} MB, of which {before or 0:.0f} MB before reading")
