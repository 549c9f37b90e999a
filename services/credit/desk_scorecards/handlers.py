"""The pages of scorecards, gathered from scorecards and assessments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.desk_scorecards.rules import Checked
from services.credit.desk_words.rules import NothingChanged
from services.credit.review_days.handlers import review_days
from services.credit.scorecards import handlers as scorecards
from services.credit.scorecards import rules as documents
from services.credit.scorecards.handlers import PublishScorecard
from services.credit.scorecards.rules import InvalidScorecard, OtherName, Published
from shared.db import Tx
from shared.documents import Fault

MOVERS_SHOWN = 25


@dataclass(frozen=True, slots=True)
class ScorecardShown:
    """`text` is what stands in the editor, `movers` the customers whom it would put in another class.
    Outcomes are to be looked at next on `review_on`."""

    published: Published
    text: str
    checked: Checked
    movers: Mapping[UUID, Customer]
    review_on: date


async def draw_scorecard(tx: Tx, name: str, typed: str | None = None) -> ScorecardShown:
    """With what was typed, or as it is published. Raises ScorecardNotFound."""
    published = await scorecards.find_scorecard(tx, name)
    text = published.document if typed is None else typed
    checked = await check(tx, name, text)
    concerned = {each.customer_id for each in checked.trial.movers[:MOVERS_SHOWN]} if checked.trial else set()
    card = published.scorecard
    review_on = (await review_days(tx)).of_scorecard(card.name, card.review_on)
    return ScorecardShown(published, text, checked, await customers.customers_of(tx, concerned), review_on)


async def check(tx: Tx, name: str, document: str) -> Checked:
    """What publishing the document would say, and what it would make of the book; changes nothing."""
    try:
        trial = await assessments.try_scorecard(tx, name, document)
    except InvalidScorecard as invalid:
        return Checked(invalid.faults)
    except OtherName as other:
        return Checked([Fault(1, "/name", other.detail)])
    return Checked((), documents.parse(document), trial)


async def publish(tx: Tx, name: str, document: str, expected_version: int, by: str) -> None:
    """Raises what `scorecards.publish_scorecard` raises, and NothingChanged."""
    published = await scorecards.publish_scorecard(tx, PublishScorecard(name, document, expected_version, by))
    if published.version == expected_version:
        raise NothingChanged(f"The document is that of version {published.version}, word for word.")
