"""A customer that was closed, in its timeline: that it goes on as another, and why."""

from __future__ import annotations

from pathlib import Path

import orjson

from services.reporting.timeline import rules

TYPE = "dueward.customer.closed.v1"
EXAMPLE = orjson.loads(Path(f"shared/events/registry/examples/{TYPE}.json").read_bytes())


def test_a_merged_customer_is_told_with_the_reason() -> None:
    line = rules.describe(TYPE, EXAMPLE)
    assert (line.kind, line.title) == ("customer", "Customer closed")
    assert line.detail == "merged into another customer · The same company as DE-0107-NOR, recorded twice"
