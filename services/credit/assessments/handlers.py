"""Assess customers, again when something happens, and make any assessment again from what is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.credit.assessments import rules, store
from services.credit.assessments.rules import (
    Assessment,
    AssessmentNotFound,
    CreditFile,
    Material,
    Result,
    Standing,
    Trial,
)
from services.credit.behaviour import handlers as behaviour
from services.credit.behaviour.rules import Cause
from services.credit.follow_ups import handlers as follow_ups
from services.credit.scorecards import handlers as scorecards
from services.credit.scorecards import rules as documents
from services.credit.scorecards.rules import OtherName, RiskClass
from services.credit.vetting import handlers as vetting
from services.credit.vetting.handlers import Profile
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id

REASSESS_DUE = store.REASSESS_DUE
CUSTOMERS_A_RUN = 20
MOVERS_MAX = 200
ITSELF = "credit"


@dataclass(frozen=True, slots=True)
class AssessCustomer:
    """By the scorecard named, else the one it was assessed by last, else the default one."""

    customer_id: UUID
    scorecard: str | None
    assessed_by: str


async def latest(tx: Tx, customer_id: UUID) -> Standing | None:
    """Class, score and probability of default of the newest assessment; None for a customer never assessed."""
    return (await store.standings(tx, [customer_id])).get(customer_id)


async def latest_of(tx: Tx, customer_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
    """Of many at once; who was never assessed is not in the answer."""
    return await store.standings(tx, customer_ids)


async def classes_until(
    tx: Tx, customer_ids: Sequence[UUID], until: datetime
) -> Sequence[tuple[UUID, datetime, UUID, RiskClass]]:
    """(customer_id, assessed_at, assessment_id, risk_class) of every assessment made before, the oldest first."""
    return await store.classes_until(tx, customer_ids, until)


async def materials_of(tx: Tx, assessment_ids: Collection[UUID]) -> Mapping[UUID, Material]:
    """What these assessments rest on."""
    return await store.materials(tx, assessment_ids) if assessment_ids else {}


async def assess_customer(tx: Tx, command: AssessCustomer) -> Assessment:
    """Raises CustomerNotFound, ScorecardNotFound."""
    return await _assess(tx, command, None)


async def reassess(tx: Tx, customers_max: int = CUSTOMERS_A_RUN) -> int:
    """Assess a bounded number of customers of whom it is time. Returns how many."""
    due = await store.due(tx, customers_max)
    for customer_id in due:
        await _assess(tx, AssessCustomer(customer_id, None, ITSELF), local_date(tx.now, "UTC"))
    return len(due)


async def _assess(tx: Tx, command: AssessCustomer, by_calendar: date | None) -> Assessment:
    profile = await vetting.lock_profile(tx, command.customer_id)
    file = await store.lock_file(tx, command.customer_id)
    name = command.scorecard or (file.scorecard if file else documents.DEFAULT)
    published = await scorecards.find_scorecard(tx, name)
    material = await _gather(tx, command.customer_id, profile, local_date(tx.now, "UTC"))
    assessment = Assessment(
        id=new_id(),
        customer_id=command.customer_id,
        assessed_at=tx.now,
        assessed_by=command.assessed_by,
        because=rules.causes(file, by_calendar, material),
        scorecard=name,
        scorecard_version=published.version,
        material=material,
        result=rules.assess(material, published.scorecard),
    )
    await store.add(tx, assessment)
    if profile.applicant:  # There is nobody yet for others to be told of.
        return assessment
    score = assessment.result.score
    standing = Standing(
        score.risk_class, score.score, score.probability_of_default, assessment.result.valid_until, assessment.id
    )
    after = CreditFile(
        id=file.id if file else new_id(),
        version=file.version + 1 if file else 1,
        scorecard=name,
        standing=standing,
        assessed_at=tx.now,
        because=(),
    )
    await store.save_file(tx, command.customer_id, after, rules.look_again_at(assessment.result))
    await outbox.append(tx, rules.assessed(after, assessment, file.standing.risk_class if file else None))
    await follow_ups.note(tx, {command.customer_id: rules.news(assessment, file)})
    return assessment


async def _gather(tx: Tx, customer_id: UUID, profile: Profile, today: date) -> Material:
    sifted = await vetting.sift(tx, customer_id, today)
    return Material(
        assessed_on=today,
        segment=profile.segment,
        country=profile.country,
        history=await behaviour.history(tx, customer_id, today),
        inputs=sifted.counted,
        left_out=sifted.left_out,
    )


async def note(tx: Tx, causes: Mapping[UUID, Collection[Cause]]) -> None:
    """Something happened: customers who have been assessed before are assessed again. Nobody else is."""
    if causes:
        await store.note(tx, causes)


async def close_file(tx: Tx, customer_id: UUID) -> None:
    """A customer that was merged is not assessed by itself any more; its assessments stay."""
    await store.remove_file(tx, customer_id)


async def get_assessment(tx: Tx, assessment_id: UUID) -> Assessment:
    """Raises AssessmentNotFound."""
    found = await store.find(tx, assessment_id)
    if found is None:
        raise AssessmentNotFound(f"No assessment has the id {assessment_id}.")
    return found


async def list_assessments(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Assessment]:
    """Newest first."""
    return await store.page(tx, customer_id, before, count_max)


async def replay(tx: Tx, assessment_id: UUID) -> tuple[Assessment, Result]:
    """An assessment, and what its stored material gives today with its own version of the scorecard. Changes nothing.
    Raises AssessmentNotFound."""
    stored = await get_assessment(tx, assessment_id)
    published = await scorecards.find_scorecard(tx, stored.scorecard, stored.scorecard_version)
    return stored, rules.assess(stored.material, published.scorecard)


async def try_scorecard(tx: Tx, name: str, document: str | None) -> Trial:
    """What a scorecard, published or not, would make of the book; changes nothing. Raises ScorecardNotFound,
    InvalidScorecard, OtherName."""
    if document is None:
        scorecard = (await scorecards.find_scorecard(tx, name)).scorecard
    else:
        scorecard = documents.parse(document)
        if scorecard.name != name:
            raise OtherName(f"The document is for {scorecard.name!r}, the address for {name!r}.", field="/name")
    return rules.trial(scorecard, [each async for each in store.book(tx)], MOVERS_MAX)
