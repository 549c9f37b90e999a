"""Take in what is learned about a customer, and ask the credit bureau."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.credit.vetting import rules, store
from services.credit.vetting.rules import (
    Asked,
    CustomerNotFound,
    Input,
    Inquiry,
    InquiryNotFound,
    Kept,
    Particulars,
    Passed,
    Sifted,
)
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import Refused
from shared.ids import new_id

INQUIRY_DUE = store.INQUIRY_DUE
BUREAU = "bureau"


@dataclass(frozen=True, slots=True)
class AddInput:
    """`expires_on` is the kind's own term where it is None."""

    customer_id: UUID
    source: str
    dated_on: date
    expires_on: date | None
    particulars: Particulars
    received_from: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What scorecards may ask of the customer itself. An applicant is no customer yet."""

    segment: str
    country: str
    applicant: bool = False


async def lock_profile(tx: Tx, customer_id: UUID) -> Profile:
    """With the customer's row locked, or the applicant's. Raises CustomerNotFound."""
    if row := await store.lock_customer(tx, customer_id):
        return Profile(row["segment"], row["country"])
    if row := await store.lock_applicant(tx, customer_id):
        return Profile(row["segment"], row["country"], applicant=True)
    raise CustomerNotFound(customer_id)


async def admit(tx: Tx, application_id: UUID, country: str, segment: str) -> None:
    """Let an applicant be vetted, under its application's id, as customers are."""
    await store.admit(tx, application_id, country, segment)


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> None:
    """Hand what was learned of an applicant, or of a customer, over to the customer that it is now. What the bureau
    still has to answer goes there too."""
    await store.move(tx, from_id, to_id)


async def by_external_id(tx: Tx, external_ids: Collection[str]) -> Mapping[str, UUID]:
    """Locks those that are known; the others are not in the answer."""
    return await store.by_external_id(tx, external_ids)


async def add_input(tx: Tx, command: AddInput) -> Input:
    """Raises CustomerNotFound, and what `rules.check` raises."""
    if not await store.exists(tx, command.customer_id):
        raise CustomerNotFound(command.customer_id)
    expires_on = command.expires_on or rules.expiry(command.particulars.kind, command.dated_on)
    rules.check(command.particulars, command.dated_on, expires_on, local_date(tx.now, "UTC"))
    input = Input(new_id(), command.source, command.dated_on, expires_on, command.particulars)
    await store.add(tx, command.customer_id, input, command.received_from)
    return input


async def list_inputs(
    tx: Tx, customer_id: UUID, before: UUID | None, count_max: int
) -> tuple[Sequence[Kept], Mapping[UUID, Passed]]:
    """Newest first, and why those that do not count today do not. Raises CustomerNotFound."""
    if not await store.exists(tx, customer_id):
        raise CustomerNotFound(customer_id)
    sifted = await sift(tx, customer_id, local_date(tx.now, "UTC"))
    passed = {each.input.id: each.reason for each in sifted.left_out}
    return await store.page(tx, customer_id, before, count_max), passed


async def sift(tx: Tx, customer_id: UUID, today: date) -> Sifted:
    """What counts today of all that was learned about the customer."""
    return rules.sift(await store.of_customer(tx, customer_id), today)


async def ask_bureau(tx: Tx, customer_id: UUID, legal_id: str, asked_by: str) -> Inquiry:
    """Write down what the worker asks once this is committed. Raises CustomerNotFound."""
    if not await store.exists(tx, customer_id):
        raise CustomerNotFound(customer_id)
    inquiry = Inquiry(new_id(), customer_id, legal_id, "asked", tx.now, asked_by)
    await store.add_inquiry(tx, inquiry)
    return inquiry


async def get_inquiry(tx: Tx, inquiry_id: UUID) -> Inquiry:
    """Raises InquiryNotFound."""
    inquiry = await store.find_inquiry(tx, inquiry_id)
    if inquiry is None:
        raise InquiryNotFound(f"No question to the bureau has the id {inquiry_id}.")
    return inquiry


async def lock_inquiry(tx: Tx, inquiry_id: UUID) -> Inquiry:
    """As it stands now, and nobody hands it over until this transaction ends. Raises InquiryNotFound."""
    inquiry = await store.lock_inquiry(tx, inquiry_id)
    if inquiry is None:
        raise InquiryNotFound(f"No question to the bureau has the id {inquiry_id}.")
    return inquiry


async def give_up(tx: Tx) -> int:
    """Call those unknown that a crash left on their way. Returns how many."""
    return await store.give_up(tx)


async def take_inquiry(tx: Tx, lease_seconds: float) -> tuple[Inquiry, str] | None:
    """The next question, marked as on its way, with the customer's country."""
    return await store.take_inquiry(tx, lease_seconds)


async def record_answer(tx: Tx, inquiry: Inquiry, asked: Asked) -> Input | None:
    """Keep the answer as it came; a report that can be used becomes an input. One that cannot says why."""
    input, status, detail = None, asked.status, asked.detail
    if asked.report:
        report = asked.report
        command = AddInput(
            inquiry.customer_id, report.source, report.dated_on, report.expires_on, report.particulars, BUREAU
        )
        try:
            input = await add_input(tx, command)
        except Refused as refusal:
            status, detail = "unreadable", refusal.detail
    await store.record_answer(
        tx,
        replace(
            inquiry,
            status=status,
            http_status=asked.http_status,
            raw=asked.raw,
            detail=detail,
            input_id=input.id if input else None,
        ),
    )
    return input
