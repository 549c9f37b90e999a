"""What is learned about customers over HTTP: add it, look at it, and have the credit bureau asked."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.credit.intake import handlers
from services.credit.ratios.rules import Ratios, ratios_of
from services.credit.vetting import handlers as vetting
from services.credit.vetting import rules
from services.credit.vetting.handlers import AddInput
from services.credit.vetting.rules import FinancialStatement, Inquiry, Kept, NoBureau, Particulars, Passed
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["vetting"])

LegalId = Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]*$")]


class AddInputIn(Body):
    source: rules.Text = Field(description="Who says so", examples=["Creditreform", "annual report 2025"])
    dated_on: date = Field(description="The day it speaks of: of a report its date, of a balance sheet its key date")
    expires_on: date | None = Field(default=None, description="The last day on which it counts, else the kind's term")
    particulars: Particulars


class InputOut(BaseModel):
    """`passed_over` says why it does not count today, null while it does; `ratios` are those of a statement."""

    id: UUID
    source: str
    dated_on: date
    expires_on: date
    passed_over: Passed | None
    particulars: Particulars
    ratios: Ratios | None
    received_at: datetime
    received_from: str

    @classmethod
    def of(cls, kept: Kept, passed: Passed | None = None) -> "InputOut":
        input = kept.input
        told = input.particulars
        return cls(
            id=input.id,
            source=input.source,
            dated_on=input.dated_on,
            expires_on=input.expires_on,
            passed_over=passed,
            particulars=told,
            ratios=ratios_of(told.statement) if isinstance(told, FinancialStatement) else None,
            received_at=kept.received_at,
            received_from=kept.received_from,
        )


class AskBureauIn(Body):
    legal_id: LegalId = Field(description="The company's number in its register, or its VAT id")


class InquiryOut(BaseModel):
    """`status` is `asked` until the worker has put the question, then what became of it; `raw` is the answer as it
    came. An `unknown` one may have been asked and is never repeated by itself."""

    id: UUID
    customer_id: UUID
    legal_id: str
    status: rules.InquiryStatus
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None
    http_status: int | None
    raw: str | None
    detail: str | None
    input_id: UUID | None

    @classmethod
    def of(cls, inquiry: Inquiry) -> "InquiryOut":
        return cls(**{name: getattr(inquiry, name) for name in cls.model_fields})


@router.post(
    "/customers/{customer_id}/vetting-inputs",
    status_code=201,
    response_model=InputOut,
    dependencies=[scope("credit:write")],
)
async def take_in(customer_id: UUID, body: AddInputIn, once: Once, caller: PrincipalDep) -> Response:
    """Add a credit report, a trade reference, a financial statement, a payment history, the foundation or an entry of a
    court or register. A customer that was assessed before is assessed again."""
    async with once as tx:
        command = AddInput(customer_id, body.source, body.dated_on, body.expires_on, body.particulars, caller.subject)
        input = await handlers.take_in(tx, command)
        return once.answer(201, InputOut.of(Kept(input, tx.now, caller.subject)))


@router.get(
    "/customers/{customer_id}/vetting-inputs", response_model=Page[InputOut], dependencies=[scope("credit:read")]
)
async def list_inputs(customer_id: UUID, database: DatabaseDep, page: PageParams) -> Page[InputOut]:
    """All that was learned about the customer, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        kept, passed = await vetting.list_inputs(tx, customer_id, before, page.limit + 1)
    shown, more = page.cut(kept, lambda last: [last.input.id])
    return Page[InputOut](items=[InputOut.of(each, passed.get(each.input.id)) for each in shown], next_cursor=more)


@router.post(
    "/customers/{customer_id}/bureau-inquiries",
    status_code=202,
    response_model=InquiryOut,
    dependencies=[scope("credit:write")],
)
async def ask_bureau(
    customer_id: UUID, body: AskBureauIn, once: Once, caller: PrincipalDep, request: Request
) -> Response:
    """Have the worker ask the credit bureau; the report becomes a vetting input."""
    if not request.app.state.has_bureau:
        raise NoBureau("BUREAU_URL is not set; add the report as a vetting input.")
    async with once as tx:
        inquiry = await vetting.ask_bureau(tx, customer_id, body.legal_id, caller.subject)
        return once.answer(202, InquiryOut.of(inquiry), location=f"/v1/bureau-inquiries/{inquiry.id}")


@router.get("/bureau-inquiries/{inquiry_id}", response_model=InquiryOut, dependencies=[scope("credit:read")])
async def show_inquiry(inquiry_id: UUID, database: DatabaseDep) -> Response:
    """What became of a question to the bureau, with its answer as it came."""
    async with reading(database) as tx:
        inquiry = await vetting.get_inquiry(tx, inquiry_id)
    return respond(InquiryOut.of(inquiry))
