"""Late payment by product line and by reason: worked examples, and who wins when several reasons are known."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.late_reasons import rules as late_reasons
from services.reporting.product_lines import rules as product_lines
from shared.events.reminder import ProceedingBegun, ProceedingState, ReplyDone, ReplyState
from tests.reporting.books import Books, Item
from tests.reporting.client import Reporting

D = date
PATH = "/v1/reports/payment-patterns"


async def patterns(reporting: Reporting, by: str, as_of: str = "2021-06-30") -> dict[str, Any]:
    answer = await reporting.get(PATH, as_of=as_of, window_days=90, group_by=by)
    return {each["group"]: each for each in answer["items"]}


async def test_days_late_are_weighed_by_what_each_product_line_was_of_an_invoice(reporting: Reporting) -> None:
    """300 of CLOUD and 100 of DESKS paid 20 days late, 100 of CLOUD on the day; another of which nothing is said."""
    books = Books()
    customer = books.onboard()
    mixed = books.issue(customer, D(2021, 4, 1), 400_00, sold={"CLOUD": 300_00, "DESKS": 100_00})
    books.pay(mixed, mixed.due_on + timedelta(days=20))
    alone = books.issue(customer, D(2021, 4, 1), 100_00, sold={"CLOUD": 100_00})
    books.pay(alone, alone.due_on)
    plain = books.issue(customer, D(2021, 4, 1), 1_000_00)
    books.pay(plain, plain.due_on + timedelta(days=2))
    await reporting.hear(books)
    found = await patterns(reporting, "product_line")
    assert {code: (each["currency"], each["amount"], each["invoices"]) for code, each in found.items()} == {
        "CLOUD": ("EUR", "400.00", 2),
        "DESKS": ("EUR", "100.00", 1),
        "unknown": ("EUR", "1000.00", 1),
    }
    assert {code: (each["mean_days"], each["late_percent"]) for code, each in found.items()} == {
        "CLOUD": ("15.00", "75.00"),  # (300 x 20 + 100 x 0) / 400
        "DESKS": ("20.00", "100.00"),
        "unknown": ("2.00", "100.00"),
    }
    # Late were 300, 100 and 1,000.
    assert [found[code]["late_share_percent"] for code in ("CLOUD", "DESKS", "unknown")] == ["21.43", "7.14", "71.43"]


async def test_currencies_are_never_added_up(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard()
    for currency, late in (("EUR", 4), ("JPY", 10)):
        bill = books.issue(customer, D(2021, 4, 1), 500, currency, sold={"CLOUD": 500})
        books.pay(bill, bill.due_on + timedelta(days=late))
    await reporting.hear(books)
    items = (await reporting.get(PATH, as_of="2021-06-30", window_days=90, group_by="product_line"))["items"]
    assert [(each["currency"], each["amount"], each["mean_days"]) for each in items] == [
        ("EUR", "5.00", "4.00"),
        ("JPY", "500", "10.00"),
    ]


nets = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(-5_000, 50_000), min_size=1)


@given(nets, st.integers(1, 100_000))
def test_the_parts_of_an_invoice_add_up_to_its_total(sold: dict[str, int], total: int) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 4, 1), total, sold=sold)
    shares = product_lines.shares(books.events)
    assert sum(share.amount_minor for share in shares) == total
    assert all(share.amount_minor >= 0 for share in shares)
    assert {share.product_line for share in shares} - {""} == {
        code for code, net in sold.items() if net > 0
    } or not any(net > 0 for net in sold.values())


def test_an_invoice_that_names_no_product_line_leaves_no_row() -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 4, 1), 1_00)
    assert product_lines.shares(books.events) == []


def late(books: Books, days: int = 10) -> Item:
    """An invoice of a customer of its own, of April 1st, due on May 1st; paid by `paid`."""
    return books.issue(books.onboard(f"Customer {len(books.items)}"), D(2021, 4, 1), 100_00 + days)


PAID = D(2021, 5, 21)
"""Twenty days after it was due."""


def said(books: Books, item: Item) -> None:
    books.call(item.customer_id, D(2021, 5, 10), "cash_flow")


def broken(books: Books, item: Item) -> None:
    books.promise(item, D(2021, 5, 5), D(2021, 5, 12), D(2021, 5, 13))


def promised(books: Books, item: Item) -> None:
    books.promise(item, D(2021, 5, 5), PAID)


def planned(books: Books, item: Item) -> None:
    books.end_plan(item, books.agree_plan(item, D(2021, 5, 3), 50_00), D(2021, 5, 20))


def bounced(books: Books, item: Item) -> None:
    books.pay(item, D(2021, 5, 2))
    books.take_back(item, D(2021, 5, 6), item.total)


def disputed(books: Books, item: Item) -> None:
    books.resolve(item, books.dispute(item, D(2021, 5, 4), 50_00), D(2021, 5, 19))


ORDER = [
    (disputed, "disputed:quality", "Disputed: quality"),
    (said, "cash_flow", "Short of cash"),
    (bounced, "payment_taken_back", "A payment was taken back"),
    (planned, "plan", "Paid by a plan"),
    (broken, "promise_broken", "Broke a promise"),
    (promised, "promised", "Promised a later day"),
]


@pytest.mark.parametrize("first", range(len(ORDER) + 1))
async def test_of_several_reasons_the_first_counts(reporting: Reporting, first: int) -> None:
    books = Books()
    item = late(books)
    for happens, _, _ in reversed(ORDER[first:]):
        happens(books, item)
    books.pay(item, PAID)
    await reporting.hear(books)
    (found,) = (await patterns(reporting, "reason")).values()
    wanted = ORDER[first][1:] if first < len(ORDER) else ("unknown", "No reason known")
    assert (found["group"], found["label"], found["mean_days"]) == (*wanted, "20.00")


@pytest.mark.parametrize(
    ("said_on", "reason"),
    [
        (D(2021, 3, 31), "unknown"),
        (D(2021, 4, 1), "cash_flow"),
        (PAID, "cash_flow"),
        (D(2021, 5, 22), "unknown"),
    ],
)
async def test_what_was_said_counts_from_the_issue_to_the_payment(
    reporting: Reporting, said_on: date, reason: str
) -> None:
    books = Books()
    item = late(books)
    books.call(item.customer_id, said_on, "cash_flow")
    books.call(item.customer_id, said_on, None)
    books.pay(item, PAID)
    await reporting.hear(books)
    assert list(await patterns(reporting, "reason")) == [reason]


async def test_the_last_word_counts_and_what_is_paid_in_time_has_no_reason(reporting: Reporting) -> None:
    """Three late of five: two short of cash with 20 and 10 days, one without a reason."""
    books = Books()
    first, second, third = late(books), late(books), late(books)
    for item in (first, second):
        books.call(item.customer_id, D(2021, 5, 2), "other")
        books.call(item.customer_id, D(2021, 5, 3), "cash_flow")
    books.pay(first, PAID)
    books.pay(second, D(2021, 5, 11))
    books.pay(third, PAID)
    for day in (D(2021, 4, 30), D(2021, 5, 1)):
        in_time = late(books)
        books.call(in_time.customer_id, D(2021, 4, 20), "payment_run")
        books.pay(in_time, day)
    await reporting.hear(books)
    found = await patterns(reporting, "reason")
    assert {
        group: (each["invoices"], each["mean_days"], each["late_share_percent"]) for group, each in found.items()
    } == {
        "cash_flow": (2, "15.00", "66.67"),
        "unknown": (1, "20.00", "33.33"),
    }


def test_answers_and_insolvencies_tell_reasons_too_and_their_newest_version_counts() -> None:
    customer = uuid4()
    dated: dict[str, Any] = {"customer_id": customer, "effective_on": D(2021, 5, 9), "booked_on": D(2021, 5, 9)}
    reply = ReplyState(
        id=uuid4(),
        version=2,
        entity_id="default",
        case_id=uuid4(),
        contact_id=None,
        channel="email",
        kind="reply",
        status="done",
        reason="invoice_wrong",
        attachments=0,
        received_on=D(2021, 5, 4),
    )
    before = reply.model_copy(update={"version": 1, "reason": "other"})
    court = ProceedingState(
        id=uuid4(),
        version=1,
        entity_id="default",
        case_id=uuid4(),
        kind="insolvency",
        status="open",
        opened_on=D(2021, 5, 1),
    )
    sued = court.model_copy(update={"id": uuid4(), "kind": "legal_action"})
    events = [
        ReplyDone(**dated, entity_id="default", reply=reply),
        ReplyDone(**dated, entity_id="default", reply=before),
        ProceedingBegun(**dated, entity_id="default", proceeding=court),
        ProceedingBegun(**dated, entity_id="default", proceeding=sued),
    ]
    found = {each.reason: (each.version, each.said_on) for each in late_reasons.reasons(events)}
    assert found == {"invoice_wrong": (2, D(2021, 5, 4)), "insolvency": (1, D(2021, 5, 1))}


async def test_heard_twice_and_backwards_the_figures_are_the_same(reporting: Reporting) -> None:
    books = Books()
    for happens, _, _ in ORDER:
        item = late(books)
        happens(books, item)
        books.pay(item, PAID)
    shared = books.issue(books.onboard("Buyer"), D(2021, 4, 1), 100_01, sold={"A": 1_00, "B": 2_00})
    books.pay(shared, PAID)
    received = books.received
    await reporting.hear(list(reversed(received)), batch=3)
    await reporting.hear(received)
    reasons = await patterns(reporting, "reason")
    assert set(reasons) == {name for _, name, _ in ORDER} | {"unknown"}
    assert sum(each["invoices"] for each in reasons.values()) == len(books.items)
    lines = await patterns(reporting, "product_line")
    by_line: dict[str, int] = defaultdict(int)
    for share in product_lines.shares(books.events):
        by_line[share.product_line or "unknown"] += share.amount_minor
    assert {code: lines[code]["amount"] for code in ("A", "B")} == {
        code: f"{by_line[code] / 100:.2f}" for code in ("A", "B")
    }


async def test_both_groupings_go_out_as_a_file(reporting: Reporting) -> None:
    books = Books()
    item = late(books)
    said(books, item)
    books.pay(item, PAID)
    await reporting.hear(books)
    for by, wanted in (("reason", "cash_flow,Short of cash"), ("product_line", "unknown,unknown")):
        answer = await reporting.http.get(
            "/v1/reports/payment-patterns.csv", params={"as_of": "2021-06-30", "group_by": by}
        )
        assert answer.status_code == 200
        assert wanted in answer.text
    assert "100.10" in answer.text
