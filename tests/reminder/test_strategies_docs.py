"""What docs/strategies.md says of the shipped strategies and of the document's fields is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.reminder.publishing.rules import json_schema
from services.reminder.strategies.rules import Step, Strategy, parse
from tests.reminder.test_strategies import SHIPPED

PAGE = Path("docs/strategies.md").read_text()


def table(strategy: Strategy) -> str:
    rows = ["| day | step | by | tone | template | besides |", "|---:|---|---|---|---|---|", *map(row, strategy.steps)]
    return "\n".join(rows)


def row(step: Step) -> str:
    day = str(step.days_from_due) if step.days_from_due is not None else f"+{step.days_after_previous}"
    by = ", ".join(map(str, step.channels)) + (f" (else {step.fallback})" if step.fallback else "")
    besides = [*step.actions, *(f"with {file}" for file in step.attachments)]
    if step.approval:
        besides.append("after approval")
    if step.conditions.amount_at_least:
        besides.append(
            "from " + ", ".join(f"{amount} {code}" for code, amount in step.conditions.amount_at_least.items())
        )
    cells = (
        day,
        f"`{step.name}`",
        by,
        step.tone or "",
        f"`{step.template}`" if step.template else "",
        ", ".join(besides),
    )
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_strategy_is_drawn_as_it_is(name: str) -> None:
    assert table(parse(SHIPPED[name])) in PAGE


def fields(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    parts = {"Strategy": schema, **schema["$defs"]}
    return [(part, field, said) for part, about in parts.items() for field, said in about["properties"].items()]


@pytest.mark.parametrize(("part", "field", "said"), fields(json_schema()))
def test_every_field_is_described_in_the_schema_and_in_the_page(part: str, field: str, said: dict[str, Any]) -> None:
    assert said.get("description"), f"{part}.{field} has no description"
    assert f"`{field}`" in PAGE, f"{part}.{field} is not in docs/strategies.md"
