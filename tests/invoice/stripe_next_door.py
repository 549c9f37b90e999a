"""A payment provider for tests: localstripe, and on top of it what it lacks of Stripe's: the hosted Checkout page
(payment and setup mode), SEPA mandates, and debits that come back.

`python -m tests.invoice.stripe_next_door PORT` serves it. The page takes a card number or an IBAN as Stripe's own
does; what becomes of the payment is localstripe's to say, and so are the signed calls that tell of it: at once of a
card, some time later of a debit, which is `processing` meanwhile (https://docs.stripe.com/payments/sepa-debit).
Mandates are as in https://docs.stripe.com/api/mandates, debits that come back as in
https://docs.stripe.com/api/disputes.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from aiohttp import web
from localstripe import server
from localstripe.resources import (
    Charge,
    Customer,
    Event,
    PaymentIntent,
    PaymentMethod,
    SetupIntent,
    StripeObject,
    store,
)
from localstripe.webhooks import schedule_webhook

PAGE = """<!doctype html><html lang="en"><title>Pay</title><form method="post">
<p>{name}: {amount} {currency}</p>
<label>Card number <input name="number" autocomplete="cc-number"></label>
<label>IBAN <input name="iban"></label> <button>Pay</button></form></html>"""


class Mandate(StripeObject):
    """What a customer allows by signing on the page."""

    object = "mandate"
    _id_prefix = "mandate_"

    def __init__(self, method: PaymentMethod) -> None:
        super().__init__()
        self.payment_method = method.id
        self.status = "active"
        self.type = "multi_use"
        self.payment_method_details = {"type": "sepa_debit", "sepa_debit": {"reference": self.id[-12:].upper()}}


class Dispute(StripeObject):
    """A debit that the bank returned, or a charge that the customer contests."""

    object = "dispute"
    _id_prefix = "dp_"

    def __init__(self, intent: str, reason: str) -> None:
        super().__init__()
        self.payment_intent, self.reason, self.status = intent, reason, "lost"


class Session(StripeObject):
    """A Checkout session, as far as a service that sends people to one can see."""

    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(self, **form: Any) -> None:
        self.mode = form.get("mode")
        if self.mode == "payment" and not form.get("line_items"):
            raise server.UserError(400, "Bad request")
        if self.mode == "setup" and not form.get("currency"):
            raise server.UserError(400, "Missing required param: currency.")
        super().__init__()
        price = form["line_items"][0]["price_data"] if self.mode == "payment" else {"currency": form["currency"]}
        self.amount_total = int(price["unit_amount"]) if self.mode == "payment" else None
        self.currency = price["currency"]
        self.client_reference_id = form.get("client_reference_id")
        self.metadata = form.get("metadata") or {}
        self.success_url, self.cancel_url = form["success_url"], form["cancel_url"]
        self.status = "open"
        self.payment_status = "unpaid" if self.mode == "payment" else "no_payment_required"
        self.payment_intent: str | None = None
        self.setup_intent: str | None = None
        self.customer: str | None = None
        self.url = f"{BASE[0]}/checkout/{self.id}"
        self._name = price["product_data"]["name"] if self.mode == "payment" else "Save"
        self._email = form.get("customer_email")

    def _method(self, number: str, iban: str) -> PaymentMethod:
        """Raises UserError for a card that is refused."""
        if iban and self.currency != "eur":
            raise server.UserError(400, "SEPA Direct Debit takes EUR only.")
        card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        kind = {"type": "sepa_debit", "sepa_debit": {"iban": iban}} if iban else {"type": "card", "card": card}
        method = cast("Any", PaymentMethod)(**kind)
        customer = cast("Any", Customer)(email=self._email)
        PaymentMethod._api_attach(method.id, customer=customer.id)
        self.customer = customer.id
        if iban:
            MANDATES[method.id] = cast("Any", Mandate)(method)
        return method

    def _pay(self, number: str, iban: str) -> None:
        method = self._method(number, iban)
        self.status = "complete"
        if self.mode == "setup":
            setup = cast("Any", SetupIntent)(customer=self.customer, payment_method_types=["card", "sepa_debit"])
            setup._attach_pm(method)
            setup.mandate = MANDATES[method.id].id if iban else None
            self.setup_intent = setup.id
        else:
            intent = PaymentIntent._api_create(
                amount=self.amount_total,
                currency=self.currency,
                customer=self.customer,
                payment_method=method.id,
                metadata=self.metadata,
                confirm="true",
                off_session="true",
            )
            self.payment_intent = intent.id
            if intent.status == "succeeded":
                self.payment_status = "paid"
            else:
                WAITING[intent.id] = self
        schedule_webhook(Event("checkout.session.completed", self))

    def _later(self, kind: str) -> None:
        """The bank's word on a debit: the session tells of it too."""
        if kind == "payment_intent.succeeded":
            self.payment_status = "paid"
            schedule_webhook(Event("checkout.session.async_payment_succeeded", self))
        else:
            schedule_webhook(Event("checkout.session.async_payment_failed", self))


def _tell_session(intent: PaymentIntent, kind: str) -> None:
    session = WAITING.pop(intent.id, None)
    if session:
        session._later(kind)


def _follow_debits() -> None:
    """localstripe tells of the payment; Stripe tells of its session as well, and why a debit failed."""
    payments, charges = cast("Any", PaymentIntent), cast("Any", Charge)
    succeeded, failed = payments._on_success, payments._report_async_failure
    initialize, trigger = charges.__init__, charges._trigger_payment

    def on_success(intent: Any) -> None:
        succeeded(intent)
        _tell_session(intent, "payment_intent.succeeded")

    def on_failure(intent: Any) -> None:
        intent.latest_charge.failure_code = "insufficient_funds"
        intent.latest_charge.failure_message = "The customer's account has insufficient funds to cover this payment."
        failed(intent)
        _tell_session(intent, "payment_intent.payment_failed")

    def initialized(charge: Any, **about: Any) -> None:
        initialize(charge, **about)
        mandate = MANDATES.get(charge.payment_method)
        if mandate:
            charge.payment_method_details = {"type": "sepa_debit", "sepa_debit": {"mandate": mandate.id}}

    def triggered(charge: Any, on_success: Any = None) -> None:
        if charge._is_async_payment_method():
            charge.status = "pending"
        trigger(charge, on_success)

    charges._trigger_payment = triggered
    payments._on_success, payments._report_async_failure = on_success, on_failure
    charges.__init__ = initialized


async def create(request: web.Request) -> web.Response:
    form = cast("dict[str, Any]", await server.get_post_data(request))
    key = request.headers["idempotency-key"]
    if key not in KNOWN:
        for unused in ("locale", "customer_creation", "payment_intent_data"):
            form.pop(unused, None)
        KNOWN[key] = cast("Any", Session)(**form)
    return server.json_response(KNOWN[key]._export())


async def look_at(request: web.Request) -> web.Response:
    return server.json_response(Session._api_retrieve(request.match_info["id"])._export())


async def look_at_mandate(request: web.Request) -> web.Response:
    return server.json_response(Mandate._api_retrieve(request.match_info["id"])._export())


async def give_back(request: web.Request) -> web.Response:
    """For tests: the customer's bank returns a debit, days after it succeeded."""
    asked = await request.post()
    schedule_webhook(Event("charge.dispute.created", cast("Any", Dispute)(str(asked["intent"]), str(asked["reason"]))))
    return web.json_response({})


async def end_mandate(request: web.Request) -> web.Response:
    """For tests: the customer takes a mandate back at its bank."""
    mandate: Any = Mandate._api_retrieve(str((await request.post())["mandate"]))
    mandate.status = "inactive"
    schedule_webhook(Event("mandate.updated", mandate))
    return web.json_response({})


async def show(request: web.Request) -> web.Response:
    session = Session._api_retrieve(request.match_info["id"])
    text = PAGE.format(name=session._name, amount=session.amount_total, currency=session.currency)
    return web.Response(text=text, content_type="text/html")


async def pay(request: web.Request) -> web.Response:
    session = Session._api_retrieve(request.match_info["id"])
    given = await request.post()
    session._pay(str(given.get("number", "")).replace(" ", ""), str(given.get("iban", "")).replace(" ", ""))
    raise web.HTTPSeeOther(session.success_url)


@web.middleware
async def people_need_no_key(request: web.Request, handler: Any) -> web.StreamResponse:
    """The hosted page is for people; everything else asks for the secret key."""
    if request.path.startswith("/checkout/"):
        return await (pay if request.method == "POST" else show)(request)
    if request.path.startswith("/_bank/"):
        return await (give_back if request.path.endswith("returns") else end_mandate)(request)
    return await handler(request)


BASE: list[str] = []
KNOWN: dict[str, Session] = {}
MANDATES: dict[str, Mandate] = {}
WAITING: dict[str, Session] = {}


def serve(port: int) -> None:
    BASE.append(f"http://127.0.0.1:{port}")
    store.dump_to_disk = lambda: None
    app = web.Application(middlewares=[server.error_middleware, people_need_no_key, server.auth_middleware])
    app.router.add_post("/v1/checkout/sessions", create)
    app.router.add_get("/v1/checkout/sessions/{id}", look_at)
    app.router.add_route("*", "/checkout/{id}", show)
    app.router.add_get("/v1/mandates/{id}", look_at_mandate)
    app.router.add_post("/_bank/{what}", give_back)
    _follow_debits()
    for route in server.app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            app.router.add_route(route.method, route.resource.canonical, route.handler)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda *_: None, access_log=None)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
