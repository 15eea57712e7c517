"""Windows run out, say when they clear, and clear then."""

from __future__ import annotations

from datetime import datetime


def windows(told) -> dict[str, dict]:
    """The limits that a turn tells of, by feature."""
    progress = told.event("conversation_detail_metadata")["limits_progress"]
    return {window["feature_name"]: window for window in progress}


def test_pictures_run_out_and_come_back(web, bob, sandbox):
    """Each one counts; the next is 429 with the seconds left; others have their own; the window passes."""
    now = sandbox.clock(set=1_900_000_000)
    sandbox.knobs("chatgpt", picture_cap=2, picture_window_s=1000, picture=True)
    left = [windows(web.turn("A cat"))["image_gen"] for _ in range(2)]
    assert [window["remaining"] for window in left] == [1, 0]
    reset = datetime.fromisoformat(left[1]["reset_after"]).timestamp()
    assert 1000 <= reset - now < 1060
    refused = web.send(web.body("A cat"))
    assert (refused.status, refused.json["detail"]["code"]) == (429, "model_cap_exceeded")
    assert 940 < refused.json["detail"]["clears_in"] <= 1000
    assert bob.turn("A cat")
    sandbox.clock(advance_s=1001)
    assert web.turn("A cat")


def test_messages_run_out_only_if_so_wished(web, sandbox):
    """Without a cap no window is told; with one it counts turns."""
    assert windows(web.turn()).keys() == {"image_gen"}
    sandbox.knobs("chatgpt", message_cap=2)
    assert windows(web.turn())["messages"]["remaining"] == 0
    assert web.send(web.body("Hi")).status == 429


def test_a_refused_turn_costs_nothing(web, sandbox):
    """What is wrong with it is found before it is counted."""
    sandbox.knobs("chatgpt", message_cap=1)
    assert web.send(web.body("Hi", model="gpt-99")).status == 404
    assert web.send(web.body("A cat"), "picture, picture_cap=0").status == 429
    assert web.turn()
