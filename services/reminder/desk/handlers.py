"""The collector's pages, gathered from the other features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.calls import handlers as calls
from services.reminder.cases.handlers import View
from services.reminder.contacts import handlers as contacts
from services.reminder.desk import rules
from services.reminder.desk.rules import Line
from services.reminder.explanations import handlers as explanations
from services.reminder.explanations.rules import Explanation
from services.reminder.followers import handlers as followers
from services.reminder.followers.rules import Follower
from services.reminder.legal import handlers as legal
from services.reminder.legal.rules import Limitation, Proceeding
from services.reminder.notes import handlers as notes
from services.reminder.offers import handlers as offers
from services.reminder.offers.rules import Offer
from services.reminder.pauses import handlers as pauses
from services.reminder.pauses.rules import Pause
from services.reminder.placements import handlers as placements
from services.reminder.placements.rules import Placement
from services.reminder.promises import handlers as promises
from services.reminder.promises.rules import Figures as PromiseFigures
from services.reminder.promises.rules import Promise
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import totals
from services.reminder.replies import handlers as replies
from services.reminder.replies.rules import Reply
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import Task
from services.reminder.team import handlers as team
from services.reminder.team.rules import Colleague
from services.reminder.worklist import handlers as worklist
from services.reminder.worklist import rules as advice
from services.reminder.worklist.handlers import FindWork
from services.reminder.worklist.rules import Entry, Guidance, Part
from shared.calendar import local_date
from shared.db import Tx
from shared.money import Money

LINES = 60
ROWS = 50
LIMITATIONS = 5


@dataclass(frozen=True, slots=True)
class Work:
    """The worklist's rows, each with what to do next."""

    rows: Sequence[tuple[Entry, Guidance]]
    today: date
    older: str | None
    team: Sequence[Colleague]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """All there is to say of an account. `entry` is None when nothing is overdue and nobody has anything to do;
    `lapsing` are the claims of which somebody was warned that they lapse. `today` is the customer's; days late are
    counted up to `counted_on`, as on the worklist and in reports."""

    view: View
    today: date
    counted_on: date
    entry: Entry | None
    parts: Sequence[Part]
    guidance: Guidance | None
    explanation: Explanation
    invoice_ids: Mapping[str, UUID]
    owed: Sequence[Money]
    overdue: Sequence[Money]
    promise_figures: PromiseFigures
    promises: Sequence[Promise]
    pause: Pause | None
    offer: Offer | None
    placement: Placement | None
    proceedings: Sequence[Proceeding]
    lapsing: Sequence[tuple[Limitation, Money]]
    replies: Sequence[Reply]
    tasks: Sequence[Task]
    followers: Sequence[Follower]
    team: Sequence[Colleague]
    lines: Sequence[Line]

    @property
    def currency(self) -> str:
        """Which a promise is most likely in."""
        return (self.overdue or self.owed or (Money(0, "EUR"),))[0].currency


async def draw_work(tx: Tx, command: FindWork) -> Work:
    """A page of the worklist."""
    found = await worklist.list_work(tx, command)
    shown = found[: command.limit - 1]
    last = shown[-1] if len(found) > len(shown) else None
    return Work(
        rows=[(entry, advice.next_action(entry, tx.now)) for entry in shown],
        today=tx.now.date(),
        older=rules.cursor(last.points, last.customer_id, last.entity_id) if last else None,
        team=await team.list_team(tx),
    )


async def draw_account(tx: Tx, customer_id: UUID, entity_id: str) -> AccountPage:
    """Raises CaseNotFound."""
    view, explanation = await explanations.explain_case(tx, customer_id, entity_id)
    found = await worklist.list_work(tx, FindWork(entity_id, snoozed=True, customer_id=customer_id, limit=1))
    entry = found[0] if found else None
    known_promises = await promises.list_promises(tx, customer_id, entity_id, None, None, LINES)
    known_pauses = await pauses.list_pauses(tx, customer_id, entity_id, None, None, LINES)
    known_replies = await replies.list_replies(tx, customer_id, entity_id, None, None, LINES)
    known_offers = await offers.list_offers(tx, customer_id, entity_id, None, None, LINES)
    known_placements = await placements.list_placements(tx, customer_id, entity_id, None, None, None, LINES)
    known_proceedings = await legal.list_proceedings(tx, customer_id, entity_id, None, None, None, LINES)
    watched = await legal.list_limitations(tx, customer_id, entity_id, None, None, LIMITATIONS)
    late = await contacts.list_contacts(tx, customer_id, None, None, LINES)
    return AccountPage(
        view=view,
        today=local_date(tx.now, view.account.time_zone),
        counted_on=tx.now.date(),
        entry=entry,
        parts=advice.parts(entry, tx.now) if entry else (),
        guidance=advice.next_action(entry, tx.now) if entry else None,
        explanation=explanation,
        invoice_ids=await receivables.open_invoices(tx, (customer_id, entity_id)),
        owed=totals(item.balance for item in view.account.items),
        overdue=totals(item.collectable for item in view.account.overdue),
        promise_figures=await promises.figures(tx, customer_id, entity_id),
        promises=[promise for promise in known_promises if promise.is_open],
        pause=next((pause for pause in known_pauses if pause.runs), None),
        offer=next((offer for offer in known_offers if offer.look_at), None),
        placement=next((each for each in known_placements if each.ended_on is None), None),
        proceedings=[each for each in known_proceedings if each.status == "open"],
        lapsing=[(each, owed) for each, owed in watched if each.warned_on],
        replies=[reply for reply in known_replies if reply.status == "open"],
        tasks=sorted(await tasks.open_tasks(tx, customer_id, entity_id), key=lambda task: advice.pressing(task.kind)),
        followers=await followers.list_followers(tx, customer_id, entity_id),
        team=await team.list_team(tx),
        lines=rules.timeline(
            [contact for contact in late if contact.entity_id == entity_id],
            await calls.list_calls(tx, customer_id, entity_id, None, LINES),
            await notes.list_notes(tx, customer_id, entity_id, None, LINES),
            known_promises,
            known_pauses,
            known_replies,
            known_offers,
            known_placements,
            known_proceedings,
        )[:LINES],
    )


async def draw_team(tx: Tx) -> list[Colleague]:
    return await team.list_team(tx)
