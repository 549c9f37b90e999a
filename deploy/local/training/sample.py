"""The sample book: some dozen generated customers, and those whom the scenarios are about, on the morning it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import uvloop

from deploy.local import generate, ledger, replay
from deploy.local.layout import Layout
from deploy.local.ledger import Row
from deploy.local.profiles import profile
from deploy.local.replay import Progress
from deploy.local.training.scenario import gbp
from deploy.local.training.world import TRAINEE, State, World
from shared.money import Money

MORNING = datetime(2024, 6, 10, 7, 30, tzinfo=UTC)
"""A Monday, half an hour before the first reminders go out in London."""
CUSTOMERS = 30
SEED = 11

ALBION = "GB-0128-TRN"
COTSWOLD = "GB-0123-TRN"
CHILTERN = "GB-0107-TRN"
FENLAND_FREIGHT = "GB-0113-TRN"
FENLAND_PRINT = "GB-0125-TRN"
THISTLE = "GB-0122-TRN"

AGENCY = "meridian"
FIRST_LIMIT = "12000.00"

ACTS = """
ALBION           A-24005  2024-01-29  2024-03-14  15250.00  2024-03-18  key
ALBION           A-24024  2024-04-02  2024-05-17  18600.00  -           key
COTSWOLD         A-24007  2024-02-12  2024-03-13   3120.00  2024-03-22  mid
COTSWOLD         A-24032  2024-04-29  2024-05-29   4860.00  -           mid
CHILTERN         A-24004  2024-01-26  2024-02-25   2310.00  -           small
FENLAND_FREIGHT  A-24009  2024-02-20  2024-03-21   1210.00  2024-03-19  small
FENLAND_FREIGHT  A-24033  2024-05-01  2024-05-31   1940.00  -           small
FENLAND_PRINT    A-24008  2024-02-16  2024-03-17    870.00  2024-03-28  small
FENLAND_PRINT    A-24030  2024-04-25  2024-05-25   1940.00  -           small
THISTLE          A-24003  2024-01-22  2024-02-21   6400.00  2024-02-24  mid
THISTLE          A-24010  2024-02-26  2024-03-27   7150.00  2024-03-29  mid
THISTLE          A-24020  2024-03-25  2024-04-24   6900.00  2024-04-29  mid
"""
"""What the scenarios' customers bought and paid before: number, issued, due, amount in GBP, paid, segment."""

TEAM = {
    TRAINEE: {"name": "You", "role": "collections"},
    "maya": {"name": "Maya Lindqvist", "role": "manager", "email": "maya@seller.example"},
    "sam": {"name": "Sam Oyelaran", "role": "sales", "email": "sam@seller.example"},
    "wanda": {"name": "Wanda Kiss", "role": "service", "email": "wanda@seller.example"},
}


def acts() -> list[Row]:
    """The history of the scenarios' customers, as rows of a ledger."""
    refs = {
        "ALBION": ALBION,
        "COTSWOLD": COTSWOLD,
        "CHILTERN": CHILTERN,
        "FENLAND_FREIGHT": FENLAND_FREIGHT,
        "FENLAND_PRINT": FENLAND_PRINT,
        "THISTLE": THISTLE,
    }
    rows = []
    for line, text in enumerate(ACTS.strip().splitlines(), start=1):
        who, number, issued, due, amount, paid, segment = text.split()
        rows.append(
            Row(
                line=line,
                customer_ref=refs[who],
                invoice_number=number,
                invoice_date=date.fromisoformat(issued),
                due_date=date.fromisoformat(due),
                amount=Money.parse(amount, "GBP"),
                settled_date=None if paid == "-" else date.fromisoformat(paid),
                disputed=False,
                segment=segment,
                channel="email",
            )
        )
    return rows


def book(customers: int = CUSTOMERS) -> list[Row]:
    """The generated part, as it stands on that morning: what is paid later is open."""
    today = MORNING.date()
    generated = generate.ledger(generate.Parameters(seed=SEED, customers=customers, years=1)) if customers else []
    rows, _ = ledger.read([",".join(ledger.COLUMNS) + "\n", *(",".join(row.values()) + "\n" for row in generated)])
    known = [row for row in rows if row.invoice_date < today]
    return [
        replace(row, settled_date=row.settled_date if row.settled_date and row.settled_date < today else None)
        for row in known
    ]


def set_up(
    layout: Layout, customers: int = CUSTOMERS, on_progress: Callable[[Progress], None] = lambda _: None
) -> World:
    """Bring a fresh stack on simulated time to the morning on which the training begins. Raises ReplayFailed."""
    world = World(layout, State(layout.run, MORNING.isoformat()))
    rows = [*acts(), *book(customers)]
    # What falls due later would carry the replay beyond the morning.
    replayed = [row for row in rows if row.due_date < MORNING.date()]
    uvloop.run(replay.run(world.target, replayed, on_progress))
    world.walk(MORNING)
    world.state.customers = {each["external_id"]: each["id"] for each in world.items("credit", "/v1/customers")}
    for row in rows:
        if row.due_date >= MORNING.date():
            _issue(world, row)
    _open_desk(world)
    world.settle()
    world.keep()
    return world


def _issue(world: World, row: Row) -> None:
    customer = world.state.customers.get(row.customer_ref) or _onboard(world, row)
    body = {
        "customer_id": customer,
        "number": row.invoice_number,
        "issue_date": row.invoice_date.isoformat(),
        "due_date": row.due_date.isoformat(),
        "lines": [
            {
                "description": "Goods and services",
                "unit_price": {"amount": row.amount.amount, "currency": row.amount.currency},
            }
        ],
    }
    world.post("invoice", "/v1/invoices", body, f"issue-{row.invoice_number}")


def _onboard(world: World, row: Row) -> str:
    who = profile(row.customer_ref, row.amount.currency)
    body = {
        "external_id": row.customer_ref,
        "name": who.name,
        "country": who.country,
        "language": who.language,
        "time_zone": who.time_zone,
        "currency": row.amount.currency,
        "segment": row.segment,
        "payment_terms": {"net_days": who.net_days},
        "contacts": [{"role": "billing", "name": who.contact_name, "email": who.email}],
        "address": {"lines": [who.street], "postal_code": who.postal_code, "city": who.city},
    }
    customer = world.post("credit", "/v1/customers", body, f"onboard-{row.customer_ref}")["id"]
    world.state.customers[row.customer_ref] = customer
    return customer


def _open_desk(world: World) -> None:
    """Colleagues, an agency, and a limit that somebody set by hand."""
    for subject, colleague in TEAM.items():
        world.put("reminder", f"/v1/team/{subject}", colleague)
    commission = [{"days_from": 0, "percent": "12"}, {"days_from": 180, "percent": "18"}]
    agency = {"name": "Meridian Recoveries", "email": "claims@meridian.example", "commission": commission}
    world.put("reminder", f"/v1/agencies/{AGENCY}", agency)
    thistle = world.state.customers[THISTLE]
    version = world.get("credit", f"/v1/customers/{thistle}/credit")["version"]
    limit = {"limit": gbp(FIRST_LIMIT), "reason": "Opening limit after vetting, January 2024"}
    world.put("credit", f"/v1/customers/{thistle}/credit-limit", limit, version)
