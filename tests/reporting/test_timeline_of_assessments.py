"""An assessment in a customer's timeline: the class, what it was before, and what weighed most."""

from __future__ import annotations

from pathlib import Path

import orjson

from services.reporting.timeline import rules

TYPE = "dueward.credit.assessed.v1"
EXAMPLE = orjson.loads(Path(f"shared/events/registry/examples/{TYPE}.json").read_bytes())


def test_an_assessment_is_told_with_its_class_and_the_heaviest_reasons() -> None:
    line = rules.describe(TYPE, EXAMPLE)

    assert (line.kind, line.title) == ("credit", "Assessed: risk class C")
    assert line.detail == "before B · score 512 · pays late, promise broken, z safe"


def test_the_class_before_is_left_out_where_it_is_the_same() -> None:
    assert rules.describe(TYPE, {**EXAMPLE, "previous_risk_class": "C"}).detail.startswith("score 512")
