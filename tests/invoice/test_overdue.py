"""Overdue, found by the clock: the ladder, its boundaries, missed days, and episodes that end and begin again."""

from __future__ import annotations

from tests.invoice.client import Receivables, eur


async def test_each_step_is_announced_on_its_own_day_and_once(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")

    for day in (
        *("2024-03-23", "2024-03-24", "2024-03-25", "2024-03-31", "2024-04-01", "2024-04-02"),
        *("2024-04-30", "2024-05-01", "2024-05-30", "2024-05-31", "2024-06-29", "2024-06-30", "2025-01-01"),
    ):
        await books.wake_on(day)
        await books.tick()

    assert await books.told(issued["id"]) == [
        ("invoice.issued", "2024-03-01"),
        ("invoice.due_soon", "2024-03-24"),
        ("invoice.overdue", "2024-04-01"),
        ("invoice.aged", "2024-05-01"),
        ("invoice.aged", "2024-05-31"),
        ("invoice.aged", "2024-06-30"),
    ]
    told = await books.published(issued["id"])
    assert [event["topic"] for event in told] == ["ar.invoice"] + ["ar.overdue"] * 5
    assert [event["version"] for event in told] == [1, 2, 3, 4, 5, 6]
    assert [event["data"]["booked_on"] for event in told[1:]] == [
        *("2024-03-24", "2024-04-01", "2024-05-01", "2024-05-31", "2024-06-30")
    ]
    assert [event["data"]["days_overdue"] for event in told[3:]] == [31, 61, 91]
    assert {event["data"]["episode"] for event in told[2:]} == {1}
    assert (told[1]["data"]["days_until_due"], told[2]["data"]["invoice"]["overdue_since"]) == (7, "2024-04-01")
    shown = await books.invoice(issued["id"])
    assert (shown["overdue"], shown["overdue_since"]) == (eur("100.00"), "2024-04-01")


async def test_days_missed_are_caught_up_with_each_thresholds_own_date(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")

    await books.wake_on("2024-06-15")

    assert await books.told(issued["id"]) == [
        ("invoice.issued", "2024-03-01"),
        ("invoice.overdue", "2024-04-01"),
        ("invoice.aged", "2024-05-01"),
        ("invoice.aged", "2024-05-31"),
    ]


async def test_an_invoice_booked_late_catches_up_at_once(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), issue_date="2024-01-01", due_date="2024-01-31")

    await books.tick()

    assert await books.told(issued["id"]) == [("invoice.issued", "2024-01-01"), ("invoice.overdue", "2024-02-01")]


async def test_the_day_begins_in_the_entitys_time_zone(books: Receivables) -> None:
    await books.database.pool.execute("update entity set time_zone = 'America/New_York'")
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.at("2024-04-01", hour=3)
    await books.tick()
    assert [each for each, _ in await books.told(issued["id"])] == ["invoice.issued", "invoice.due_soon"]

    await books.at("2024-04-01", hour=4)
    await books.tick()

    assert (await books.told(issued["id"]))[-1] == ("invoice.overdue", "2024-04-01")


async def test_settlement_ends_the_episode_in_its_own_transaction(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-10")

    await books.pay("100.00", reference=issued["number"])

    settled, cleared = (await books.published(issued["id"]))[-2:]
    assert (settled["type"], cleared["type"]) == ("invoice.settled", "invoice.overdue_cleared")
    assert (cleared["topic"], cleared["version"]) == ("ar.overdue", settled["version"] + 1)
    assert (cleared["data"]["episode"], cleared["data"]["days_overdue"]) == (1, 10)
    assert cleared["data"]["invoice"]["overdue_since"] is None
    assert (settled["data"]["days_late"], settled["data"]["invoice"]["overdue_since"]) == (10, "2024-04-01")
    await books.wake_on("2025-01-01")
    assert len(await books.published(issued["id"])) == 4


async def test_a_part_payment_or_a_dispute_does_not_end_the_episode(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-10")

    await books.dispute(issued["id"])
    await books.pay("99.00", reference=issued["number"])
    await books.wake_on("2024-05-01")

    shown = await books.invoice(issued["id"])
    assert (shown["overdue_since"], shown["overdue_episode"], shown["overdue"]) == ("2024-04-01", 1, eur("1.00"))
    assert (await books.told(issued["id"]))[-1] == ("invoice.aged", "2024-05-01")


async def test_a_reversal_starts_the_next_episode_on_its_own_day(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-10")
    payment = await books.pay("100.00", reference=issued["number"])
    await books.wake_on("2024-05-05")

    await books.reverse(payment["id"])
    await books.tick()
    await books.wake_on("2024-06-01")

    assert (await books.told(issued["id"]))[4:] == [
        ("invoice.balance_changed", "2024-05-05"),
        ("invoice.overdue", "2024-05-05"),
        ("invoice.aged", "2024-05-05"),
        ("invoice.aged", "2024-05-31"),
    ]
    second = (await books.published(issued["id"]))[5]
    assert (second["data"]["episode"], second["data"]["invoice"]["overdue_since"]) == (2, "2024-05-05")
    episodes = await books.database.pool.fetch(
        "select episode, started_on::text, cleared_on::text from overdue_episode"
    )
    assert [tuple(row) for row in episodes] == [(1, "2024-04-01", "2024-04-10"), (2, "2024-05-05", None)]


async def test_a_payment_taken_back_before_the_due_date_waits_for_it(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    payment = await books.pay("100.00", reference=issued["number"])
    await books.wake_on("2024-03-10")
    await books.reverse(payment["id"])

    await books.wake_on("2024-04-01")

    assert [each for each, _ in await books.told(issued["id"])][-1] == "invoice.overdue"
    assert ("invoice.overdue", "2024-04-01") in await books.told(issued["id"])


async def test_a_payment_booked_late_ends_the_episode_as_of_the_day_it_came(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-10")

    await books.pay("100.00", reference=issued["number"], received_on="2024-03-28")

    assert (await books.told(issued["id"]))[-2:] == [
        ("invoice.settled", "2024-03-28"),
        ("invoice.overdue_cleared", "2024-03-28"),
    ]
    assert (await books.published(issued["id"]))[-1]["data"]["days_overdue"] == 0
    assert (await books.invoice(issued["id"]))["settled_on"] == "2024-03-28"


async def test_more_invoices_than_a_chunk_are_all_found(books: Receivables) -> None:
    rows = "\n".join(
        f'{{"customer_external_id": "C-{n % 7}", "due_date": "2024-03-31", "lines": [{{"description": "x", '
        f'"unit_price": {{"amount": "1.00", "currency": "EUR"}}}}]}}'
        for n in range(1200)
    )
    for n in range(7):
        await books.customer(external_id=f"C-{n}")
    headers = {"idempotency-key": "k", "content-type": "application/x-ndjson"}
    assert (await books.http.post("/v1/imports", content=rows, headers=headers)).status_code == 202
    await books.tick()

    await books.wake_on("2024-04-01")

    count = await books.database.pool.fetchval("select count(*) from overdue_episode")
    assert count == 1200
    assert len([each for each in await books.published() if each["type"] == "invoice.overdue"]) == 1200
