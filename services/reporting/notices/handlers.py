"""Tell people and systems something: planned in the transaction that decides it, sent by the worker afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from services.reporting.notices import rules, store
from services.reporting.notices.rules import CHATS, Content, Fate, File, Notice, Target, UnusableTarget
from services.reporting.webhooks import handlers as webhooks
from services.reporting.webhooks.handlers import Outlet
from services.reporting.webhooks.rules import WebhookNotFound, message
from shared import mail
from shared.chat import Note, post_note
from shared.clock import real_now
from shared.db import Tx
from shared.ids import new_id
from shared.mail import Attachment, Parcel, Postman
from shared.mail_address import is_address, subject_line
from shared.outside import AddressForbidden, check_address
from shared.sealing import SealBroken, Seals

NOTICES_AT_ONCE = 24
SENDER_NAME = "Dueward"


@dataclass(frozen=True, slots=True)
class PostOffice:
    """The ways out: calls, and mails where there is a mail server."""

    outlet: Outlet
    postman: Postman

    @property
    def lease_seconds(self) -> float:
        return max(self.outlet.lease_seconds, 4 * self.postman.server.timeout_seconds) + 60


@dataclass(frozen=True, slots=True)
class Sent:
    notice: Notice
    fate: Fate
    reason: str | None = None
    retry_after_seconds: float | None = None


async def check_targets(tx: Tx, targets: Sequence[Target], *, private: bool) -> None:
    """Raises UnusableTarget, naming it."""
    for place, target in enumerate(targets):
        fault = await _fault_of(tx, target, private=private)
        if fault:
            raise UnusableTarget(fault, field=f"/targets/{place}/to")


async def _fault_of(tx: Tx, target: Target, *, private: bool) -> str | None:
    match target.channel:
        case "email":
            return None if is_address(target.to) else f"{target.to} is no mail address"
        case "webhook":
            try:
                await webhooks.find_webhook(tx, UUID(target.to))
            except (ValueError, WebhookNotFound):
                return f"there is no webhook {target.to}"
        case _:
            try:
                check_address(target.to, private=private)
            except AddressForbidden as fault:
                return str(fault)
    return None


async def plan(
    tx: Tx, targets: Sequence[Target], content: Content, file: File | None = None, seals: Seals | None = None
) -> None:
    """It is told after the transaction, and not if that fails. The file goes along with mails only; for chats `seals`
    are needed."""
    planned = [(new_id(), target) for target in targets]
    if seals:
        planned = [(id, target.sealed_for(rules.place(id), seals)) for id, target in planned]
    assert all(target.sealed for _, target in planned if target.channel in CHATS)
    if planned:
        await store.plan(tx, planned, content, file)


async def take_notices(tx: Tx, lease_seconds: float) -> list[Notice]:
    """Mark what may be sent now; what a sender left behind is given up."""
    now = real_now()
    await store.give_up(tx, now)
    await store.drop_files(tx)
    taken = await store.take(tx, now, now + timedelta(seconds=lease_seconds), NOTICES_AT_ONCE)
    return [await _addressed(tx, notice) for notice in taken]


async def _addressed(tx: Tx, notice: Notice) -> Notice:
    if notice.target.channel != "webhook":
        return notice
    try:
        return replace(notice, webhook=await webhooks.find_webhook(tx, UUID(notice.target.to)))
    except WebhookNotFound:
        return notice


async def deliver(office: PostOffice, notices: Sequence[Notice]) -> list[Sent]:
    """Send them, outside any transaction. Raises nothing."""
    mails = [notice for notice in notices if notice.target.channel == "email"]
    posted, called = await asyncio.gather(
        _mail(office.postman, mails),
        asyncio.gather(*(_call(office.outlet, notice) for notice in notices if notice.target.channel != "email")),
    )
    return [*posted, *called]


async def _mail(postman: Postman, notices: Sequence[Notice]) -> list[Sent]:
    async def write(notice: Notice) -> Parcel:
        file = notice.file
        message = mail.as_message(
            id=notice.id,
            sender=postman.server.sender,
            sender_name=SENDER_NAME,
            recipient=notice.target.to,
            recipient_name="",
            subject=subject_line(notice.content.title),
            text=rules.text_of(notice.content),
            html=rules.html_of(notice.content),
            at=notice.made_at,
            attachments=(Attachment(file.name, file.media_type, file.content),) if file else (),
        )
        return Parcel(notice.target.to, message)

    seconds = 4 * postman.server.timeout_seconds
    return [Sent(n, receipt.fate, receipt.reason) for n, receipt in await postman.deliver(notices, write, seconds)]


async def _call(outlet: Outlet, notice: Notice) -> Sent:
    content = notice.content
    if notice.target.channel == "webhook":
        if notice.webhook is None:
            return Sent(notice, "refused", "the webhook is there no more")
        body = message(content.kind, notice.made_at, content.data)
        failure = await webhooks.call(outlet, notice.webhook, str(notice.id), body)
        # The receiver can tell a repeat by its id, so it is called again whatever became of it.
        return (
            Sent(notice, "deferred", failure.reason, failure.retry_after_seconds) if failure else Sent(notice, "sent")
        )
    kind = "teams" if notice.target.channel == "teams" else "slack"
    try:
        target = notice.target.opened(rules.place(notice.id), outlet.seals)
    except SealBroken as fault:
        return Sent(notice, "refused", fault.detail)
    note = Note(content.title, content.facts, content.link)
    answer = await post_note(outlet.client, kind, target.to, note, private=outlet.private)
    return Sent(notice, answer.fate, answer.reason, answer.retry_after_seconds)


async def conclude(tx: Tx, sent: Sequence[Sent]) -> None:
    for each in sent:
        attempts = each.notice.attempts
        conclusion = rules.conclude(attempts, each.fate, each.reason, each.retry_after_seconds, real_now())
        await store.conclude(tx, each.notice.id, conclusion)
    await store.drop_files(tx)


async def renew_seals(tx: Tx, seals: Seals) -> int:
    """The addresses of all chats that were ever told, under the newest key; of how many notices. Raises SealBroken."""
    renewed = 0
    for notice_id, target in await store.told_chats(tx):
        anew = target.renewed(rules.place(notice_id), seals)
        if anew != target:
            await store.save_target(tx, notice_id, anew)
            renewed += 1
    return renewed
