"""A payment provider for tests: localstripe, and on top of it the hosted Checkout page that it does not have.

`python -m tests.invoice.stripe_next_door PORT` serves it. The page takes a card number as Stripe's own does; what
becomes of the payment is localstripe's to say, and so are the signed calls that tell of it.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from aiohttp import web
from localstripe import server
from localstripe.resources import Customer, Event, PaymentIntent, PaymentMethod, StripeObject, store
from localstripe.webhooks import schedule_webhook

PAGE = """<!doctype html><html lang="en"><title>Pay</title><form method="post">
<p>{name}: {amount} {currency}</p>
<label>Card number <input name="number" autocomplete="cc-number"></label> <button>Pay</button></form></html>"""


class Session(StripeObject):
    """A Checkout session, as far as a service that sends people to one can see."""

    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(self, **form: Any) -> None:
        if form.get("mode") != "payment" or not form.get("line_items"):
            raise server.UserError(400, "Bad request")
        super().__init__()
        price = form["line_items"][0]["price_data"]
        self.amount_total = int(price["unit_amount"])
        self.currency = price["currency"]
        self.client_reference_id = form.get("client_reference_id")
        self.metadata = form.get("metadata") or {}
        self.success_url, self.cancel_url = form["success_url"], form["cancel_url"]
        self.status, self.payment_status = "open", "unpaid"
        self.payment_intent: str | None = None
        self.customer: str | None = None
        self.url = f"{BASE[0]}/checkout/{self.id}"
        self._name = price["product_data"]["name"]
        self._email = form.get("customer_email")

    def _pay(self, number: str) -> None:
        """Raises UserError for a card that is refused."""
        card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        customer = cast("Any", Customer)(email=self._email)
        method = cast("Any", PaymentMethod)(type="card", card=card)
        PaymentMethod._api_attach(method.id, customer=customer.id)
        intent = PaymentIntent._api_create(
            amount=self.amount_total,
            currency=self.currency,
            customer=customer.id,
            payment_method=method.id,
            metadata=self.metadata,
            confirm="true",
            off_session="true",
        )
        self.status, self.payment_status = "complete", "paid"
        self.payment_intent, self.customer = intent.id, customer.id
        schedule_webhook(Event("checkout.session.completed", self))


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


async def show(request: web.Request) -> web.Response:
    session = Session._api_retrieve(request.match_info["id"])
    text = PAGE.format(name=session._name, amount=session.amount_total, currency=session.currency)
    return web.Response(text=text, content_type="text/html")


async def pay(request: web.Request) -> web.Response:
    session = Session._api_retrieve(request.match_info["id"])
    session._pay(str((await request.post())["number"]).replace(" ", ""))
    raise web.HTTPSeeOther(session.success_url)


@web.middleware
async def people_need_no_key(request: web.Request, handler: Any) -> web.StreamResponse:
    """The hosted page is for people; everything else asks for the secret key."""
    if request.path.startswith("/checkout/"):
        return await (pay if request.method == "POST" else show)(request)
    return await handler(request)


BASE: list[str] = []
KNOWN: dict[str, Session] = {}


def serve(port: int) -> None:
    BASE.append(f"http://127.0.0.1:{port}")
    store.dump_to_disk = lambda: None
    app = web.Application(middlewares=[server.error_middleware, people_need_no_key, server.auth_middleware])
    app.router.add_post("/v1/checkout/sessions", create)
    app.router.add_get("/v1/checkout/sessions/{id}", look_at)
    app.router.add_route("*", "/checkout/{id}", show)
    for route in server.app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            app.router.add_route(route.method, route.resource.canonical, route.handler)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda *_: None, access_log=None)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
