"""Which segment a customer is in, by its size and how it pays: rules as a document that anybody can read and change.

The rules are asked in their order; the first whose conditions all hold decides, and the last has none, so that every
customer has a segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from services.credit.policy_rules.rules import CLASSES
from services.credit.scorecards.rules import Day, Number
from shared import documents
from shared.documents import Fault, Part, Unusable, broken
from shared.errors import NotFound, Refused
from shared.money import exponent

Value = Decimal | str | None

NUMBERS: dict[str, str] = {
    "sales": "invoiced that came due in twelve months, in the document's currency by the rates of the day",
    "invoices": "invoices that came due in twelve months",
    "payments": "invoices paid in twelve months",
    "average_days_late": "days after due that it paid in twelve months, on average; early ones below zero",
    "late_share": "share of what it paid in twelve months that was late, 0 to 1",
    "oldest_overdue_days": "days that its oldest open invoice is past due",
    "disputes": "invoices it disputed in twelve months",
    "broken_promises": "promises to pay it broke in twelve months",
    "write_offs": "its invoices that were written off in three years",
    "months_known": "whole months since it was onboarded",
}
CATEGORIES: dict[str, tuple[str, ...]] = {
    "risk_class": CLASSES,
    "drifting": ("yes", "no"),
    "country": (),
    "currency": (),
}
"""With all that there are; empty where anything may be said."""
FACTS = (*NUMBERS, *CATEGORIES)


def _known(name: str) -> str:
    if name not in FACTS:
        raise ValueError(f"nothing is known by the name {name!r}; there are {', '.join(sorted(FACTS))}")
    return name


def _currency(code: str) -> str:
    exponent(code)
    return code


class Condition(Part):
    """What one fact has to be: a number in a range, or one of some categories. What nobody knows is neither."""

    model_config = ConfigDict(populate_by_name=True)

    fact: Annotated[str, AfterValidator(_known)] = Field(json_schema_extra={"enum": [*sorted(FACTS)]})
    at_least: Number | None = Field(default=None, alias="from", description="From this number on, itself included")
    below: Number | None = Field(default=None, description="Up to this number, itself not included")
    any_of: tuple[str, ...] | None = Field(default=None, strict=False, min_length=1, description="These categories")

    @model_validator(mode="after")
    def _fits_its_fact(self) -> Self:
        is_range = self.at_least is not None or self.below is not None
        if self.fact in NUMBERS and (self.any_of is not None or not is_range):
            raise broken("condition_kind", "/fact", f"{self.fact} is a number: it has from and below")
        if self.fact in CATEGORIES and (is_range or self.any_of is None):
            raise broken("condition_kind", "/fact", f"{self.fact} is a category: it has any_of")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise broken("empty_range", "/from", "from is not under below, nothing is between them")
        known = CATEGORIES.get(self.fact)
        for index, each in enumerate(self.any_of or ()):
            if known and each not in known:
                raise broken("category", f"/any_of/{index}", f"{each!r} is none of {', '.join(known)}")
        return self

    def __str__(self) -> str:
        """As somebody says it: sales from 10000, below 50000."""
        name = self.fact.replace("_", " ")
        if self.any_of:
            return f"{name} {' or '.join(self.any_of)}"
        limits = (("from", self.at_least), ("below", self.below))
        return f"{name} {', '.join(f'{word} {number}' for word, number in limits if number is not None)}"

    def holds(self, value: Value) -> bool:
        if value is None:
            return False
        if isinstance(value, str):
            return self.any_of is not None and value in self.any_of
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)


class SegmentRule(Part):
    """A segment, and all that has to hold for a customer to be in it."""

    segment: str = Field(min_length=1, max_length=64)
    when: tuple[Condition, ...] = Field(default=(), max_length=20, strict=False)

    def __str__(self) -> str:
        return f"{self.segment}: {'; '.join(map(str, self.when)) or 'everybody else'}"


class Segmentation(Part):
    """`currency` is that of `sales`. While `active` is false nothing follows from it."""

    title: str = Field(min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=200, description="Who answers for it")
    review_on: Day = Field(description="When its outcomes are to be looked at next")
    currency: Annotated[str, AfterValidator(_currency)]
    active: bool = True
    rules: tuple[SegmentRule, ...] = Field(min_length=1, max_length=100, strict=False)

    @model_validator(mode="after")
    def _every_customer_has_one(self) -> Self:
        for index, rule in enumerate(self.rules[:-1]):
            if not rule.when:
                raise broken("unreachable", f"/rules/{index + 1}", "never asked, the rule before it takes everybody")
        if self.rules[-1].when:
            raise broken(
                "nobody_left", f"/rules/{len(self.rules) - 1}/when", "the last rule takes everybody, so it has no when"
            )
        return self


@dataclass(frozen=True, slots=True)
class Published:
    """A version as it was written."""

    segmentation: Segmentation
    version: int
    document: str
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class Found:
    """The segment, and which rule (from 0) says so."""

    segment: str
    rule: int


def segment_of(segmentation: Segmentation, facts: Mapping[str, Value]) -> Found:
    for index, rule in enumerate(segmentation.rules):
        if all(condition.holds(facts.get(condition.fact)) for condition in rule.when):
            return Found(rule.segment, index)
    raise AssertionError("the last rule takes everybody")


def changes(before: Segmentation, after: Segmentation) -> tuple[str, ...]:
    """What the later says otherwise, a sentence each; nothing where only comments or the layout differ."""
    return (*_of_the_document(before, after), *_of_the_rules(before, after))


def _of_the_document(before: Segmentation, after: Segmentation) -> Iterator[str]:
    if before.active != after.active:
        yield "It is gone by from now on." if after.active else "It is not gone by any more."
    for name, says in _NAMED.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{says}: {new} instead of {old}."


_NAMED = {
    "title": "Title",
    "owner": "Who answers for it",
    "review_on": "When its outcomes are looked at",
    "currency": "The currency of sales",
}


def _of_the_rules(before: Segmentation, after: Segmentation) -> Iterator[str]:
    old, new = ([str(rule) for rule in each.rules] for each in (before, after))
    for kind, first, last, there, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "replace" and last - first == end - there:
            for index, (was, now) in enumerate(zip(old[first:last], new[there:end], strict=True), there + 1):
                yield f"Rule {index} is “{now}” instead of “{was}”."
        elif kind != "equal":
            yield from (f"No longer there: “{was}”." for was in old[first:last])
            yield from (f"New: rule {index}, “{now}”." for index, now in enumerate(new[there:end], there + 1))


def switched(document: str, active: bool) -> str:
    """The same document, gone by or not: the line that says so is changed, or added at the end. Raises
    InvalidSegmentation where a document has no such lines, as one of a single line in JSON."""
    line = f"active: {str(active).lower()}"
    text, found = re.subn(r"^active:[^\n#]*?(?=\s*(?:#|$))", line, document, count=1, flags=re.MULTILINE)
    if not found:
        text = f"{document.rstrip()}\n{line}\n"
    if parse(text).active != active:
        raise InvalidSegmentation([Fault(1, "/active", f"write {line} into the document")])
    return text


class NoSegmentation(NotFound):
    slug = "no-segmentation"
    title = "There are no such rules for segments"


class InvalidSegmentation(Refused):
    slug = "invalid-segmentation"
    title = "The rules for segments cannot be used"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(
            "; ".join(map(str, faults)),
            errors=[{"pointer": f"#{f.pointer}", "line": f.line, "detail": f.detail} for f in faults],
        )
        self.faults = faults


@lru_cache(maxsize=16)
def parse(document: str) -> Segmentation:
    """Read a YAML or JSON document. Raises InvalidSegmentation with each fault's line and field."""
    try:
        found = documents.read(document, "rules for segments are a mapping with title, owner, currency and rules")
    except Unusable as fault:
        raise InvalidSegmentation(fault.faults) from None
    try:
        return Segmentation.model_validate(found.value)
    except ValidationError as invalid:
        raise InvalidSegmentation(found.faults(invalid)) from None


def json_schema() -> dict[str, Any]:
    """The published schema of the document, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Segmentation.model_json_schema()}
