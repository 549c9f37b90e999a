"""Take in what is learned about a customer, and have those looked at again who were assessed before."""

from __future__ import annotations

from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.behaviour.rules import Cause
from services.credit.exposure import handlers as exposure
from services.credit.vetting import handlers as vetting
from services.credit.vetting.handlers import AddInput
from services.credit.vetting.rules import Asked, Input, Inquiry
from shared.db import Tx


async def take_in(tx: Tx, command: AddInput) -> Input:
    """Raises what `vetting.add_input` raises."""
    input = await vetting.add_input(tx, command)
    await _look_again(tx, command.customer_id)
    return input


async def record_answer(tx: Tx, inquiry: Inquiry, asked: Asked) -> None:
    """What became of a question to the bureau. An applicant may be a customer by now: the answer is about that one."""
    inquiry = await vetting.lock_inquiry(tx, inquiry.id)
    if await vetting.record_answer(tx, inquiry, asked):
        await _look_again(tx, inquiry.customer_id)


async def _look_again(tx: Tx, customer_id: UUID) -> None:
    """By those who assess, and by those who hold."""
    await assessments.note(tx, {customer_id: {Cause.NEW_INPUT}})
    await exposure.watch(tx, [customer_id], tx.now)
