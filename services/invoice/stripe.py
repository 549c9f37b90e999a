"""Stripe as this service needs it: Checkout sessions, charges to a saved method, and calls that are proven to be its.

Plain HTTP (https://docs.stripe.com/api): forms in, JSON out, a bearer key, an Idempotency-Key on each POST, so that a
call that may have arrived can be made again. Amounts are in Stripe's minor units, which are ISO 4217's but for ISK and
UGX (two decimals there) and the currencies of three decimals (the last one is zero);
https://docs.stripe.com/currencies.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from services.invoice.checkouts.rules import ProviderRefuses, ProviderUnavailable, SignatureRefused
from shared.clock import real_now
from shared.money import Money, exponent

TIMEOUT = httpx.Timeout(10.0, connect=3.0)
SIGNATURE_SECONDS = 300
"""How old a signed call may be: Stripe's own tolerance."""

_TWO_DECIMALS_THERE = frozenset({"ISK", "UGX"})


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout session: where the customer pays, and whether it did."""

    id: str
    url: str | None
    status: str
    payment_status: str
    intent_id: str | None
    customer_id: str | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment, or the setup of a method: its status (`succeeded`, `processing`, ...), the method it was made with and
    for a debit the mandate, and why it failed."""

    id: str
    status: str
    method_id: str | None
    customer_id: str | None
    mandate_id: str | None = None
    failure: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A saved card or mandate: `card` or `sepa_debit`, and how people know it, `Visa •••• 4242`."""

    kind: str
    label: str
    last4: str | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """What the customer allowed; `reference` is how its bank names it."""

    id: str
    status: str
    reference: str | None


class Stripe:
    """Calls over one client, which the service opens and closes."""

    def __init__(self, client: httpx.AsyncClient, webhook_secret: str) -> None:
        self._client = client
        self._webhook_secret = webhook_secret

    async def open_session(
        self, *, key: str, amount: Money, title: str, email: str | None, language: str, back_url: str, save: bool
    ) -> Session:
        """A page where the customer pays an amount; `key` makes asking twice harmless, and comes back as
        `client_reference_id`. With `save` the method is kept for later charges."""
        form = {
            "mode": "payment",
            "client_reference_id": key,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": amount.currency.lower(),
            "line_items[0][price_data][unit_amount]": str(stripe_units(amount)),
            "line_items[0][price_data][product_data][name]": title,
            "success_url": f"{back_url}?checkout={key}",
            "cancel_url": back_url,
            "locale": language,
            "metadata[checkout]": key,
            "payment_intent_data[metadata][checkout]": key,
            "customer_creation": "always" if save else "if_required",
        }
        if email:
            form["customer_email"] = email
        if save:
            form["payment_intent_data[setup_future_usage]"] = "off_session"
        return _session(await self._post("/v1/checkout/sessions", form, key))

    async def open_setup(
        self, *, key: str, currency: str, about: str, email: str | None, language: str, back_url: str
    ) -> Session:
        """A page where the customer leaves a card or signs a SEPA mandate and pays nothing
        (https://docs.stripe.com/payments/save-and-reuse); `about` comes back as `client_reference_id`."""
        form = {
            "mode": "setup",
            "client_reference_id": about,
            "currency": currency.lower(),
            "success_url": f"{back_url}?said=method",
            "cancel_url": back_url,
            "locale": language,
            "customer_creation": "always",
        }
        if email:
            form["customer_email"] = email
        return _session(await self._post("/v1/checkout/sessions", form, key))

    async def session(self, session_id: str) -> Session:
        return _session(await self._get(f"/v1/checkout/sessions/{session_id}"))

    async def intent(self, intent_id: str) -> Intent:
        """A payment, or (`seti_`) the setup of a method."""
        if intent_id.startswith("seti_"):
            return _intent(await self._get(f"/v1/setup_intents/{intent_id}"))
        return _intent(await self._get(f"/v1/payment_intents/{intent_id}?expand[]=latest_charge"))

    async def method(self, method_id: str) -> Method:
        found = await self._get(f"/v1/payment_methods/{method_id}")
        kind = found["type"]
        about = found.get(kind) or {}
        name = "SEPA" if kind == "sepa_debit" else str(about.get("brand", kind)).capitalize()
        return Method(kind, f"{name} •••• {about.get('last4', '????')}", about.get("last4"))

    async def mandate(self, mandate_id: str) -> Mandate:
        found = await self._get(f"/v1/mandates/{mandate_id}")
        about = found.get("payment_method_details") or {}
        return Mandate(found["id"], found["status"], (about.get("sepa_debit") or {}).get("reference"))

    async def charge(self, *, key: str, amount: Money, customer_id: str, method_id: str, kind: str) -> Intent:
        """Charge a saved method while the customer is away; a debit is `processing` for days, and Stripe calls when it
        is over (up to 14 business days: https://docs.stripe.com/payments/sepa-debit). Raises ProviderRefuses,
        ProviderUnavailable."""
        form = {
            "amount": str(stripe_units(amount)),
            "currency": amount.currency.lower(),
            "customer": customer_id,
            "payment_method": method_id,
            "payment_method_types[0]": kind,
            "off_session": "true",
            "confirm": "true",
            "metadata[collection]": key,
        }
        return _intent(await self._post("/v1/payment_intents", form, key))

    def read_event(self, payload: bytes, signature: str) -> dict[str, Any]:
        """A webhook call's event, once its signature is proven: HMAC-SHA256 over time and payload, at most five minutes
        old (https://docs.stripe.com/webhooks/signature). Raises SignatureRefused."""
        parts = [part.partition("=")[::2] for part in signature.split(",")]
        at = next((value for name, value in parts if name == "t"), "")
        if not at.isascii() or not at.isdigit() or abs(real_now().timestamp() - int(at)) > SIGNATURE_SECONDS:
            raise SignatureRefused("the signature is missing or too old", field="header.Stripe-Signature")
        due = hmac.new(self._webhook_secret.encode(), f"{at}.".encode() + payload, "sha256").hexdigest()
        if not any(name == "v1" and hmac.compare_digest(value, due) for name, value in parts):
            raise SignatureRefused("the signature is not Stripe's", field="header.Stripe-Signature")
        return orjson.loads(payload)

    async def _post(self, path: str, form: dict[str, str], key: str) -> dict[str, Any]:
        return await self._answer("POST", path, data=form, headers={"idempotency-key": key})

    async def _get(self, path: str) -> dict[str, Any]:
        return await self._answer("GET", path)

    async def _answer(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, **sent)
            answer = response.json()
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise ProviderUnavailable(f"the payment provider does not answer: {error!r}") from None
        if response.status_code >= 500 or response.status_code == 429:
            raise ProviderUnavailable(f"the payment provider answers {response.status_code}")
        if response.status_code >= 400:
            fault = answer.get("error", {})
            raise ProviderRefuses(
                fault.get("decline_code") or fault.get("code") or fault.get("type") or "refused",
                fault.get("message") or "the payment provider refuses",
            )
        return answer


def stripe_units(amount: Money) -> int:
    """The amount in Stripe's units. Raises ValueError for a third decimal, which cards do not know."""
    if amount.currency in _TWO_DECIMALS_THERE:
        return amount.minor * 100
    if exponent(amount.currency) == 3 and amount.minor % 10:
        raise ValueError(f"{amount} cannot be paid by card: the third decimal has to be zero")
    return amount.minor


def _session(answer: dict[str, Any]) -> Session:
    return Session(
        answer["id"],
        answer.get("url"),
        answer["status"],
        answer["payment_status"],
        answer.get("payment_intent"),
        answer.get("customer"),
    )


def _intent(answer: dict[str, Any]) -> Intent:
    charge = answer.get("latest_charge")
    debit = ((charge if isinstance(charge, dict) else {}).get("payment_method_details") or {}).get("sepa_debit") or {}
    fault = answer.get("last_payment_error") or {}
    return Intent(
        answer["id"],
        answer["status"],
        answer.get("payment_method"),
        answer.get("customer"),
        answer.get("mandate") or debit.get("mandate"),
        fault.get("message"),
        fault.get("decline_code") or fault.get("code"),
    )
