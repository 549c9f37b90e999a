"""When a charge that was refused is tried again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from services.invoice.autopay import rules
from services.invoice.autopay.rules import Collection, Method, MethodKind
from services.invoice.entities.rules import CollectionPolicy, Entity, Policies

NOW = datetime(2024, 3, 1, 9, tzinfo=UTC)
TODAY = NOW.date()


def entity(notice_days: int = 14) -> Entity:
    policies = Policies(collection=CollectionPolicy(notice_days=notice_days))
    return Entity("default", 1, "Dueward", "UTC", "EUR", "off", policies=policies)


def method(kind: MethodKind) -> Method:
    return Method(uuid4(), uuid4(), "default", "active", "pi_1", NOW, None, kind=kind)


def charge(attempt: int = 1) -> Collection:
    return Collection(uuid4(), uuid4(), uuid4(), "default", uuid4(), attempt, "EUR", 80_00, "meant", NOW)


@pytest.mark.parametrize(
    ("kind", "notice_days", "attempt", "again_on"),
    [
        ("card", 14, 1, date(2024, 3, 4)),
        ("card", 14, 2, date(2024, 3, 6)),
        ("card", 14, 3, date(2024, 3, 8)),
        ("card", 14, 4, None),
        ("sepa_debit", 14, 1, date(2024, 3, 15)),
        ("sepa_debit", 2, 1, date(2024, 3, 4)),
        ("sepa_debit", 6, 3, date(2024, 3, 8)),
        ("sepa_debit", 14, 4, None),
    ],
)
def test_a_refusal_is_tried_again_on_a_schedule_and_a_debit_not_before_its_notice(
    kind: MethodKind, notice_days: int, attempt: int, again_on: date | None
) -> None:
    refused = rules.refused(charge(attempt), method(kind), "no funds", entity(notice_days), TODAY)

    assert (refused.look_at.date() if refused.look_at else None) == again_on
    assert refused.status == ("refused" if again_on else "given_up")
    assert refused.debit_on == (again_on if kind == "sepa_debit" else None)


def test_what_another_attempt_does_not_change_is_not_tried_again() -> None:
    refused = rules.refused(charge(), method("sepa_debit"), "account closed", entity(), TODAY, futile=True)

    assert (refused.status, refused.look_at) == ("given_up", None)


@pytest.mark.parametrize(("owed", "charged"), [(79_99, 79_99), (80_00, 80_00), (80_01, 80_00), (0, None)])
def test_no_more_is_charged_than_was_announced(owed: int, charged: int | None) -> None:
    confirmed = rules.confirmed(charge(), owed, NOW)

    assert (confirmed.amount_minor if confirmed else None) == charged
