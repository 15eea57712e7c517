"""The models."""

from __future__ import annotations


def test_the_models_are_listed(web):
    """Slugs, titles and a default; every one of them answers or draws."""
    listing = web.ask("GET", "/models").json
    slugs = [model["slug"] for model in listing["models"]]
    assert {"auto", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-2", "o3-mini", "o4-mini", "gpt-image"} <= set(slugs)
    assert listing["categories"][0]["default_model"] == "auto"
    for slug in slugs:
        assert web.turn("Hi", model=slug).done


def test_nobody_sees_them_too(web):
    """The logged-out twin."""
    web.api, web.person = "/backend-anon", ""
    assert web.ask("GET", "/models").json["models"]
