"""Links to customers' pages over HTTP: make one to hand on, call back all that are out."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import CustomerUnknown
from services.invoice.entities.rules import DEFAULT
from services.invoice.pay_links import handlers
from shared.db import reading
from shared.errors import NotFound
from shared.http.dependencies import DatabaseDep, Once, ResourcesDep
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["pay links"], dependencies=[scope("invoices:write")])


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"


class PayLinkOut(BaseModel):
    """Whoever has the link sees the account and may pay, dispute and promise: hand it to the customer alone."""

    url: str


@router.get("/customers/{customer_id}/pay-link", response_model=PayLinkOut)
async def make_link(
    customer_id: UUID, database: DatabaseDep, resources: ResourcesDep, entity_id: str = DEFAULT
) -> Response:
    """The link to the customer's page; the same text all month, valid for six months more."""
    async with reading(database) as tx:
        account = await customers.find_account(tx, CustomerRef(customer_id=customer_id), entity_id)
        if account is None:
            raise CustomerNotFound(f"there is no customer {customer_id}")
        url = await handlers.make_link(tx, resources.pay_links, account)
    return respond(PayLinkOut(url=url))


@router.post("/customers/{customer_id}/pay-link/recall", status_code=204)
async def call_back_links(customer_id: UUID, once: Once) -> Response:
    """Every link given out for the customer so far stops working at once; the next message carries a new one."""
    async with once as tx:
        try:
            await handlers.call_back_links(tx, customer_id)
        except CustomerUnknown:
            raise CustomerNotFound(f"there is no customer {customer_id}") from None
        return once.answer(204)
