"""The collector's workspace: the worklist, and an account with everything that can be done there as small forms."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.reminder.calls import handlers as calls
from services.reminder.calls.handlers import LogCall
from services.reminder.calls.rules import Outcome
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import JudgeStep
from services.reminder.desk import handlers, rules
from services.reminder.desk.rules import read_amount, said
from services.reminder.desk_offers.rules import in_words as offered
from services.reminder.doubts import handlers as doubts
from services.reminder.doubts.handlers import SettleContact
from services.reminder.followers import handlers as followers
from services.reminder.followers.handlers import FollowAccount
from services.reminder.navigation.rules import LINKS
from services.reminder.notes import handlers as notes
from services.reminder.notes.handlers import WriteNote
from services.reminder.offers import handlers as offers
from services.reminder.offers.handlers import DecideOffer
from services.reminder.pauses import handlers as pauses
from services.reminder.pauses import rules as pausing
from services.reminder.pauses.handlers import EndPause, PauseCase
from services.reminder.pauses.rules import Why
from services.reminder.promises import handlers as promises
from services.reminder.promises import rules as promising
from services.reminder.promises.handlers import MakePromise, WithdrawPromise
from services.reminder.receivables.rules import ENTITY
from services.reminder.replies import handlers as replies
from services.reminder.replies.handlers import FinishReply
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.handlers import FinishTask, HandTask
from services.reminder.team_figures import handlers as team_figures
from services.reminder.team_figures import rules as counting
from services.reminder.worklist import handlers as worklist
from services.reminder.worklist.handlers import AssignAccounts, FindWork, SnoozeAccounts
from shared.calendar import ONE_DAY, month_start
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.events.reminder import LatePaymentReason
from shared.http.dependencies import DatabaseDep
from shared.http.desks import Account
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
Text = Annotated[str, Query(max_length=200)]
Field = Annotated[str, Form(max_length=4_000)]
EntityId = Annotated[str, Query(min_length=1, max_length=40)]
Day = Annotated[date, Form()]
Decision = Annotated[bool, Form()]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    filters={"offered": offered, "advised": rules.advised},
    values={"outcomes": rules.OUTCOMES, "whys": rules.WHYS, "reasons": rules.REASONS},
)

Act = Callable[[Tx], Awaitable[Any]]


# --- the worklist ---


@pages.get("/")
async def list_work(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    whose: Text = "",
    snoozed: bool = False,
    after: Text = "",
) -> Response:
    """Accounts, the most important first: everybody's, mine with those nobody looks after, or a colleague's."""
    return await _draw_work(request, reader, database, whose, snoozed=snoozed, after=after)


async def _draw_work(
    request: Request,
    reader: Principal,
    database: Database,
    whose: str,
    *,
    snoozed: bool = False,
    after: str = "",
    refused: DomainError | None = None,
) -> Response:
    owner = reader.subject if whose == "mine" else whose or None
    place = rules.read_cursor(after)
    command = FindWork(owner=owner, nobodys=whose == "mine", snoozed=snoozed, after=place, limit=handlers.ROWS + 1)
    async with reading(database) as tx:
        shown = await handlers.draw_work(tx, command)
    kept = {"whose": whose, "snoozed": "1" if snoozed else ""}
    return FRAME.draw(
        request,
        reader,
        "worklist.html",
        refused=refused,
        shown=shown,
        whose=whose,
        snoozed=snoozed,
        first=link("/", **kept) if place else None,
        older=link("/", **kept, after=shown.older) if shown.older else None,
        may_write="reminders:write" in reader.scopes,
    )


@pages.post("/worklist")
async def change_many(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    account: Annotated[list[str], Form()],
    do: Annotated[str, Form(pattern="^(assign|snooze)$")],
    owner: Field = "",
    until: Annotated[date | None, Form()] = None,
    whose: Field = "",
) -> Response:
    """Assign or put off all accounts that are ticked."""
    ticked = [_key(each) for each in account]

    async def work(tx: Tx) -> None:
        if do == "assign":
            await worklist.assign_accounts(tx, AssignAccounts(ticked, owner or None))
        else:
            day = until or tx.now.date() + ONE_DAY
            await worklist.snooze_accounts(tx, SnoozeAccounts(ticked, day, reader.subject))

    async def again(refused: DomainError) -> Response:
        return await _draw_work(request, reader, database, whose, refused=refused)

    return await act(once, work, link("/", whose=whose, said="assigned" if do == "assign" else "snoozed"), again)


def _key(ticked: str) -> tuple[UUID, str]:
    customer_id, _, entity_id = ticked.partition("/")
    return UUID(customer_id), entity_id or ENTITY


# --- an account ---


@pages.get("/accounts/{customer_id}")
async def look_at(
    request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID, entity_id: EntityId = ENTITY
) -> Response:
    """Everything there is to know of an account, and what to do next."""
    return await _draw_account(request, reader, database, customer_id, entity_id)


async def _draw_account(
    request: Request,
    reader: Principal,
    database: Database,
    customer_id: UUID,
    entity_id: str,
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_account(tx, customer_id, entity_id)
    return FRAME.draw(
        request,
        reader,
        "account.html",
        refused=refused,
        shown=shown,
        account=shown.view.account,
        case=shown.view.case,
        account_shown=Account(customer_id, entity_id),
        may_write="reminders:write" in reader.scopes,
        may_approve={"reminders:write", "reminders:approve"} <= reader.scopes,
    )


class Visit:
    """A form sent from an account's page: `await visit.do(work, "noted")` acts and shows the account again."""

    def __init__(
        self,
        request: Request,
        reader: WriterDep,
        database: DatabaseDep,
        once: AttemptDep,
        customer_id: UUID,
        entity_id: EntityId = ENTITY,
    ) -> None:
        self.request, self.reader, self.database, self.once = request, reader, database, once
        self.customer_id, self.entity_id = customer_id, entity_id

    async def do(self, work: Act, word: str) -> Response:
        async def again(refused: DomainError) -> Response:
            return await _draw_account(
                self.request, self.reader, self.database, self.customer_id, self.entity_id, refused
            )

        entity = self.entity_id if self.entity_id != ENTITY else ""
        then = link(f"/accounts/{self.customer_id}", entity_id=entity, said=word)
        return await act(self.once, work, then, again)


VisitDep = Annotated[Visit, Depends(Visit)]


@pages.post("/accounts/{customer_id}/notes")
async def write_note(
    visit: VisitDep, body: Field = "", hand_to: Field = "", asks_for_pause: bool = Form(False)
) -> Response:
    async def work(tx: Tx) -> None:
        await notes.write_note(
            tx,
            WriteNote(
                visit.customer_id,
                visit.entity_id,
                visit.reader.subject,
                said(body, "Note"),
                hand_to=hand_to or None,
                asks_for_pause=asks_for_pause,
            ),
        )

    return await visit.do(work, "noted")


@pages.post("/accounts/{customer_id}/calls")
async def log_call(
    visit: VisitDep,
    outcome: Annotated[Outcome, Form()],
    person: Field = "",
    reason: Annotated[LatePaymentReason | None, Form()] = None,
    note: Field = "",
    call_back_on: Annotated[date | None, Form()] = None,
) -> Response:
    async def work(tx: Tx) -> None:
        command = LogCall(
            visit.customer_id,
            visit.entity_id,
            visit.reader.subject,
            outcome,
            person=person.strip() or None,
            reason=reason,
            note=note.strip() or None,
            call_back_on=call_back_on,
        )
        await calls.log_call(tx, command)

    return await visit.do(work, "called")


@pages.post("/accounts/{customer_id}/promises")
async def promise(
    visit: VisitDep, on: Day, currency: Annotated[str, Form(pattern="^[A-Z]{3}$")], amount: Field = "", note: Field = ""
) -> Response:
    async def work(tx: Tx) -> None:
        wanted = promising.Wanted(read_amount(amount, currency), on, ())
        command = MakePromise(
            visit.customer_id, visit.entity_id, wanted, visit.reader.subject, note=note.strip() or None
        )
        await promises.make_promise(tx, command)

    return await visit.do(work, "promised")


@pages.post("/accounts/{customer_id}/promises/{promise_id}/withdraw")
async def withdraw_promise(visit: VisitDep, promise_id: UUID, reason: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        await promises.withdraw_promise(tx, WithdrawPromise(promise_id, said(reason, "Reason")))

    return await visit.do(work, "done")


@pages.post("/accounts/{customer_id}/pauses")
async def pause(visit: VisitDep, until: Day, reason: Annotated[Why, Form()], note: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        wanted = pausing.Wanted(until, reason, note.strip() or None, (), visit.reader.subject)
        await pauses.pause_case(tx, PauseCase(visit.customer_id, visit.entity_id, wanted, visit.reader.subject))

    return await visit.do(work, "paused")


@pages.post("/accounts/{customer_id}/pauses/{pause_id}/end")
async def end_pause(visit: VisitDep, pause_id: UUID, why: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        await pauses.end_pause(tx, EndPause(pause_id, visit.reader.subject, why.strip() or None))

    return await visit.do(work, "resumed")


@pages.post("/accounts/{customer_id}/tasks/{task_id}/done")
async def finish_task(visit: VisitDep, task_id: UUID, outcome: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        await tasks.finish_by_hand(tx, FinishTask(task_id, visit.reader.subject, outcome.strip() or None))

    return await visit.do(work, "done")


@pages.post("/accounts/{customer_id}/tasks/{task_id}/hand")
async def hand_task(visit: VisitDep, task_id: UUID, assignee: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        await tasks.hand_task(tx, HandTask(task_id, said(assignee, "Colleague")))

    return await visit.do(work, "handed")


@pages.post("/accounts/{customer_id}/tasks/{task_id}/step")
async def judge_step(visit: VisitDep, task_id: UUID, approved: Decision, note: Field = "") -> Response:
    """Take the step that waits, or leave it out."""

    async def work(tx: Tx) -> None:
        await cases.judge_step(tx, JudgeStep(task_id, visit.reader.subject, approved, note.strip() or None))

    return await visit.do(work, "approved" if approved else "left_out")


@pages.post("/accounts/{customer_id}/offers/{offer_id}", dependencies=[Depends(SignedIn("reminders:approve"))])
async def decide_offer(visit: VisitDep, offer_id: UUID, approved: Decision, note: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        await offers.decide_offer(tx, DecideOffer(offer_id, approved, visit.reader.subject, note.strip() or None))

    return await visit.do(work, "approved" if approved else "rejected")


@pages.post("/accounts/{customer_id}/contacts/{contact_id}/settle")
async def settle_contact(visit: VisitDep, contact_id: UUID, arrived: Decision, note: Field = "") -> Response:
    """What became of a message in doubt."""

    async def work(tx: Tx) -> None:
        await doubts.settle_contact(tx, SettleContact(contact_id, arrived, visit.reader.subject, note.strip() or None))

    return await visit.do(work, "arrived" if arrived else "not_arrived")


@pages.post("/accounts/{customer_id}/replies/{reply_id}/done")
async def finish_reply(
    visit: VisitDep, reply_id: UUID, reason: Annotated[LatePaymentReason | None, Form()] = None, remark: Field = ""
) -> Response:
    async def work(tx: Tx) -> None:
        command = FinishReply(reply_id, visit.reader.subject, reason, remark.strip() or None)
        await replies.finish_reply(tx, command)

    return await visit.do(work, "read")


@pages.post("/accounts/{customer_id}/owner")
async def assign(visit: VisitDep, owner: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        await worklist.assign_accounts(tx, AssignAccounts([(visit.customer_id, visit.entity_id)], owner or None))

    return await visit.do(work, "assigned")


@pages.post("/accounts/{customer_id}/snooze")
async def snooze(visit: VisitDep, until: Annotated[date | None, Form()] = None) -> Response:
    async def work(tx: Tx) -> None:
        account = (visit.customer_id, visit.entity_id)
        await worklist.snooze_accounts(tx, SnoozeAccounts([account], until, visit.reader.subject))

    return await visit.do(work, "snoozed")


@pages.post("/accounts/{customer_id}/followers")
async def follow(visit: VisitDep, subject: Field = "") -> Response:
    async def work(tx: Tx) -> None:
        command = FollowAccount(visit.customer_id, visit.entity_id, said(subject, "Colleague"))
        await followers.follow_account(tx, command)

    return await visit.do(work, "followed")


# --- the team ---


@pages.get("/team")
async def team(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Who is there, who is away, and what was done this month."""
    async with reading(database) as tx:
        today = tx.now.date()
        figures = await team_figures.count(tx, month_start(today), today)
        colleagues = {colleague.subject: colleague for colleague in await handlers.draw_team(tx)}
    return FRAME.draw(
        request,
        reader,
        "team.html",
        figures=figures,
        total=counting.total(figures),
        colleagues=colleagues,
        today=today,
        may_write="reminders:write" in reader.scopes,
    )
