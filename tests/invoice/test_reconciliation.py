"""The books held against each other: invoices and payments with the journal, the journal with reporting."""

from __future__ import annotations

from typing import Any

from tests.invoice.client import Receivables


async def reconcile(books: Receivables) -> dict[str, Any]:
    answer = await books.post("/v1/reconciliations", {})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_books_that_agree_say_so_and_how_much_was_compared(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer, "100.00", issue_date="2024-02-01")
    await books.pay("130.00", customer_id=customer, received_on="2024-02-10")
    books.reporting.shows = []

    run = await reconcile(books)

    assert (run["invoices_compared"], run["payments_compared"]) == (1, 1)
    assert (run["reporting"], run["differences"]) == ("agrees", [])


async def test_an_invoice_apart_from_its_entries_is_named_with_them(books: Receivables) -> None:
    invoice = await books.issue(await books.customer(), "100.00")
    await books.database.pool.execute(
        "update invoice set net_minor = net_minor + 1, total_minor = total_minor + 1, balance_minor = balance_minor + 1"
    )

    run = await reconcile(books)

    [entry] = (await books.get("/v1/journal"))["items"]
    [difference] = run["differences"]
    assert (difference["what"], difference["subject_id"]) == ("invoice", invoice["id"])
    assert (difference["booked"]["amount"], difference["shown"]["amount"]) == ("100.00", "100.01")
    assert difference["entries"] == [entry["id"]]


async def test_the_customer_whom_reporting_shows_otherwise_is_named(books: Receivables) -> None:
    one, two = await books.customer(external_id="C-1"), await books.customer(external_id="C-2")
    await books.issue(one, "100.00", issue_date="2024-02-01")
    await books.issue(two, "50.00", issue_date="2024-02-01")
    books.reporting.shows = [(one, "EUR", "100.00"), (two, "EUR", "49.00")]

    run = await reconcile(books)

    assert run["reporting"] == "differs"
    [difference] = run["differences"]
    assert (difference["what"], difference["customer_id"], difference["name"]) == ("reporting", two, "C-2")
    assert difference["difference"]["amount"] == "-1.00"


async def test_each_day_what_moved_is_compared_and_on_the_first_of_a_month_everything(books: Receivables) -> None:
    async def wake_on(day: str) -> None:
        """A day later in real time too."""
        await books.database.pool.execute("update reconciliation_schedule set not_before = now()")
        await books.wake_on(day)

    customer = await books.customer()
    await books.issue(customer, "100.00")
    for day in ("2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"):
        await wake_on(day)
    await books.issue(customer, "50.00")
    await wake_on("2024-03-05")
    await wake_on("2024-03-05")
    await wake_on("2024-04-01")

    runs = (await books.get("/v1/reconciliations"))["items"]

    assert [(run["on_day"], run["scope"], run["invoices_compared"]) for run in reversed(runs)] == [
        ("2024-03-01", "all", 1),
        ("2024-03-02", "moved", 1),
        ("2024-03-03", "moved", 0),
        ("2024-03-04", "moved", 0),
        ("2024-03-05", "moved", 1),
        ("2024-04-01", "all", 2),
    ]
    assert {run["reporting"] for run in runs} == {"unreachable"}
    assert (await books.get("/v1/reconciliations", differing=True))["items"] == []


async def test_days_simulated_within_an_hour_are_reconciled_once(books: Receivables) -> None:
    await books.issue(await books.customer(), "100.00")
    for day in ("2024-03-01", "2024-03-02", "2024-03-03"):
        await books.wake_on(day)

    assert [run["on_day"] for run in (await books.get("/v1/reconciliations"))["items"]] == ["2024-03-01"]


async def test_there_is_no_such_reconciliation(books: Receivables) -> None:
    answer = await books.http.get("/v1/reconciliations/019c1a6e-5d01-7b01-9c41-3f2a6d8e4b01")

    assert answer.status_code == 404
