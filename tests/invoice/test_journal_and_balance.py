"""What the journal says of it all, and what a customer owes."""

from __future__ import annotations

import csv
from io import StringIO

import asyncpg
import pytest

from tests.invoice.client import Receivables, eur, line


async def test_every_movement_is_booked_and_the_trial_balance_is_zero(books: Receivables) -> None:
    customer = await books.customer()
    taxed = [line("100.00", tax={"category": "S", "rate": "20"})]
    issued = (await books.post("/v1/invoices", {"customer_id": customer, "lines": taxed})).json()
    payment = await books.pay("150.00", customer_id=customer)
    await books.at("2024-03-05")
    await books.reverse(payment["id"])
    await books.issue(customer, "7", "JPY")

    entries = (await books.get("/v1/journal"))["items"]

    assert [(each["kind"], each["debit"], each["credit"], each["amount"]["amount"]) for each in entries] == [
        ("invoice", "trade_receivables", "revenue", "100.00"),
        ("tax", "trade_receivables", "output_tax", "20.00"),
        ("payment", "bank", "unapplied_cash", "150.00"),
        ("allocation", "unapplied_cash", "trade_receivables", "120.00"),
        ("reversal", "unapplied_cash", "bank", "150.00"),
        ("reversal", "trade_receivables", "unapplied_cash", "120.00"),
        ("invoice", "trade_receivables", "revenue", "7"),
    ]
    assert [each["reverses"] for each in entries[4:6]] == [each["id"] for each in entries[2:4]]
    assert {each["invoice_id"] for each in entries[:2]} == {issued["id"]}
    balance = await books.get("/v1/journal/trial-balance")
    assert {(each["account"], each["balance"]["currency"]): each["balance"]["amount"] for each in balance["items"]} == {
        ("bank", "EUR"): "0.00",
        ("output_tax", "EUR"): "-20.00",
        ("revenue", "EUR"): "-100.00",
        ("revenue", "JPY"): "-7",
        ("trade_receivables", "EUR"): "120.00",
        ("trade_receivables", "JPY"): "7",
        ("unapplied_cash", "EUR"): "0.00",
    }
    assert [each["difference"]["amount"] for each in balance["totals"]] == ["0.00", "0"]
    then = await books.get("/v1/journal/trial-balance", as_of="2024-03-04")
    assert {each["account"]: each["balance"]["amount"] for each in then["items"]}["bank"] == "150.00"


async def test_entries_are_listed_by_date_and_paged(books: Receivables) -> None:
    one, two = await books.customer(), await books.customer()
    for day in ("2024-02-03", "2024-02-01", "2024-02-02"):
        await books.issue(one, issue_date=day)
    await books.issue(two, issue_date="2024-02-02")

    first = await books.get("/v1/journal", **{"from": "2024-02-01", "to": "2024-02-02", "limit": 2})
    rest = await books.get(
        "/v1/journal", **{"from": "2024-02-01", "to": "2024-02-02", "limit": 2, "cursor": first["next_cursor"]}
    )

    days = [each["effective_on"] for page in (first, rest) for each in page["items"]]
    assert days == ["2024-02-01", "2024-02-02", "2024-02-02"]
    assert rest["next_cursor"] is None
    assert len((await books.get("/v1/journal", customer_id=two))["items"]) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update journal_entry set amount_minor = 1",
        "delete from journal_entry",
        "truncate journal_entry",
    ],
)
async def test_the_journal_cannot_be_changed(books: Receivables, statement: str) -> None:
    await books.issue(await books.customer())

    with pytest.raises(asyncpg.CheckViolationError, match="book a reversal"):
        await books.database.pool.execute(statement)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update invoice set allocated_minor = 1, balance_minor = 9999, status = 'partly_paid'", "invoice_adds_up"),
        ("update invoice set balance_minor = 1", "invoice_balance_adds_up"),
        ("update invoice set allocated_minor = 10001, balance_minor = -1", "invoice_amounts_not_negative"),
        ("update invoice set disputed_minor = 5", "invoice_adds_up"),
        ("update invoice set disputed_minor = 10001", "invoice_held_back_within_balance"),
        ("update payment set applied_minor = 1, unapplied_minor = 4999, status = 'partly_applied'", "payment_adds_up"),
        ("update payment set applied_minor = 5001, unapplied_minor = -1", "payment_not_over_allocated"),
        (
            "insert into allocation (payment_id, invoice_id, amount_minor, effective_on) "
            "select p.id, i.id, 1, '2024-03-01' from payment p, invoice i",
            "invoice_adds_up",
        ),
        (
            "insert into overdue_episode (invoice_id, episode, due_date, started_on, announced_on) "
            "select id, 1, due_date, due_date, due_date from invoice",
            "overdue_episode_after_due",
        ),
        ("update invoice set overdue_since = issue_date, overdue_episode = 1", "invoice_overdue_after_due"),
    ],
)
async def test_the_database_itself_refuses_what_does_not_add_up(
    books: Receivables, statement: str, constraint: str
) -> None:
    customer = await books.customer()
    await books.issue(customer, due_date="2024-03-31")
    await books.pay("50.00", customer_id=customer, apply="none")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await books.database.pool.execute(statement)

    assert refused.value.as_dict()["constraint_name"] == constraint


async def test_an_episode_cannot_be_announced_twice(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-01")

    with pytest.raises(asyncpg.UniqueViolationError):
        await books.database.pool.execute(
            "insert into overdue_episode (invoice_id, episode, due_date, started_on, announced_on)"
            " values ($1::text::uuid, 1, '2024-03-31', '2024-04-01', '2024-04-01')",
            issued["id"],
        )


async def test_a_balance_adds_up_what_is_owed_by_currency(books: Receivables) -> None:
    customer = await books.customer()
    late = await books.issue(customer, issue_date="2024-01-01", due_date="2024-01-31", number="A-1")
    soon = await books.issue(customer, "50.00", due_date="2024-03-01", number="A-2")
    yen = await books.issue(customer, "900", "JPY", due_date="2024-04-01", number="A-3")
    settled = await books.issue(customer, "5.00")
    await books.issue(await books.customer(), "77.00")
    await books.dispute(late["id"], "30.00")
    await books.pay("5.00", allocations=[{"invoice_id": settled["id"]}])
    await books.pay("12.00", customer_id=customer, apply="none")

    balance = await books.get(f"/v1/customers/{customer}/balance")

    assert (balance["customer_id"], balance["as_of"]) == (customer, "2024-03-01")
    assert balance["entity"] == {"id": "default", "name": "Dueward", "address": [], "country": None}
    assert balance["pay_link"].startswith("https://pay.example/pay/")
    assert balance["totals"] == [
        {
            "currency": "EUR",
            "open": eur("150.00"),
            "overdue": eur("100.00"),
            "disputed": eur("30.00"),
            "collectable": eur("120.00"),
            "unapplied": eur("12.00"),
            "on_plan": eur("0.00"),
            "being_collected": eur("0.00"),
        },
        {
            "currency": "JPY",
            "open": {"amount": "900", "currency": "JPY"},
            "overdue": {"amount": "0", "currency": "JPY"},
            "disputed": {"amount": "0", "currency": "JPY"},
            "collectable": {"amount": "900", "currency": "JPY"},
            "unapplied": {"amount": "0", "currency": "JPY"},
            "on_plan": {"amount": "0", "currency": "JPY"},
            "being_collected": {"amount": "0", "currency": "JPY"},
        },
    ]
    assert [(each["number"], each["days_overdue"]) for each in balance["items"]] == [
        *(("A-1", 30), ("A-2", 0), ("A-3", -31))
    ]
    assert [each["invoice_id"] for each in balance["items"]] == [late["id"], soon["id"], yen["id"]]
    assert (balance["items"][0]["disputed"], balance["items"][0]["collectable"]) == (eur("30.00"), eur("70.00"))


async def test_a_customer_without_invoices_owes_nothing_and_a_stranger_is_a_404(books: Receivables) -> None:
    balance = await books.get(f"/v1/customers/{await books.customer()}/balance")

    assert (balance["totals"], balance["items"]) == ([], [])
    stranger = await books.http.get("/v1/customers/0190b8d0-0000-7000-8000-000000000000/balance")
    assert stranger.status_code == 404
    assert stranger.json()["type"].endswith("/customer-not-found")


async def test_a_figure_is_drilled_into_its_entries(books: Receivables) -> None:
    customer = await books.customer()
    invoice = await books.issue(customer, "100.00")
    await books.issue(customer, "50.00")
    payment = await books.pay("100.00", customer_id=customer, reference=invoice["number"])

    of_invoice = (await books.get("/v1/journal", invoice_id=invoice["id"]))["items"]
    of_payment = (await books.get("/v1/journal", payment_id=payment["id"], account="bank"))["items"]

    assert [each["kind"] for each in of_invoice] == ["invoice", "allocation"]
    assert [(each["kind"], each["amount"]["amount"]) for each in of_payment] == [("payment", "100.00")]


async def test_the_general_ledger_takes_the_journal_under_its_own_account_codes(books: Receivables) -> None:
    chart = "/v1/entities/default/chart-of-accounts"
    mapped = await books.http.put(
        chart,
        json={"accounts": {"trade_receivables": {"code": "1400", "name": "Forderungen"}}},
        headers={"if-match": '"0"'},
    )
    stale = await books.http.put(chart, json={"accounts": {}}, headers={"if-match": '"0"'})
    customer = await books.customer(external_id="=HYPERLINK(1)")
    await books.issue(customer, "100.00", issue_date="2024-02-03")

    exported = await books.http.get("/v1/journal.csv", params={"from": "2024-02-01", "to": "2024-02-29"})

    assert (mapped.status_code, stale.status_code) == (200, 412)
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    header, row = csv.DictReader(StringIO(exported.text)).fieldnames, list(csv.DictReader(StringIO(exported.text)))
    assert header is not None
    assert header[:3] == ["entry", "entity", "effective_on"]
    [entry] = row
    assert (entry["debit_account"], entry["debit_name"]) == ("1400", "Forderungen")
    assert (entry["credit_account"], entry["credit_name"]) == ("4000", "Revenue")
    assert (entry["amount"], entry["currency"]) == ("100.00", "EUR")
    assert entry["customer"] == "'=HYPERLINK(1)"


async def test_an_export_of_an_unknown_entity_is_not_found(books: Receivables) -> None:
    assert (await books.http.get("/v1/journal.csv", params={"entity_id": "nowhere"})).status_code == 404
