"""Interest, recovery costs and fees over the real application: shown, charged once, waived, and put right later."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.invoice.consumers import subscriptions
from shared.db import transaction
from shared.events.reminder import CaseEscalated, CaseState
from tests.invoice.client import Receivables, eur, pointers, problem

EU = {"otherwise": {"law": "eu"}}


async def put_policies(books: Receivables, **policies: Any) -> None:
    seen = await books.http.get("/v1/entities/default")
    answer = await books.http.patch(
        "/v1/entities/default", json={"policies": policies}, headers={"if-match": seen.headers["etag"]}
    )
    assert answer.status_code == 200, answer.text


async def overdue(books: Receivables, customer: str | None = None, amount: str = "1000.00", **more: Any) -> Any:
    """Due on 31 January 2024; the clock stands at 1 March: 30 days at 12.50 % of 1,000.00 are 10.27."""
    dates = {"issue_date": "2024-01-01", "due_date": "2024-01-31"}
    return await books.issue(customer or await books.customer(), amount, **dates, **more)


async def charge(books: Receivables, invoice_id: str, kind: str = "interest", **about: Any) -> httpx.Response:
    return await books.post(f"/v1/invoices/{invoice_id}/charges", {"kind": kind, **about})


async def charged(books: Receivables, invoice_id: str, kind: str = "interest", **about: Any) -> dict[str, Any]:
    answer = await charge(books, invoice_id, kind, **about)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def accounts(books: Receivables) -> dict[str, str]:
    """What stands on each account: debit less credit."""
    found = await books.database.pool.fetch(
        "select account, sum(minor)::bigint as minor from ("
        " select debit as account, amount_minor as minor from journal_entry"
        " union all select credit, -amount_minor from journal_entry) sides group by account"
    )
    return {row["account"]: f"{row['minor'] / 100:.2f}" for row in found if row["minor"]}


async def test_interest_is_shown_segment_by_segment_before_it_is_charged(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)

    shown = await books.get(f"/v1/invoices/{issued['id']}/interest", as_of="2024-07-10")

    assert (shown["law"], shown["reference"], shown["margin"]) == ("eu", "ecb_mro", "8.00")
    assert [
        (each["from"], each["to"], each["days"], each["principal"], each["rate"], each["exact"], each["interest"])
        for each in shown["segments"]
    ] == [
        ("2024-02-01", "2024-06-30", 151, eur("1000.00"), "12.50", "51.71232877", eur("51.71")),
        ("2024-07-01", "2024-07-10", 10, eur("1000.00"), "12.25", "3.35616438", eur("3.36")),
    ]
    assert (shown["exact"], shown["interest"], shown["chargeable"]) == ("55.06849315", eur("55.07"), eur("55.07"))
    assert (await books.invoice(issued["id"]))["balance"] == eur("1000.00")


async def test_without_a_policy_nothing_is_borne_or_charged(books: Receivables) -> None:
    issued = await overdue(books)

    assert (await books.get(f"/v1/invoices/{issued['id']}/interest"))["segments"] == []
    assert problem(await charge(books, issued["id"]), 422) == "no-interest"
    assert problem(await charge(books, issued["id"], "recovery_cost"), 422) == "no-interest"


async def test_the_customers_country_says_which_law(books: Receivables) -> None:
    await put_policies(books, interest={"countries": {"GB": {"law": "uk"}}, **EU})
    german = await overdue(books)
    british = await overdue(books, await books.customer(country="GB", currency="GBP"), currency="GBP")

    assert (await books.get(f"/v1/invoices/{german['id']}/interest"))["law"] == "eu"
    shown = await books.get(f"/v1/invoices/{british['id']}/interest")
    # 5.25 % on 31 December 2023 plus 8: 1,000.00 x 13.25 % x 30 / 365 = 10.890410...
    assert (shown["reference"], shown["segments"][0]["rate"], shown["interest"]["amount"]) == (
        *("boe_bank_rate", "13.25", "10.89"),
    )
    cost = await charged(books, british["id"], "recovery_cost")
    assert cost["amount"] == {"amount": "70.00", "currency": "GBP"}


async def test_interest_is_charged_to_date_and_no_day_twice(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)

    first = await charged(books, issued["id"], to="2024-02-15")
    second = await charged(books, issued["id"])

    assert (first["from"], first["to"], first["amount"]) == ("2024-02-01", "2024-02-15", eur("5.14"))
    assert (second["from"], second["to"], second["amount"]) == ("2024-02-16", "2024-03-01", eur("5.13"))
    assert problem(await charge(books, issued["id"]), 422) == "nothing-to-charge"
    assert pointers(await charge(books, issued["id"], to="2024-03-02")) == ["#/to"]
    after = await books.invoice(issued["id"])
    assert (after["balance"], after["collectable"]) == (eur("1010.27"), eur("1010.27"))
    told = (await books.published(issued["id"]))[-1]
    assert (told["type"], told["data"]["kind"], told["data"]["change"], told["data"]["charge_id"]) == (
        *("invoice.charged", "interest", eur("5.13"), second["id"]),
    )
    assert await accounts(books) == {
        "trade_receivables": "1010.27",
        "revenue": "-1000.00",
        "interest_income": "-10.27",
    }


async def test_interest_survives_the_principal_and_opens_the_invoice_again(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    await books.pay("1000.00", reference=issued["number"])
    assert (await books.invoice(issued["id"]))["status"] == "settled"

    await books.at("2024-05-01")
    late = await charged(books, issued["id"])

    assert (late["to"], late["amount"]) == ("2024-05-01", eur("10.27"))
    after = await books.invoice(issued["id"])
    assert (after["status"], after["balance"]) == ("partly_paid", eur("10.27"))


async def test_a_payment_booked_late_puts_the_interest_right(books: Receivables) -> None:
    """Received on 10 February, booked on 1 March after interest was charged: 10 days are owed, 3.424657..., not 30."""
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    wrong = await charged(books, issued["id"])

    await books.pay("1000.00", reference=issued["number"], received_on="2024-02-10")
    await books.tick()

    assert (await books.invoice(issued["id"]))["balance"] == eur("3.42")
    old, new = (await books.get(f"/v1/invoices/{issued['id']}/charges"))["items"]
    assert (old["id"], old["status"], old["amount"]) == (wrong["id"], "corrected", eur("10.27"))
    assert (new["status"], new["amount"], new["from"], new["to"]) == (
        *("standing", eur("3.42"), "2024-02-01", "2024-03-01"),
    )
    shown = await books.get(f"/v1/invoices/{issued['id']}/interest")
    assert (shown["interest"], shown["charged"], shown["chargeable"]) == (eur("3.42"), eur("3.42"), eur("0.00"))
    types = [event["type"] for event in await books.published(issued["id"])]
    assert "invoice.settled" not in types
    assert (await accounts(books))["interest_income"] == "-3.42"
    await books.tick()
    assert len((await books.get(f"/v1/invoices/{issued['id']}/charges"))["items"]) == 2


async def test_a_rate_that_was_put_right_puts_the_charges_right(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    await charged(books, issued["id"])
    seen = await books.http.get("/v1/interest-rates/ecb_mro")
    about = seen.json()
    body = {
        "title": about["title"],
        "source": "a correction",
        "known_until": about["known_until"],
        "rates": [
            {**rate, "percent": "4.00"} if rate["valid_from"] == "2023-09-20" else rate for rate in about["rates"]
        ],
    }

    answer = await books.http.put("/v1/interest-rates/ecb_mro", json=body, headers={"if-match": seen.headers["etag"]})
    await books.tick()

    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    # 1,000.00 x 12.00 % x 30 / 365 = 9.863013...
    assert (await books.invoice(issued["id"]))["balance"] == eur("1009.86")
    stale = await books.http.put("/v1/interest-rates/ecb_mro", json=body, headers={"if-match": seen.headers["etag"]})
    assert problem(stale, 412) == "stale-version"


async def test_a_waived_charge_is_not_owed_and_its_days_are_not_charged_again(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    interest = await charged(books, issued["id"])
    path = f"/v1/charges/{interest['id']}/waiver"

    waived = await books.post(path, {"reason": "a good customer"})

    assert (waived.json()["status"], waived.json()["ended_why"]) == ("waived", "a good customer")
    assert (await books.invoice(issued["id"]))["balance"] == eur("1000.00")
    assert problem(await charge(books, issued["id"]), 422) == "nothing-to-charge"
    assert problem(await books.post(path, {"reason": "again"}), 409) == "charge-closed"
    assert "interest_income" not in await accounts(books)
    await books.at("2024-03-02")
    assert (await charged(books, issued["id"]))["amount"] == eur("0.35")  # 31 days are 10.616438..., less 10.27.


async def test_what_was_paid_of_a_waived_charge_is_unapplied_cash_again(books: Receivables) -> None:
    issued = await overdue(books)
    fee = await charged(books, issued["id"], "fee", amount=eur("5.00"), reason="returned debit")
    payment = await books.pay("1005.00", reference=issued["number"])

    waived = await books.post(f"/v1/charges/{fee['id']}/waiver", {"reason": "it was our bank"})

    assert waived.status_code == 201, waived.text
    assert (await books.invoice(issued["id"]))["status"] == "settled"
    assert (await books.get(f"/v1/payments/{payment['id']}"))["unapplied"] == eur("5.00")
    assert await accounts(books) == {"bank": "1005.00", "revenue": "-1000.00", "unapplied_cash": "-5.00"}


async def test_interest_that_was_paid_and_not_owed_is_unapplied_cash_again(books: Receivables) -> None:
    """10.27 is charged and paid; then the 1,000.00 turn out to have come on 10 February, so that 3.42 was owed."""
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    await charged(books, issued["id"])
    early = await books.pay("10.27", reference=issued["number"])

    await books.pay("1000.00", reference=issued["number"], received_on="2024-02-10")
    await books.tick()

    after = await books.invoice(issued["id"])
    assert (after["status"], after["balance"]) == ("settled", eur("0.00"))
    payments = (await books.get("/v1/payments"))["items"]
    assert sum(float(each["unapplied"]["amount"]) for each in payments) == 6.85
    assert early["id"] in {each["id"] for each in payments}
    assert (await accounts(books))["interest_income"] == "-3.42"


async def test_the_recovery_cost_is_charged_once_and_only_when_something_was_late(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    late, in_time = await overdue(books), await books.issue(await books.customer())

    cost = await charged(books, late["id"], "recovery_cost")

    assert cost["amount"] == eur("40.00")
    assert problem(await charge(books, late["id"], "recovery_cost"), 409) == "charged-already"
    assert problem(await charge(books, in_time["id"], "recovery_cost"), 422) == "nothing-to-charge"
    assert (await accounts(books))["fee_income"] == "-40.00"
    assert pointers(await charge(books, late["id"], "fee")) == ["#/amount"]
    assert pointers(await charge(books, late["id"], "interest", amount=eur("1.00"))) == ["#"]


async def test_what_is_disputed_bears_nothing_until_the_dispute_is_rejected(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    dispute = (await books.dispute(issued["id"], "400.00")).json()

    # 600.00 x 12.50 % x 30 / 365 = 6.164383...
    assert (await charged(books, issued["id"]))["amount"] == eur("6.16")
    path = f"/v1/invoices/{issued['id']}/disputes/{dispute['id']}/resolution"
    await books.post(path, {"outcome": "rejected"})
    assert (await charged(books, issued["id"]))["amount"] == eur("4.11")


async def test_what_is_paid_by_a_plan_bears_nothing_while_it_runs(books: Receivables) -> None:
    await put_policies(books, interest=EU)
    issued = await overdue(books)
    await books.post(f"/v1/invoices/{issued['id']}/plans", {"count": 2, "first_on": "2024-04-01"})
    await books.at("2024-03-20")

    shown = await books.get(f"/v1/invoices/{issued['id']}/interest")

    assert [(each["from"], each["to"]) for each in shown["segments"]] == [("2024-02-01", "2024-03-01")]


async def test_by_itself_interest_is_charged_on_the_first_of_each_month(books: Receivables) -> None:
    await books.at("2024-03-15")
    await put_policies(books, interest={"charge": "monthly", **EU})
    open_, paid_late = await overdue(books), await overdue(books)
    await books.tick()
    await books.at("2024-03-20")
    await books.pay("1000.00", reference=paid_late["number"])
    await books.wake_on("2024-03-31")
    assert (await books.invoice(open_["id"]))["balance"] == eur("1000.00")

    await books.wake_on("2024-04-01")

    # February and March are 60 days, 20.547945...; the other was paid after 49, 16.780821...
    assert (await books.invoice(open_["id"]))["balance"] == eur("1020.55")
    assert (await books.invoice(paid_late["id"]))["balance"] == eur("16.78")
    [one] = (await books.get(f"/v1/invoices/{open_['id']}/charges"))["items"]
    assert (one["automatic"], one["to"], one["charged_on"]) == (True, "2024-03-31", "2024-04-01")
    await books.wake_on("2024-06-10")  # Away for two months: each is caught up on, and none twice.
    charges = (await books.get(f"/v1/invoices/{open_['id']}/charges"))["items"]
    assert [each["to"] for each in charges] == ["2024-03-31", "2024-04-30", "2024-05-31"]
    assert (await books.get(f"/v1/invoices/{open_['id']}/interest", as_of="2024-05-31"))["chargeable"] == eur("0.00")


async def test_a_month_whose_rate_is_not_known_waits_for_it(books: Receivables) -> None:
    await books.at("2026-07-10")
    await put_policies(books, interest=EU)
    issued = await books.issue(await books.customer(), "1000.00", issue_date="2026-06-01", due_date="2026-06-20")

    assert problem(await charge(books, issued["id"]), 422) == "interest-rate-unknown"
    assert (await charged(books, issued["id"], to="2026-06-30"))["amount"] == eur("2.78")
    assert (await books.get(f"/v1/invoices/{issued['id']}/interest"))["segments"][-1]["provisional"] is True


def escalated(customer: str, *actions: str, case_id: UUID, step: str = "second") -> CaseEscalated:
    case = CaseState(
        id=case_id,
        version=3,
        entity_id="default",
        episode=1,
        status="open",
        strategy="standard",
        strategy_version=1,
        level=2,
        step=step,
        oldest_due_on=None,
        collectable=(),
    )
    day = date(2024, 3, 1)
    return CaseEscalated(
        customer_id=UUID(customer), effective_on=day, booked_on=day, entity_id="default", case=case, actions=actions
    )


async def take(books: Receivables, event: CaseEscalated) -> None:
    async with transaction(books.database) as tx:
        for handler in subscriptions.routes[event.type]:
            await handler(tx, event)


async def test_a_fee_asked_for_by_a_reminder_is_charged_once_for_its_step(books: Receivables) -> None:
    await put_policies(books, reminder_fee=[eur("5.00")], interest=EU)
    customer, case_id = await books.customer(), uuid4()
    oldest = await overdue(books, customer)
    other = await books.issue(customer, "50.00", issue_date="2024-01-01", due_date="2024-02-20")

    await take(books, escalated(customer, "fee", case_id=case_id))
    await take(books, escalated(customer, "fee", case_id=case_id))
    await take(books, escalated(customer, "fee", "interest", case_id=case_id, step="third"))
    await take(books, escalated(customer, "agency_referral", case_id=case_id, step="fourth"))

    charges = (await books.get(f"/v1/invoices/{oldest['id']}/charges"))["items"]
    assert [(each["kind"], each["amount"], each["asked_by"]["step"]) for each in charges] == [
        ("fee", eur("5.00"), "second"),
        ("interest", eur("10.27"), "third"),
        ("fee", eur("5.00"), "third"),
    ]
    # 10 days of 50.00 at 12.50 % are 0.171232...
    assert [each["kind"] for each in (await books.get(f"/v1/invoices/{other['id']}/charges"))["items"]] == ["interest"]
    assert (await books.invoice(oldest["id"]))["balance"] == eur("1020.27")


async def test_no_fee_is_charged_where_the_policy_has_none_or_nothing_may_be_collected(books: Receivables) -> None:
    customer = await books.customer()
    issued = await overdue(books, customer)
    await take(books, escalated(customer, "fee", "interest", case_id=uuid4()))
    await put_policies(books, reminder_fee=[eur("5.00")])
    await books.dispute(issued["id"])
    await take(books, escalated(customer, "fee", "interest", case_id=uuid4()))

    assert (await books.get(f"/v1/invoices/{issued['id']}/charges"))["items"] == []


async def test_a_contracts_own_reference_rate_can_be_kept(books: Receivables) -> None:
    body = {
        "title": "House bank's prime rate",
        "source": "agreement of 1 January",
        "known_until": "2024-12-31",
        "rates": [{"valid_from": "2024-01-01", "percent": "5.125"}],
    }
    answer = await books.http.put("/v1/interest-rates/prime", json=body, headers={"if-none-match": "*"})
    await put_policies(books, interest={"otherwise": {"law": "contract", "reference": "prime", "margin": "2"}})

    assert answer.status_code == 201, answer.text
    shown = await books.get(f"/v1/invoices/{(await overdue(books))['id']}/interest")
    assert shown["segments"][0]["rate"] == "7.125"
    names = [each["series"] for each in (await books.get("/v1/interest-rates"))["items"]]
    assert names == ["boe_bank_rate", "de_basiszinssatz", "ecb_mro", "prime"]
    backwards = {**body, "rates": [{"valid_from": "2024-02-01", "percent": "5"}, *body["rates"]]}
    assert pointers(await books.http.put("/v1/interest-rates/x1", json=backwards, headers={"if-none-match": "*"})) == [
        "#"
    ]
