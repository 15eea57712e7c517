"""The tables of the ledger as they are now; `versions/` says how they came to be, and a test holds the two together."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text

VERSION = "0001"  # the newest of versions/

metadata = MetaData()

requests = Table(
    "requests",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),  # in the order of writing
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
    Index("ix_requests_at", "at"),
    Index("ix_requests_account", "account", "at"),
    Index("ix_requests_provider", "provider", "at"),
    Index("ix_requests_model", "model", "at"),
    sqlite_autoincrement=True,  # a number is never given twice, so that a reader can go on from the last it saw
)

quotas = Table(
    "quotas",
    metadata,
    Column("account", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("remaining", Float),
    Column("limit", Float),
    Column("resets_at", Float),
    Column("seen_at", Float, nullable=False),
    PrimaryKeyConstraint("account", "feature"),
)
