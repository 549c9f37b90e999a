"""An assessment: what is known of a customer, held against a scorecard; the same material gives the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar
from uuid import UUID

from services.credit.behaviour.rules import Cause, History
from services.credit.ratios.rules import PLACES, Ratios, ratios_of
from services.credit.scorecards import rules as scorecards
from services.credit.scorecards.rules import CLASSES, Counted, RiskClass, Score, Scorecard
from services.credit.vetting.rules import (
    CreditReport,
    FinancialStatement,
    Foundation,
    Input,
    LeftOut,
    PaymentHistory,
    TradeReference,
    court_flags,
    insolvency,
)
from shared.errors import NotFound
from shared.events.credit import CreditAssessed, CreditFileState, ScoreReason

Value = Decimal | str | None
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Material:
    """All that an assessment rests on, besides the scorecard."""

    assessed_on: date
    segment: str
    country: str
    history: History
    inputs: tuple[Input, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """`valid_until` is the last day: then an input expires, or the scorecard's own term is over."""

    score: Score
    ratios: Ratios | None
    valid_until: date


@dataclass(frozen=True, slots=True)
class Standing:
    """What others go by: the newest assessment."""

    risk_class: RiskClass
    score: int
    probability_of_default: Decimal
    valid_until: date
    assessment_id: UUID


@dataclass(frozen=True, slots=True)
class CreditFile:
    """One a customer that was assessed at all; its versions count the assessments."""

    id: UUID
    version: int
    scorecard: str
    standing: Standing
    assessed_at: datetime
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """As it was made, and never changed."""

    id: UUID
    customer_id: UUID
    assessed_at: datetime
    assessed_by: str
    because: tuple[str, ...]
    scorecard: str
    scorecard_version: int
    material: Material
    result: Result


class AssessmentNotFound(NotFound):
    slug = "assessment-not-found"
    title = "There is no such assessment"


def assess(material: Material, scorecard: Scorecard) -> Result:
    """Derive the characteristics, score them, and say how long that holds."""
    ratios = _ratios(material)
    score = scorecards.score(scorecard, characteristics(material, ratios))
    until = [material.assessed_on + timedelta(days=scorecard.valid_days), *(i.expires_on for i in material.inputs)]
    return Result(score, ratios, min(until))


def characteristics(material: Material, ratios: Ratios | None) -> dict[str, Value]:
    """Each by the name that scorecards use; None is what nobody knows. Fractions have four decimals."""
    own = material.history
    references = _of(material, TradeReference)
    imported = next(iter(_of(material, PaymentHistory)), None)
    report = next(iter(_of(material, CreditReport)), None)
    flags = court_flags(material.inputs)
    values: dict[str, Value] = {
        "bureau_score": Decimal(report.score) if report else None,
        "years_trading": _years_trading(material, report),
        "insolvency": insolvency(material.inputs),
        "court_flags": None if flags is None else Decimal(flags),
        "trade_references": Decimal(len(references)),
        "reference_days_late": _mean([each.average_days_late for each in references]),
        "average_days_late": own.average_days_late,
        "late_share": own.late_share,
        "oldest_overdue_days": Decimal(max(own.oldest_overdue_days or 0, 0)),
        "imported_days_late": Decimal(imported.average_days_late) if imported else None,
        "imported_late_share": imported.late_share if imported else None,
        "disputes": Decimal(own.disputes),
        "broken_promises": Decimal(own.broken_promises),
        "write_offs": Decimal(own.write_offs),
        "segment": material.segment,
        "country": material.country,
        **{
            name: getattr(ratios, name) if ratios else None
            for name in ("z_score", "current_ratio", "equity_ratio", "debt_to_equity", "net_margin", "interest_cover")
        },
    }
    return {name: _plain(value) for name, value in values.items()}


def _of(material: Material, kind: type[P]) -> list[P]:
    return [input.particulars for input in material.inputs if isinstance(input.particulars, kind)]


def _ratios(material: Material) -> Ratios | None:
    return next((ratios_of(each.statement) for each in _of(material, FinancialStatement)), None)


def _years_trading(material: Material, report: CreditReport | None) -> Decimal | None:
    """Whole years; a register's entry goes before a bureau's."""
    known = [each.founded_on for each in _of(material, Foundation)]
    founded_on = known[0] if known else (report.founded_on if report else None)
    if founded_on is None:
        return None
    today = material.assessed_on
    return Decimal(today.year - founded_on.year - ((today.month, today.day) < (founded_on.month, founded_on.day)))


def _mean(days: Sequence[int]) -> Decimal | None:
    return Decimal(sum(days)) / len(days) if days else None


def _plain(value: Value) -> Value:
    return value.quantize(PLACES, ROUND_HALF_EVEN).normalize() + 0 if isinstance(value, Decimal) else value


def look_again_at(result: Result) -> datetime:
    """Midnight (UTC) after the last valid day."""
    return datetime.combine(result.valid_until + timedelta(days=1), time(), UTC)


def causes(file: CreditFile | None, by_calendar: date | None, material: Material) -> tuple[str, ...]:
    """Why a customer is assessed now: what happened since, or else that its time was over (an input that has expired
    is named), or that somebody asked."""
    if by_calendar is None or file is None:
        return (Cause.ASKED,)
    if file.standing.valid_until < by_calendar:
        expired = any(each.input.expires_on == file.standing.valid_until for each in material.left_out)
        return (*file.because, Cause.INPUT_EXPIRED if expired else Cause.VALIDITY_OVER)
    return file.because


def news(assessment: Assessment, before: CreditFile | None) -> set[str]:
    """What others may want to do something about: that there is an assessment, why, and whether it got worse."""
    risk_class = assessment.result.score.risk_class
    worse = before is not None and CLASSES.index(risk_class) > CLASSES.index(before.standing.risk_class)
    return {"assessed", *assessment.because, *({"class_worsened"} if worse else ())}


def assessed(file: CreditFile, assessment: Assessment, previous: RiskClass | None) -> CreditAssessed:
    """The event of an assessment that is now the newest in its file."""
    score, today = assessment.result.score, assessment.material.assessed_on
    return CreditAssessed(
        customer_id=assessment.customer_id,
        effective_on=today,
        booked_on=today,
        file=CreditFileState(
            id=file.id,
            version=file.version,
            assessment_id=assessment.id,
            risk_class=score.risk_class,
            score=score.score,
            probability_of_default=format(score.probability_of_default, "f"),
            scorecard=assessment.scorecard,
            scorecard_version=assessment.scorecard_version,
            raised=_told(score.raised),
            lowered=_told(score.lowered),
            valid_until=assessment.result.valid_until,
        ),
        previous_risk_class=previous,
        because=assessment.because,
    )


def _told(counted: Iterable[Counted]) -> tuple[ScoreReason, ...]:
    return tuple(ScoreReason(code=each.reason, points=each.points) for each in counted)


@dataclass(frozen=True, slots=True)
class Mover:
    """A customer whom another scorecard would put in another class."""

    customer_id: UUID
    before: RiskClass
    after: RiskClass
    score_before: int
    score_after: int


@dataclass(frozen=True, slots=True)
class Move:
    before: RiskClass
    after: RiskClass
    customers: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a scorecard would make of the book: `moves` has every pair of classes with customers in it, those that stay
    included; `movers` are the first that go, the furthest first."""

    customers: int
    better: int
    worse: int
    moves: tuple[Move, ...]
    movers: tuple[Mover, ...]


def trial(scorecard: Scorecard, book: Iterable[tuple[UUID, Standing, Material]], movers_max: int) -> Trial:
    """Score the material of each customer's newest assessment with another scorecard; nothing else differs."""
    tried = []
    for customer_id, standing, material in book:
        after = scorecards.score(scorecard, characteristics(material, _ratios(material)))
        tried.append(Mover(customer_id, standing.risk_class, after.risk_class, standing.score, after.score))
    moves: dict[tuple[RiskClass, RiskClass], int] = {}
    for each in tried:
        moves[each.before, each.after] = moves.get((each.before, each.after), 0) + 1
    going = sorted(
        (each for each in tried if each.before != each.after), key=lambda m: (-abs(_steps(m)), m.customer_id)
    )
    return Trial(
        customers=len(tried),
        better=sum(_steps(each) < 0 for each in tried),
        worse=sum(_steps(each) > 0 for each in tried),
        moves=tuple(Move(*pair, count) for pair, count in sorted(moves.items())),
        movers=tuple(going[:movers_max]),
    )


def _steps(mover: Mover) -> int:
    return CLASSES.index(mover.after) - CLASSES.index(mover.before)
