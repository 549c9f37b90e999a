"""The credit service as this one needs it: who a customer is, and whether it may owe more."""

from __future__ import annotations

from uuid import UUID

import httpx
from pydantic import ValidationError

from services.invoice.invoices.rules import CreditAnswer
from shared import log
from shared.errors import Unavailable
from shared.events.credit import CustomerState
from shared.money import Money

logger = log.get(__name__)

TIMEOUT = httpx.Timeout(2.0, connect=0.5)
"""Somebody is waiting for the invoice; advice that takes longer than this comes too late."""


class CreditDoesNotAnswer(Unavailable):
    slug = "credit-unavailable"
    title = "Credit, which knows the customers, is not answering"


class CreditDesk:
    """Calls over one client, which the service opens and closes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

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
        self, customer_id: UUID, amount: Money, reference: str | None, *, asked_as: str
    ) -> CreditAnswer | None:
        """Credit's decision, None when there is none to be had in time."""
        question = {
            "customer_id": str(customer_id),
            "amount": {"amount": amount.amount, "currency": amount.currency},
        }
        if reference:
            question["reference"] = reference
        try:
            response = await self._client.post(
                "/v1/credit-decisions", json=question, headers={"idempotency-key": asked_as}
            )
            response.raise_for_status()
            decision = response.json()
            return CreditAnswer("", decision["outcome"], tuple(decision["reasons"]), UUID(decision["id"]))
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("credit_unavailable", asked="decision", error=repr(error))
            return None
