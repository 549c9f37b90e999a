"""A customer of two selling entities has two cases: messages never mix sellers, and spare the customer together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase, ReleaseCase
from services.reminder.contacts.handlers import RecordBounce
from services.reminder.holds.rules import Hold, HoldKind, holding
from services.reminder.reminders import handlers as reminders
from shared.db import transaction
from tests.reminder.books import ADA, Customer
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
FRESH = DUE - timedelta(days=2)


async def test_each_seller_reminds_of_its_own_invoices_on_a_day_of_its_own(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, "N-1", issued_on=FRESH)
    south = await desk.issue(customer, DUE, "S-1", 7_700, issued_on=FRESH, entity_id="south")
    await desk.until(date(2026, 2, 4))
    sent = await desk.contacts(status="sent")
    assert sorted((c["entity_id"], c["step"], tuple(c["invoices"])) for c in sent) == [
        ("default", "first-reminder", ("N-1",)),
        ("south", "first-reminder", ("S-1",)),
    ]
    assert len({c["sent_at"][:10] for c in sent}) == 2, "one a day, whoever sells"
    assert {mail["From"].partition(" <")[0] for mail in desk.mails()} == {"Northwind Trading", "Southwind Trading"}

    await desk.hear(*south.pay())
    closed = await desk.get(f"/v1/cases/{customer.id}", entity_id="south")
    running = await desk.get(f"/v1/cases/{customer.id}")
    assert (closed["status"], running["status"]) == ("closed", "open")
    assert closed["id"] != running["id"]
    both = (await desk.get("/v1/cases"))["items"]
    assert [case["entity_id"] for case in both] == ["default", "south"]
    page = await desk.get("/v1/cases", limit=1)
    assert (await desk.get("/v1/cases", limit=1, cursor=page["next_cursor"]))["items"] == both[1:]
    assert [case["entity_id"] for case in (await desk.get("/v1/cases", entity_id="south"))["items"]] == ["south"]


async def test_news_of_the_customer_reaches_all_its_cases(desk: Desk) -> None:
    customer = await desk.onboard(contacts=())
    await desk.issue(customer, DUE, "N-1", issued_on=FRESH)
    await desk.issue(customer, DUE, "S-1", issued_on=FRESH, entity_id="south")
    await desk.until(date(2026, 2, 10))
    assert desk.mails() == []
    assert len((await desk.get("/v1/tasks", kind="unreachable"))["items"]) == 2
    await desk.hear(customer.change(contacts=(ADA,)))
    await desk.until(date(2026, 2, 12))
    assert sorted(c["entity_id"] for c in await desk.contacts(status="sent")) == ["default", "south"]


async def hold(desk: Desk, customer: Customer, kind: HoldKind, until: date | None, source: str = "x") -> None:
    async with transaction(desk.database) as tx:
        await cases.hold_case(tx, HoldCase(customer.id, "default", Hold(kind, until, source, "because")))


async def release(desk: Desk, customer: Customer, kind: HoldKind, source: str = "x") -> None:
    async with transaction(desk.database) as tx:
        await cases.release_case(tx, ReleaseCase(customer.id, "default", kind, source))


async def test_a_case_rests_through_the_last_day_of_the_longest_hold(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)
    await hold(desk, customer, HoldKind.PAUSED, date(2026, 2, 10))
    await hold(desk, customer, HoldKind.CONVERSATION, date(2026, 2, 12))
    await hold(desk, customer, HoldKind.CONVERSATION, date(2026, 2, 12))
    await desk.until(date(2026, 2, 12), hour=23)
    assert await desk.sent() == []
    await desk.until(date(2026, 2, 13))
    assert await desk.sent() == [("2026-02-13", "first-reminder")]
    held = [event["data"] for event in await desk.published() if event["type"] == "case.held"]
    assert [(event["kind"], event["until"]) for event in held] == [
        ("paused", "2026-02-10"),
        ("conversation", "2026-02-12"),
    ]


async def test_an_endless_hold_rests_until_it_is_released(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)
    await hold(desk, customer, HoldKind.PAUSED, date(2026, 2, 10))
    await hold(desk, customer, HoldKind.INSOLVENT, None)
    await desk.until(date(2026, 3, 20))
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["waiting_because"], case["check_at"]) == ("insolvent", None)
    assert [one["kind"] for one in case["holds"]] == ["paused", "insolvent"]
    await release(desk, customer, HoldKind.INSOLVENT)
    await desk.until(date(2026, 3, 21))
    assert await desk.sent() == [("2026-03-21", "first-reminder")]
    assert "case.released" in await desk.types()


async def test_a_hold_that_comes_at_the_last_moment_suppresses_the_mail_by_its_name(desk: Desk) -> None:
    for kind in HoldKind:
        customer = await desk.onboard()
        await desk.issue(customer, DUE, f"R-{kind}", issued_on=FRESH)
    await desk.until(date(2026, 2, 1), hour=23)
    everybody = list({invoice.customer_id for invoice in desk.invoice_service.invoices})

    async def rest() -> None:
        for customer_id, kind in zip(everybody, HoldKind, strict=True):
            async with transaction(desk.database) as tx:
                await cases.hold_case(tx, HoldCase(customer_id, "default", Hold(kind, None, "x", "because")))

    desk.invoice_service.meanwhile = rest
    await desk.until(date(2026, 2, 2))
    assert sorted(c["reason"] for c in await desk.contacts(status="suppressed")) == sorted(HoldKind)
    assert desk.mails() == []


def test_of_several_holds_the_weightiest_is_named() -> None:
    day = date(2026, 2, 1)
    everything = [Hold(kind, day, "x", "") for kind in HoldKind]
    named = []
    while everything:
        found = holding(everything, day)
        assert found is not None
        named.append(found.kind.value)
        everything.remove(found)
    assert named == ["insolvent", "legal", "placed", "replied", "paused", "promised", "conversation"]
    paused = [Hold(HoldKind.PAUSED, day + timedelta(days=n), str(n), "") for n in (0, 2, 1)]
    assert holding(paused, day) == paused[1], "of equals the one that lasts longest"
    assert holding(paused, day + timedelta(days=2)) == paused[1]
    assert holding(paused, day + timedelta(days=3)) is None
    assert holding([Hold(HoldKind.PAUSED, None, "x", "")], date(2999, 1, 1)) is not None


async def test_a_subsidiary_is_written_to_at_its_parents(desk: Desk) -> None:
    head = ADA.model_copy(update={"name": "Hedy Head", "email": "hedy@holding.example"})
    parent = await desk.onboard(name="Holding", contacts=(head,), time_zone="Asia/Tokyo")
    told = await desk.onboard(name="Branch", parent_id=parent.id, contact_parent=True)
    apart = await desk.onboard(name="Apart", parent_id=parent.id)
    for customer in (told, apart):
        await desk.issue(customer, DUE, f"R-{customer.state.name}", issued_on=FRESH)
    await desk.until(date(2026, 2, 2))
    sent = {c["invoices"][0]: (c["recipient"], c["sent_at"][11:13]) for c in await desk.contacts(status="sent")}
    assert sent == {"R-Branch": ("hedy@holding.example", "00"), "R-Apart": ("ada@acme.example", "09")}


async def test_an_address_found_at_the_parents_goes_for_its_subsidiaries(desk: Desk) -> None:
    parent = await desk.onboard(name="Holding", contacts=())
    branch = await desk.onboard(name="Branch", contacts=(), parent_id=parent.id, contact_parent=True)
    await desk.issue(branch, DUE, issued_on=FRESH)
    await desk.until(date(2026, 2, 5))
    assert desk.mails() == []
    await desk.hear(parent.change(contacts=(ADA,)))
    await desk.until(date(2026, 2, 6))
    assert await desk.sent() == [("2026-02-06", "first-reminder")]


async def test_an_address_that_bounced_is_not_written_to_again(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)
    await desk.until(date(2026, 2, 2))
    (sent,) = await desk.contacts()
    at = datetime(2026, 2, 2, 12, tzinfo=UTC)
    for _ in range(2):
        async with transaction(desk.database) as tx:
            await reminders.bounce_contact(tx, RecordBounce(UUID(sent["id"]), at, "550 no such user"))
    await desk.until(date(2026, 2, 10))
    assert len(desk.mails()) == 1
    first = (await desk.contacts())[0]
    assert (first["status"], first["bounce_reason"]) == ("sent", "550 no such user")
    assert (await desk.types()).count("reminder.bounced") == 1
    assert [task["detail"] for task in (await desk.get("/v1/tasks", kind="unreachable"))["items"]] == [
        "550 no such user"
    ]
