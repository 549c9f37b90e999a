"""Holds a replayed stack against what its ledger says, and against what has to be true of any books.

Everything is asked over HTTP and compared with `truth.py`; each difference is a sentence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

from deploy.local.layout import SERVICE_PORTS
from deploy.local.ledger import Row
from tests.system.stand import Stand
from tests.system.truth import BUCKETS, Claim, Truth

CAP_IN_7_DAYS = 3
MAILED = ("sent", "delivered")
RATIOS = ("dso", "dso_countback", "best_possible_dso", "average_days_delinquent", "cei")


def truth_of(rows: list[Row]) -> Truth:
    return Truth(
        Claim(
            customer=row.customer_ref,
            number=row.invoice_number,
            issued=row.invoice_date,
            due=row.due_date,
            amount=Decimal(row.amount.amount),
            currency=row.amount.currency,
            settled=row.settled_date,
        )
        for row in rows
    )


def differences(stand: Stand, rows: list[Row]) -> list[str]:
    """Every way in which the books do not come out; none when all is well."""
    truth = truth_of(rows)
    return [
        *_reports(stand, truth),
        *_invoices(stand, truth),
        *_contacts(stand, rows),
        *_journal(stand, truth),
        *_exposure(stand, truth),
        *_events(stand),
    ]


def _reports(stand: Stand, truth: Truth) -> Iterator[str]:
    for day in truth.month_ends():
        pages = stand.pages("reporting", "/v1/reports/ageing", as_of=day.isoformat())
        aged = {item["currency"]: item for item in pages if item["group"] is None}
        reported = stand.get("reporting", "/v1/reports/kpis", as_of=day.isoformat(), window_days=90)
        kpis = {item["currency"]: item for item in reported["items"]}
        for currency in truth.currencies:
            want, have = truth.ageing(day, currency), aged.get(currency, {})
            figures = {**want.buckets, "total": want.total, "overdue": want.overdue}
            for name in (*BUCKETS, "total", "overdue"):
                if Decimal(have.get(name, "0")) != figures[name]:
                    yield f"ageing on {day}, {currency} {name}: {have.get(name)} instead of {figures[name]}"
            if have.get("open_invoices", 0) != want.open_invoices:
                yield f"ageing on {day}, {currency}: {have.get('open_invoices')} open instead of {want.open_invoices}"
            yield from _kpis(truth, day, currency, kpis.get(currency, {}))


def _kpis(truth: Truth, day: date, currency: str, have: dict[str, Any]) -> Iterator[str]:
    want = truth.kpis(day, currency)
    for name in ("receivables", "overdue", "credit_sales"):
        if Decimal(have.get(name, "0")) != getattr(want, name):
            yield f"{name} on {day}, {currency}: {have.get(name)} instead of {getattr(want, name)}"
    for name in RATIOS:
        ratio, expected = have.get(name), getattr(want, name)
        close = ratio is not None and expected is not None and abs(Decimal(ratio) - expected) <= Decimal("0.01")
        if not close and not (ratio is None and expected is None):
            yield f"{name} on {day}, {currency}: {ratio} instead of {expected}"


def _invoices(stand: Stand, truth: Truth) -> Iterator[str]:
    have = {item["number"]: item for item in stand.pages("invoice", "/v1/invoices", limit=500)}
    want = truth.final_balances()
    if have.keys() != want.keys():
        yield f"{len(have)} invoices instead of {len(want)}"
    for number, balance in want.items():
        if number in have and Decimal(have[number]["balance"]["amount"]) != balance:
            yield f"invoice {number}: balance {have[number]['balance']['amount']} instead of {balance}"
        settled = have.get(number, {}).get("status") == "settled"
        if settled != (balance == 0):
            yield f"invoice {number}: status {have.get(number, {}).get('status')} with a balance of {balance}"
    overdue = stand.pages("reporting", "/v1/events", type="dueward.invoice.overdue.v1", limit=500)
    episodes = Counter((event["subject"], event["data"]["episode"]) for event in overdue)
    if twice := [subject for (subject, _), n in episodes.items() if n > 1]:
        yield f"{len(twice)} overdue episodes were announced twice"
    if len(episodes) != truth.overdue_episodes():
        yield f"{len(episodes)} overdue episodes instead of {truth.overdue_episodes()}"


def _contacts(stand: Stand, rows: list[Row]) -> Iterator[str]:
    of_number = {row.invoice_number: row for row in rows}
    contacts = list(stand.pages("reminder", "/v1/contacts", limit=500))
    mailed = [contact for contact in contacts if contact["status"] in MAILED]
    steps = Counter((c["customer_id"], c["episode"], c["step"], c["channel"]) for c in mailed)
    yield from (f"sent twice: {step}" for step, n in steps.items() if n > 1)
    days = defaultdict(list)
    for contact in mailed:
        on = datetime.fromisoformat(contact["sent_at"]).date()
        days[contact["customer_id"]].append(on)
        if not contact["invoices"]:
            yield f"contact {contact['id']} names no invoice"
        for number in contact["invoices"]:
            row = of_number[number]
            if row.settled_date and row.settled_date < on:
                yield f"on {on} somebody was reminded of {number}, settled on {row.settled_date}"
            if on < row.invoice_date:
                yield f"on {on} somebody was reminded of {number}, issued on {row.invoice_date}"
            if row.disputed:
                yield f"on {on} somebody was reminded of {number}, which was disputed"
    for customer, those in days.items():
        for start in those:
            if sum(timedelta(0) <= day - start < timedelta(days=7) for day in those) > CAP_IN_7_DAYS:
                yield f"customer {customer} was reminded too often in the 7 days from {start}"
    yield from _mails(stand, contacts)


def _mails(stand: Stand, contacts: list[dict[str, Any]]) -> Iterator[str]:
    """What the mail server took is what was recorded; only a crash between the two may leave a contact unknown."""
    mails: Counter[str] = Counter()
    for file in stand.layout.mails.glob("*.eml"):
        mails[message_from_bytes(file.read_bytes(), policy=policy.default)["X-Dueward-Contact"]] += 1
    status = {contact["id"]: contact["status"] for contact in contacts}
    yield from (f"contact {contact} was mailed {n} times" for contact, n in mails.items() if n > 1)
    yield from (f"contact {c} is recorded as sent, and no mail came" for c in _of(status, *MAILED) - mails.keys())
    yield from (f"a mail came of contact {c}, {status.get(c)}" for c in mails.keys() - _of(status, *MAILED, "unknown"))


def _of(status: dict[str, str], *wanted: str) -> set[str]:
    return {contact for contact, each in status.items() if each in wanted}


def _journal(stand: Stand, truth: Truth) -> Iterator[str]:
    balance = stand.get("invoice", "/v1/journal/trial-balance")
    for total in balance["totals"]:
        if Decimal(total["difference"]["amount"]):
            yield f"the journal is out of balance by {total['difference']}"
    receivables = {
        item["balance"]["currency"]: Decimal(item["balance"]["amount"])
        for item in balance["items"]
        if item["account"] == "trade_receivables"
    }
    for currency in truth.currencies:
        want = truth.ageing(truth.last, currency).total
        if receivables.get(currency, Decimal(0)) != want:
            yield f"the journal has {receivables.get(currency)} {currency} of receivables instead of {want}"


def _exposure(stand: Stand, truth: Truth) -> Iterator[str]:
    open_of: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for claim in truth.claims:
        if claim.open_on(truth.last):
            open_of[claim.customer, claim.currency] += claim.amount
    for customer in stand.pages("credit", "/v1/customers", limit=500):
        exposure = stand.get("credit", f"/v1/customers/{customer['id']}/credit")["exposure"]
        have = {money["currency"]: Decimal(money["amount"]) for money in exposure["items"]}
        for currency in truth.currencies:
            want = open_of[customer["external_id"], currency]
            if have.get(currency, Decimal(0)) != want:
                yield f"exposure of {customer['external_id']}: {have.get(currency)} {currency} instead of {want}"


def _events(stand: Stand) -> Iterator[str]:
    """Every published event reached every subscriber exactly once, and nothing lies aside."""
    idle = {service: stand.get(service, "/simulation/idle") for service in SERVICE_PORTS}
    published = {topic: n for each in idle.values() for topic, n in each["published"].items()}
    for service, each in idle.items():
        if each["outbox"] or each["parked"]:
            yield f"{service} has {each['outbox']} events to publish and {each['parked']} parked"
        for topic, n in each["applied"].items():
            if n != published.get(topic, 0):
                yield f"{service} applied {n} events of {topic} instead of {published.get(topic, 0)}"
    feed = Counter(event["id"] for event in stand.pages("reporting", "/v1/events", limit=500))
    if feed.total() != len(feed) or len(feed) != sum(published.values()):
        yield f"the feed has {feed.total()} events, {len(feed)} different, instead of {sum(published.values())}"
