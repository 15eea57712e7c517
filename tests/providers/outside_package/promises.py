"""Kite keeps every promise of a provider, and its own; in the package's repository this is tests/test_kite.py."""

import asyncio
import hashlib

import pytest

from polychat import QuotaSpent
from polychat.testing import PROVIDER_CHECKS, Bench, Subject, engine_of_everything, found


@pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=str)
def test_kite(check, sandbox):
    """Each promise of `polychat.testing.providers` holds for Kite."""
    check(Subject("kite", sandbox))


def test_each_model_can_what_it_says(sandbox):
    """What is claimed is there, and what is there is claimed."""
    bench = Bench(Subject("kite", sandbox))

    async def tried(model):
        async with engine_of_everything(bench) as engine:
            return await found(bench, engine, model.id)

    for model in bench.info.models:
        assert asyncio.run(tried(model)) == (model.capabilities or bench.info.capabilities)


def test_a_picture_arrives_whole_and_is_sent_once(sandbox, sandbox_client):
    """The second question names the upload of the first."""
    picture = b"GIF89a" + bytes(20)
    client = sandbox_client(provider="kite")
    for _ in range(2):
        answer = client.chat.completions.create(messages="What is this?", image=picture)
        assert hashlib.sha256(picture).hexdigest() in answer.text
    assert len(sandbox.journal(service="kite", path="/files")) == 1


def test_a_spent_month_is_not_a_busy_minute(sandbox, sandbox_client):
    """Both come as 429; the service's own code decides."""
    sandbox.fault("kite", "status", code=429, body='{"code": "month_spent"}', path="/chat")
    with pytest.raises(QuotaSpent, match="allowance of this month"):
        sandbox_client(provider="kite").chat.completions.create(messages="Hello")
