"""Follow accounts, and tell by mail each morning what has happened there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.followers import rules, store
from services.reminder.followers.rules import ATTEMPTS_MAX, Digest, Follower, NotFollowing, Unreachable
from services.reminder.receivables import handlers as receivables
from services.reminder.team import handlers as team
from services.reminder.team.rules import Colleague
from shared import mail
from shared.db import Tx
from shared.ids import new_id
from shared.mail import Parcel, Postman, Receipt, Unwritable
from shared.mail_address import subject_line

NEXT_DIGEST = store.NEXT_DIGEST
DIGESTS_AT_ONCE = 24
SENDER_NAME = "Dueward"
SETTLED_MINUTES = 5
"""What is younger waits for the next digest: it may not be committed yet, or happen at the very same moment."""
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FollowAccount:
    customer_id: UUID
    entity_id: str
    subject: str


async def follow_account(tx: Tx, command: FollowAccount) -> None:
    """Following twice is following. Raises CaseNotFound, ColleagueNotFound, Unreachable."""
    colleague = await team.find_colleague(tx, command.subject)
    if colleague.email is None:
        raise Unreachable(f"{command.subject} has no e-mail address, and the digest comes by mail")
    await receivables.lock(tx, [command.customer_id])
    await cases.find_case(tx, command.customer_id, command.entity_id)
    await store.follow(tx, command.customer_id, command.entity_id, command.subject)


async def unfollow_account(tx: Tx, command: FollowAccount) -> None:
    """Raises NotFollowing."""
    if not await store.unfollow(tx, command.customer_id, command.entity_id, command.subject):
        raise NotFollowing(f"{command.subject} does not follow this account")


async def list_followers(tx: Tx, customer_id: UUID, entity_id: str) -> list[Follower]:
    return await store.followers(tx, customer_id, entity_id)


async def make_digests(tx: Tx) -> bool:
    """Write down what each follower is told of since the last time. Missed mornings come in one digest."""
    day = await store.due_day(tx)
    if day is None:
        return False
    last = await store.last_made_at(tx)
    settled = timedelta(minutes=SETTLED_MINUTES)
    happened = await store.happenings(tx, last - settled if last else FIRST, tx.now - settled)
    digests = [
        Digest(new_id(), subject, day, rules.news_of(list(theirs)))
        for subject, theirs in groupby(happened, key=lambda each: each.subject)
    ]
    await store.add(tx, day, digests)
    return True


async def take_digests(tx: Tx, real_now: datetime, lease_seconds: float) -> list[tuple[Digest, Colleague]]:
    """Mark what may be sent now, each with whom it is for; what somebody left behind is given up."""
    await store.give_up(tx, real_now)
    known = await team.known(tx)
    taken = await store.take(tx, real_now, real_now + timedelta(seconds=lease_seconds), DIGESTS_AT_ONCE)
    ready = []
    for digest in taken:
        colleague = known.get(digest.subject)
        if colleague and colleague.email:
            ready.append((digest, colleague))
        else:
            await store.conclude(tx, digest.id, "failed", "the colleague has no e-mail address any more", None)
    return ready


async def deliver(
    postman: Postman, digests: Sequence[tuple[Digest, Colleague]], at: datetime, seconds: float
) -> list[tuple[Digest, Receipt]]:
    """Send them; runs outside any transaction and raises nothing."""

    async def write(item: tuple[Digest, Colleague]) -> Parcel:
        digest, colleague = item
        if colleague.email is None:
            raise Unwritable("no address")
        message = mail.as_message(
            id=digest.id,
            sender=postman.server.sender,
            sender_name=SENDER_NAME,
            recipient=colleague.email,
            recipient_name=colleague.name,
            subject=subject_line(rules.subject_of(digest)),
            text=rules.text_of(digest, colleague.name),
            html=rules.html_of(digest, colleague.name),
            at=at,
        )
        return Parcel(colleague.email, message)

    return [(item[0], receipt) for item, receipt in await postman.deliver(digests, write, seconds)]


async def conclude_digests(tx: Tx, receipts: Sequence[tuple[Digest, Receipt]], real_now: datetime) -> None:
    """Record what became of them: certain not to have left, they are tried again; perhaps left, they are not."""
    for digest, receipt in receipts:
        match receipt.fate:
            case "sent":
                await store.conclude(tx, digest.id, "sent", None, None)
            case "doubtful":
                await store.conclude(tx, digest.id, "unknown", receipt.reason, None)
            case "refused":
                await store.conclude(tx, digest.id, "failed", receipt.reason, None)
            case _ if digest.attempts + 1 >= ATTEMPTS_MAX:
                await store.conclude(tx, digest.id, "failed", receipt.reason, None)
            case _:
                again = real_now + timedelta(seconds=min(2.0**digest.attempts, 300.0))
                await store.conclude(tx, digest.id, "planned", receipt.reason, again)
