"""A scorecard: what counts for how many points, as a document that anybody can read and change.

A score is the base plus the points of one bin of each characteristic. Bins leave no value out and none in two of them,
and what is missing has a bin of its own, so every customer has a score. A calibration table turns it into a risk class
and a probability of default within a year.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from services.credit.characteristics.rules import KNOWN, Kind
from shared import documents
from shared.documents import Fault, Part, Unusable, broken
from shared.errors import Conflict, NotFound, Refused

RiskClass = Literal["A", "B", "C", "D", "E"]
CLASSES: tuple[RiskClass, ...] = ("A", "B", "C", "D", "E")

DEFAULT = "standard"
POINTS_MAX = 10_000
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Points = Annotated[int, Field(ge=-POINTS_MAX, le=POINTS_MAX)]


def _number(value: Any) -> Any:
    """Exact, as it was written; `true` is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("a number is expected")
    return Decimal(str(value)) if isinstance(value, int | float) else value


def _day(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("a date such as 2027-06-30 is expected") from None
    return value


Number = Annotated[
    Decimal, BeforeValidator(_number), Field(strict=False, allow_inf_nan=False, max_digits=18, decimal_places=6)
]
Day = Annotated[date, BeforeValidator(_day), Field(json_schema_extra={"format": "date"})]


def _known(name: str) -> str:
    if name not in KNOWN:
        raise ValueError(f"there is no characteristic {name!r}; there are {', '.join(sorted(KNOWN))}")
    return name


class Bin(Part):
    """Some values of a characteristic, and what they count for: a range of numbers, some categories, all other
    categories, or that the value is missing."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [way]} for way in ("from", "below", "any_of", "other", "missing")],
        },
        populate_by_name=True,
    )

    at_least: Number | None = Field(default=None, alias="from", description="From this number on, itself included")
    below: Number | None = Field(default=None, description="Up to this number, itself not included")
    any_of: tuple[str, ...] | None = Field(default=None, strict=False, min_length=1, description="These categories")
    other: Literal[True] | None = Field(default=None, description="All categories that no other bin names")
    missing: Literal[True] | None = Field(default=None, description="Nothing is known")
    points: Points = Field(description="Above zero they raise the score, below they lower it")
    reason: Code = Field(description="The code by which the result names it")
    says: str = Field(min_length=1, max_length=200, description="The same in words, for people")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        is_range = self.at_least is not None or self.below is not None
        if sum((is_range, self.any_of is not None, bool(self.other), bool(self.missing))) != 1:
            raise broken("bin_kind", "", "a bin has from and below, or any_of, or other: true, or missing: true")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise broken("empty_bin", "/from", "from is not under below, nothing is between them")
        return self

    @property
    def is_range(self) -> bool:
        return self.at_least is not None or self.below is not None

    def takes(self, value: Decimal | str | None) -> bool:
        """Whether a value falls in here; categories that are left for `other` do not."""
        if value is None:
            return bool(self.missing)
        if isinstance(value, str):
            return self.any_of is not None and value in self.any_of
        if not self.is_range:
            return False
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)


class Characteristic(Part):
    """One thing that is known of a customer, and what its values count for."""

    name: Annotated[str, AfterValidator(_known)] = Field(json_schema_extra={"enum": [*sorted(KNOWN)]})
    bins: tuple[Bin, ...] = Field(min_length=2, max_length=50, strict=False)

    @model_validator(mode="after")
    def _every_value_in_one_bin(self) -> Self:
        _one_missing(self.bins)
        if KNOWN[self.name].kind is Kind.NUMBER:
            _no_gap_no_overlap(self.bins)
        else:
            _categories_once(self.bins, KNOWN[self.name].categories)
        return self

    def bin_of(self, value: Decimal | str | None) -> Bin:
        found = next((bin for bin in self.bins if bin.takes(value)), None)
        return found or next(bin for bin in self.bins if bin.other)


def _one_missing(bins: tuple[Bin, ...]) -> None:
    given = [index for index, bin in enumerate(bins) if bin.missing]
    if not given:
        raise broken("no_missing_bin", "/bins", "a bin with missing: true says what it counts when nothing is known")
    if len(given) > 1:
        raise broken("missing_twice", f"/bins/{given[1]}/missing", "there is a bin for what is missing already")


def _no_gap_no_overlap(bins: tuple[Bin, ...]) -> None:
    for index, bin in enumerate(bins):
        if not bin.is_range and not bin.missing:
            raise broken("no_range", f"/bins/{index}", "this characteristic is a number: its bins have from and below")
    lowest = Decimal("-Infinity")
    ranges = sorted(
        ((bin.at_least if bin.at_least is not None else lowest, i, bin) for i, bin in enumerate(bins) if bin.is_range),
        key=lambda each: each[:2],
    )
    if not ranges:
        raise broken("no_range", "/bins", "there is no bin for any number")
    first, last = ranges[0], ranges[-1]
    if first[2].at_least is not None:
        raise broken("gap", f"/bins/{first[1]}/from", f"no bin takes numbers below {first[2].at_least}")
    for (_, one, lower), (start, other, upper) in pairwise(ranges):
        if lower.below is None or start < lower.below:
            raise broken("overlap", f"/bins/{other}", f"overlaps with bin {one + 1}: {_said(upper)} and {_said(lower)}")
        if start > lower.below:
            raise broken("gap", f"/bins/{other}/from", f"no bin takes numbers from {lower.below} to {start}")
    if last[2].below is not None:
        raise broken("gap", f"/bins/{last[1]}/below", f"no bin takes numbers from {last[2].below} on")


def _said(bin: Bin) -> str:
    ends = [f"from {bin.at_least}" if bin.at_least is not None else "", f"below {bin.below}" if bin.below else ""]
    return " ".join(end for end in ends if end) or "any number"


def _categories_once(bins: tuple[Bin, ...], known: tuple[str, ...]) -> None:
    seen: dict[str, int] = {}
    for index, bin in enumerate(bins):
        if bin.is_range:
            raise broken("no_category", f"/bins/{index}", "this characteristic is no number: its bins have any_of")
        for place, category in enumerate(bin.any_of or ()):
            at = f"/bins/{index}/any_of/{place}"
            if known and category not in known:
                raise broken("unknown_category", at, f"there is no {category!r} here, only {', '.join(known)}")
            if category in seen:
                raise broken("overlap", at, f"{category!r} stands in bin {seen[category] + 1} already")
            seen[category] = index
    others = [index for index, bin in enumerate(bins) if bin.other]
    if len(others) > 1:
        raise broken("other_twice", f"/bins/{others[1]}/other", "there is a bin for all other categories already")
    left = [category for category in known if category not in seen]
    if not others and (left or not known):
        of = ", ".join(left) if left else "categories that are not named"
        raise broken("gap", "/bins", f"no bin takes {of}: name them, or add a bin with other: true")


class Band(Part):
    """Scores from here up to the next band."""

    score_from: int | None = Field(default=None, description="The least score of the band; null for the lowest band")
    risk_class: RiskClass
    probability_of_default: Annotated[Number, Field(ge=0, le=1)] = Field(description="Within a year, 0 to 1")


class Scorecard(Part):
    """The whole document."""

    name: Name
    title: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=4_000)
    owner: str = Field(min_length=1, max_length=200, description="Who answers for it")
    review_on: Day = Field(description="When its outcomes are looked at next")
    valid_days: int = Field(default=365, ge=1, le=1_095, description="How long an assessment holds at most")
    base_points: Points = Field(description="The score of a customer of whom every bin counts nothing")
    characteristics: tuple[Characteristic, ...] = Field(min_length=1, max_length=60, strict=False)
    calibration: tuple[Band, ...] = Field(
        min_length=2, max_length=60, strict=False, description="From the lowest band to the highest"
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: dict[str, int] = {}
        for index, characteristic in enumerate(self.characteristics):
            if characteristic.name in seen:
                at = f"/characteristics/{index}/name"
                raise broken("twice", at, f"{characteristic.name!r} stands at {seen[characteristic.name] + 1} already")
            seen[characteristic.name] = index
        return self

    @model_validator(mode="after")
    def _higher_is_safer(self) -> Self:
        lowest = self.calibration[0]
        if lowest.score_from is not None:
            raise broken("gap", "/calibration/0/score_from", "the lowest band has none: it takes every score below")
        for index, (lower, upper) in enumerate(pairwise(self.calibration), start=1):
            at = f"/calibration/{index}"
            if upper.score_from is None or (lower.score_from is not None and upper.score_from <= lower.score_from):
                raise broken("order", f"{at}/score_from", "bands go from the lowest score to the highest, none twice")
            if upper.probability_of_default > lower.probability_of_default:
                raise broken("order", f"{at}/probability_of_default", "a higher score cannot be likelier to default")
            if CLASSES.index(upper.risk_class) > CLASSES.index(lower.risk_class):
                raise broken("order", f"{at}/risk_class", "a higher score cannot have a worse class")
        return self

    def band_of(self, score: int) -> Band:
        return next(band for band in reversed(self.calibration) if band.score_from is None or score >= band.score_from)


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a scorecard; `document` is what was written, comments included. When and by whom is None for the
    one that came with the service."""

    scorecard: Scorecard
    version: int
    document: str
    published_at: datetime | None = None
    published_by: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What one characteristic added to a score; `value` as text, a number without an exponent."""

    characteristic: str
    value: str | None
    points: int
    reason: str
    says: str


@dataclass(frozen=True, slots=True)
class Score:
    """`raised` and `lowered` are in the order of their weight; what counted nothing is in `neutral`."""

    score: int
    risk_class: RiskClass
    probability_of_default: Decimal
    raised: tuple[Counted, ...]
    lowered: tuple[Counted, ...]
    neutral: tuple[Counted, ...]


def score(scorecard: Scorecard, values: Mapping[str, Decimal | str | None]) -> Score:
    """Base plus points; a characteristic that is not among the values is missing."""
    counted = list(_count(scorecard, values))
    total = scorecard.base_points + sum(each.points for each in counted)
    band = scorecard.band_of(total)
    by_weight = sorted(counted, key=lambda each: (-abs(each.points), each.characteristic))
    return Score(
        score=total,
        risk_class=band.risk_class,
        probability_of_default=band.probability_of_default,
        raised=tuple(each for each in by_weight if each.points > 0),
        lowered=tuple(each for each in by_weight if each.points < 0),
        neutral=tuple(each for each in by_weight if each.points == 0),
    )


def _count(scorecard: Scorecard, values: Mapping[str, Decimal | str | None]) -> Iterator[Counted]:
    for characteristic in scorecard.characteristics:
        value = values.get(characteristic.name)
        bin = characteristic.bin_of(value)
        said = format(value, "f") if isinstance(value, Decimal) else value
        yield Counted(characteristic.name, said, bin.points, bin.reason, bin.says)


class ScorecardNotFound(NotFound):
    slug = "scorecard-not-found"
    title = "There is no such scorecard"


class InvalidScorecard(Refused):
    slug = "invalid-scorecard"
    title = "The scorecard document cannot be used"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(
            "; ".join(map(str, faults)),
            errors=[{"pointer": f"#{f.pointer}", "line": f.line, "detail": f.detail} for f in faults],
        )
        self.faults = faults


class OtherName(Conflict):
    slug = "scorecard-name-differs"
    title = "The document is for a scorecard of another name"


@lru_cache(maxsize=64)
def parse(document: str) -> Scorecard:
    """Read a YAML or JSON document. Raises InvalidScorecard with each fault's line and field."""
    try:
        found = documents.read(document, "a scorecard is a mapping with name, title, characteristics and calibration")
    except Unusable as fault:
        raise InvalidScorecard(fault.faults) from None
    try:
        return Scorecard.model_validate(found.value)
    except ValidationError as invalid:
        raise InvalidScorecard(found.faults(invalid)) from None


def json_schema() -> dict[str, Any]:
    """The published schema of the document, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scorecard.model_json_schema()}
