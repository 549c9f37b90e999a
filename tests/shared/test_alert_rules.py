"""The rules that wake operators and the pictures they look at: each asks for figures that there are."""

from __future__ import annotations

import json
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
PANELS: list[dict[str, Any]] = json.loads((ROOT / "deploy/grafana/dueward.json").read_text())["panels"]
MADE_OF = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def asked_for(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:dueward|process)_[a-z_]+", expression))


def measured() -> set[str]:
    assert telemetry.OUTBOX_PENDING  # What is measured stands in this module.
    return {metric.name + suffix for metric in REGISTRY.collect() for suffix in MADE_OF.get(metric.type, ())}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_is_measured_and_leads_to_a_page(rule: dict[str, Any]) -> None:
    assert asked_for(rule["expr"]) <= measured() | {"process_start_time_seconds"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    if runbook := rule["annotations"].get("runbook"):
        assert (ROOT / runbook).is_file()


def test_what_operators_are_told_to_watch_has_a_rule() -> None:
    table = (
        (ROOT / "docs/operations.md").read_text().partition("| metric | wake somebody when |")[2].partition("\n\n")[0]
    )
    told = set(re.findall(r"`(dueward_[a-z_]+)`", table))
    ruled = {re.sub(r"_(bucket|count)$", "", name) for rule in RULES for name in asked_for(rule["expr"])}
    assert told
    assert told <= ruled


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_draws_what_is_measured_by_the_labels_it_has(panel: dict[str, Any]) -> None:
    labels = {metric.name: _labels(metric.name) for metric in REGISTRY.collect()}
    for target in panel["targets"]:
        names = asked_for(target["expr"])
        assert names
        assert names <= measured()
        known = {"job"}.union(*(labels[re.sub(r"_(bucket|count|sum|total)$", "", name)] for name in names))
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= known


def _labels(name: str) -> set[str]:
    collector = REGISTRY._names_to_collectors.get(name)
    return set(getattr(collector, "_labelnames", ()))


def test_panels_do_not_lie_over_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
