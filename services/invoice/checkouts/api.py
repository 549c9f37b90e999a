"""The payment provider's calls: signed, taken once, answered quickly."""

from fastapi import APIRouter, Request, Response

from services.invoice.checkouts import handlers
from shared.db import transaction
from shared.errors import NotFound
from shared.http.dependencies import DatabaseDep, ResourcesDep

webhooks = APIRouter(tags=["webhooks"])


class NoCardPayments(NotFound):
    slug = "no-card-payments"
    title = "No payment provider is set up here"


@webhooks.post("/webhooks/stripe", status_code=204)
async def take_call(request: Request, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """What became of a payment. Stripe repeats a call until it is answered; each counts once."""
    stripe = resources.stripe
    if stripe is None:
        raise NoCardPayments("set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET to take payments by card")
    event = stripe.read_event(await request.body(), request.headers.get("stripe-signature", ""))
    async with transaction(database) as tx:
        await handlers.take_event(tx, event["id"], event["type"], event["data"]["object"])
    return Response(status_code=204)
