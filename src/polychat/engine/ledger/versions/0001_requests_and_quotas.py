"""The first tables: every request, and what accounts had left."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import Boolean, Column, Float, Integer, PrimaryKeyConstraint, Text

revision = "0001"
down_revision = None


def upgrade(op: Operations) -> None:
    """Make the tables in an empty file."""
    _requests(op)
    op.create_table(
        "quotas",
        Column("account", Text, nullable=False),
        Column("provider", Text, nullable=False),
        Column("feature", Text, nullable=False),
        Column("remaining", Float),
        Column("limit", Float),
        Column("resets_at", Float),
        Column("seen_at", Float, nullable=False),
        PrimaryKeyConstraint("account", "feature"),
    )


def _requests(op: Operations) -> None:
    op.create_table(
        "requests",
        Column("seq", Integer, primary_key=True, autoincrement=True),
        Column("id", Text, nullable=False, unique=True),
        Column("at", Float, nullable=False),
        Column("kind", Text, nullable=False),
        Column("key", Text),
        Column("account", Text),
        Column("provider", Text),
        Column("model", Text),
        Column("wanted", Text, nullable=False),
        Column("stream", Boolean, nullable=False),
        Column("input_tokens", Integer),
        Column("output_tokens", Integer),
        Column("cached_input_tokens", Integer),
        Column("reasoning_tokens", Integer),
        Column("estimated", Boolean, nullable=False),
        Column("cost_usd", Float),
        Column("wait_s", Float),
        Column("first_event_s", Float),
        Column("total_s", Float),
        Column("attempts", Integer, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("error", Text),
        Column("upstream_status", Integer),
        Column("request_id", Text),
        Column("finish", Text),
        Column("content", Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_at", "requests", ["at"])
    op.create_index("ix_requests_account", "requests", ["account", "at"])
    op.create_index("ix_requests_provider", "requests", ["provider", "at"])
    op.create_index("ix_requests_model", "requests", ["model", "at"])
