"""Segments over HTTP: where a customer is and why, what rules would make of the book, and who is pinned."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.credit.segmentations.rules import InvalidSegmentation
from services.credit.segments import handlers
from services.credit.segments.handlers import PinSegment, Standing
from services.credit.segments.rules import Pin, Preview
from shared.db import reading, transaction
from shared.documents import Fault
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["segments"])


class PinOut(BaseModel):
    reason: str
    pinned_by: str
    pinned_at: datetime

    @classmethod
    def of(cls, pin: Pin) -> "PinOut":
        return cls.model_validate(pin, from_attributes=True)


class SegmentOut(BaseModel):
    """`by_rules` is the segment that the rules in force say, by rule number `rule` (from 0) of `version`; null while
    there are none. `facts` is what they go by; what nobody knows is null."""

    customer_id: UUID
    segment: str
    pin: PinOut | None
    by_rules: str | None
    rule: int | None
    version: int | None
    facts: dict[str, str | None]

    @classmethod
    def of(cls, standing: Standing) -> "SegmentOut":
        known, found = standing.known, standing.found
        return cls(
            customer_id=known.customer_id,
            segment=known.segment,
            pin=PinOut.of(known.pin) if known.pin else None,
            by_rules=found.segment if found else None,
            rule=found.rule if found else None,
            version=standing.published.version if standing.published else None,
            facts={name: _text(value) for name, value in standing.facts.items()},
        )


def _text(value: Decimal | str | None) -> str | None:
    return format(value.quantize(Decimal("0.0001")).normalize() + 0, "f") if isinstance(value, Decimal) else value


class MoveOut(BaseModel):
    before: str
    after: str
    customers: int


class MoverOut(BaseModel):
    customer_id: UUID
    before: str
    after: str
    rule: int


class PreviewOut(BaseModel):
    """`moves` has every pair of segments with customers in it, those that stay included; `movers` are the first 200
    that go."""

    customers: int
    pinned: int
    moves: list[MoveOut]
    movers: list[MoverOut]

    @classmethod
    def of(cls, preview: Preview) -> "PreviewOut":
        return cls.model_validate(preview, from_attributes=True)


class PinSegmentIn(Body):
    segment: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("/customers/{customer_id}/segment", response_model=SegmentOut, dependencies=[scope("credit:read")])
async def show_segment(customer_id: UUID, database: DatabaseDep) -> Response:
    """The customer's segment, and what the rules go by."""
    async with reading(database) as tx:
        standing = await handlers.show_segment(tx, customer_id)
    return respond(SegmentOut.of(standing))


@router.put("/customers/{customer_id}/segment-pin", response_model=SegmentOut, dependencies=[scope("customers:write")])
async def pin_segment(
    customer_id: UUID, body: PinSegmentIn, version: IfMatch, database: DatabaseDep, principal: PrincipalDep
) -> Response:
    """Put the customer in a segment and have it stay there; the version is the customer's."""
    async with transaction(database) as tx:
        command = PinSegment(customer_id, body.segment, body.reason, principal.subject, version)
        customer = await handlers.pin_segment(tx, command)
        standing = await handlers.show_segment(tx, customer_id)
    return respond(SegmentOut.of(standing), etag=customer.version)


@router.delete(
    "/customers/{customer_id}/segment-pin", response_model=SegmentOut, dependencies=[scope("customers:write")]
)
async def unpin_segment(customer_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Leave the segment to the rules again, which put the customer where it belongs within moments."""
    async with transaction(database) as tx:
        customer = await handlers.unpin_segment(tx, customer_id, version)
        standing = await handlers.show_segment(tx, customer_id)
    return respond(SegmentOut.of(standing), etag=customer.version)


@router.post(
    "/segmentation/previews",
    response_model=PreviewOut,
    dependencies=[scope("credit:read")],
    openapi_extra={
        "requestBody": {
            "required": False,
            "description": "Rules to try; without any, the newest version that was published",
            "content": {"application/yaml": {"schema": {"type": "string"}}},
        }
    },
)
async def preview_segmentation(request: Request, database: DatabaseDep) -> Response:
    """Who would be in which segment by these rules today. Changes nothing."""
    try:
        document = (await request.body()).decode()
    except UnicodeDecodeError as fault:
        raise InvalidSegmentation([Fault(1, "", f"not UTF-8: {fault.reason}")]) from None
    async with reading(database) as tx:
        preview = await handlers.preview(tx, document or None)
    return respond(PreviewOut.of(preview))
