"""What every event payload is: a frozen model that knows its topic, its type and its aggregate.

A reader ignores fields it does not know, so that an older reader takes a newer event; `registry.py` holds the
released schemas and refuses a change that would break a reader of the same major version.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


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
