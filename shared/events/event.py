"""What every event payload is: a frozen model that knows its topic, its type and its aggregate.

A reader ignores fields it does not know and takes values it does not know, so that an older reader takes a newer
event; `registry/` holds the released schemas and refuses a change that would break a reader of the same major version.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Growing:
    """Marks a set of names that a later release may extend: `Annotated[Literal["open", "settled"], Growing()]`.

    A publisher writes only the names it knows (checked by the type checker, and when the event is made); a reader
    takes any text, and treats a name it does not know as none of those it acts on. Without this, one more status
    would be a break, and cost a new major version. Schemas list the names as `x-extensible-enum`.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.str_schema(min_length=1, metadata={"names": get_args(source)}),
            python_schema=handler(source),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        assert schema["type"] == "json-or-python"
        names = schema["json_schema"].get("metadata", {})["names"]
        return {"type": "string", "minLength": 1, "x-extensible-enum": list(names)}


class Payload(BaseModel):
    """A part of an event's data."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Payload):
    """One fact, with the full state of its aggregate after it.

    `effective_on` is the business date the fact counts for, `booked_on` the business date it became known.
    The Kafka key is `customer_id`; every event of an aggregate has a version of its own, one higher each time.
    """

    topic: ClassVar[str]
    type: ClassVar[str]

    customer_id: UUID
    effective_on: date
    booked_on: date

    @property
    def subject(self) -> UUID:
        """The aggregate's id."""
        raise NotImplementedError

    @property
    def version(self) -> int:
        """The aggregate's version after this event, from 1."""
        raise NotImplementedError
