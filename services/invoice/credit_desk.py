"""The credit service as this one needs it: who a customer is, and whether it may owe more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from pydantic import ValidationError

from services.invoice.invoices.rules import CreditAnswer
from shared import context, log
from shared.errors import Unavailable
from shared.events.credit import CustomerState
from shared.money import Money

logger = log.get(__name__)

TIMEOUT = httpx.Timeout(2.0, connect=0.5)
"""Somebody is waiting for the invoice; advice that takes longer than this comes too late."""
PATIENCE_SECONDS = 2.5
QUESTIONS_MAX = 100
"""As many as credit takes in one call."""


class CreditDoesNotAnswer(Unavailable):
    slug = "credit-unavailable"
    title = "Credit, which knows the customers, is not answering"


class CreditDesk:
    """Calls over one client, which the service opens and closes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._waiting: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None

    async def find_customer(self, customer_id: UUID | None, external_id: str | None) -> CustomerState | None:
        """A customer as credit has it, None when it has none. Raises CreditDoesNotAnswer."""
        try:
            if customer_id:
                response = await self._client.get(f"/v1/customers/{customer_id}")
            else:
                response = await self._client.get("/v1/customers", params={"external_id": external_id or ""})
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            response.raise_for_status()
            answer = response.json()
            if customer_id is None:
                found = answer["items"]
                return CustomerState.model_validate(found[0]) if found else None
            return CustomerState.model_validate(answer)
        except (httpx.HTTPError, OSError, ValidationError, ValueError, KeyError) as error:
            logger.warning("credit_unavailable", asked="customer", error=repr(error))
            raise CreditDoesNotAnswer("the customer is not known here yet, and credit cannot be asked") from None

    async def decide(
        self, customer_id: UUID, amount: Money, reference: str | None, *, asked_as: str, order: str | None = None
    ) -> CreditAnswer | None:
        """Credit's decision, None when there is none to be had in time. What is reserved for the `order` that the
        invoice is for is not counted against it.

        A question that comes alone is asked at once. Those that come while one call is under way wait for its answer
        and go together in the next: under load, a call for many costs little more than a call for one.
        """
        question = _Question(customer_id, amount, reference, asked_as, context.correlation.get(), order)
        self._waiting.append(question)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await question.answer
        except TimeoutError:
            logger.warning("credit_unavailable", asked="decision", error="it takes too long")
            return None

    async def _ask_all(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:QUESTIONS_MAX], self._waiting[QUESTIONS_MAX:]
            together = [question for question in together if not question.answer.done()]
            answers: Mapping[str, CreditAnswer] = {}
            try:
                answers = await self._ask(together)
            except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
                logger.warning("credit_unavailable", asked="decision", error=repr(error))
            finally:
                for question in together:
                    if not question.answer.done():
                        question.answer.set_result(answers.get(question.asked_as))

    async def _ask(self, together: Sequence[_Question]) -> Mapping[str, CreditAnswer]:
        """The decisions by the names of their questions; a question that credit has a problem with is left out."""
        if not together:
            return {}
        response = await self._client.post(
            "/v1/credit-decisions/batches",
            json={"questions": [question.wire() for question in together]},
            headers={"idempotency-key": str(uuid4())},  # Each question has its own; the call's only has to be new.
        )
        response.raise_for_status()
        answers: dict[str, CreditAnswer] = {}
        for answer in response.json()["answers"]:
            if decision := answer["decision"]:
                answers[answer["asked_as"]] = CreditAnswer(
                    "", decision["outcome"], tuple(decision["reasons"]), UUID(decision["id"])
                )
            else:
                logger.warning("credit_unavailable", asked="decision", error=answer["problem"])
        return answers


@dataclass(frozen=True, slots=True)
class _Question:
    customer_id: UUID
    amount: Money
    reference: str | None
    asked_as: str
    correlation: str | None
    order: str | None = None
    answer: asyncio.Future[CreditAnswer | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def wire(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "asked_as": self.asked_as,
            "customer_id": str(self.customer_id),
            "amount": {"amount": self.amount.amount, "currency": self.amount.currency},
        }
        if self.reference:
            told["reference"] = self.reference
        if self.order:
            told["order"] = self.order
        if self.correlation:
            told["correlation_id"] = self.correlation
        return told
