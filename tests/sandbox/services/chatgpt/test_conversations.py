"""The list and the tree."""

from __future__ import annotations

import itertools


def test_the_list_has_the_newest_first_and_pages(web, sandbox):
    """Id, title and times; `offset` and `limit`."""
    told = []
    for number in range(3):
        told.append(web.turn(f"Number {number}"))
        sandbox.clock(advance_s=10)
    web.go_on(told[0], "Again")
    page = web.ask("GET", "/conversations").json
    assert [item["title"] for item in page["items"]] == ["Number 0", "Number 2", "Number 1"]
    assert page["items"][0].keys() == {"id", "title", "create_time", "update_time"}
    assert page["total"] == 3
    second = web.ask("GET", "/conversations?offset=1&limit=1").json
    assert [item["id"] for item in second["items"]] == [told[2].conversation_id]


def test_the_tree_leads_from_the_current_node_to_the_root(web):
    """Every node has its parent and children; the root has no message."""
    told = web.turn(scenario="thinking, tool")
    tree = web.tree(told)
    mapping = tree["mapping"]
    way, node = [], tree["current_node"]
    while node is not None:
        way.append(node)
        node = mapping[node]["parent"]
    assert way[::-1] == ["client-created-root", *told.messages]
    assert mapping[way[-1]]["message"] is None
    for child, parent in itertools.pairwise(way):
        assert mapping[parent]["children"] == [child]
    assert {name: mapping[name]["message"] for name in told.messages} == told.messages


def test_a_conversation_can_be_renamed_and_hidden(web, bob):
    """By its account; what is hidden is gone."""
    told = web.turn()
    path = f"/conversation/{told.conversation_id}"
    assert bob.ask("PATCH", path, {"title": "Ha"}).status == 404
    assert web.ask("PATCH", path, {"title": "Greetings"}).json == {"success": True}
    assert web.tree(told)["title"] == "Greetings"
    assert web.ask("PATCH", path, {"is_visible": False}).status == 200
    assert web.ask("GET", path).json["detail"]["code"] == "conversation_not_found"
    assert web.ask("GET", "/conversations").json["total"] == 0


def test_nobody_reads_somebody_else_s(web, bob):
    """404."""
    assert bob.ask("GET", f"/conversation/{web.turn().conversation_id}").status == 404
