"""The rules that wake operators: each asks for figures that there are, and leads to a page that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from shared import telemetry

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
MADE_OF = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def asked_for(rule: dict[str, Any]) -> set[str]:
    return set(re.findall(r"\b(?:dueward|process)_[a-z_]+", rule["expr"]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_is_measured_and_leads_to_a_page(rule: dict[str, Any]) -> None:
    assert telemetry.OUTBOX_PENDING  # What is measured stands in this module.
    known = {metric.name + suffix for metric in REGISTRY.collect() for suffix in MADE_OF.get(metric.type, ())} | {
        "process_start_time_seconds"
    }
    assert asked_for(rule) <= known
    assert rule["labels"]["severity"] in ("page", "ticket")
    if runbook := rule["annotations"].get("runbook"):
        assert (ROOT / runbook).is_file()


def test_what_operators_are_told_to_watch_has_a_rule() -> None:
    table = (
        (ROOT / "docs/operations.md").read_text().partition("| metric | wake somebody when |")[2].partition("\n\n")[0]
    )
    told = set(re.findall(r"`(dueward_[a-z_]+)`", table))
    ruled = {re.sub(r"_(bucket|count)$", "", name) for rule in RULES for name in asked_for(rule)}
    assert told
    assert told <= ruled
