"""The credit policy as a document that people write, and the figures of a what-if side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.credit.policies.rules import Change
from services.credit.policy_rules import rules as policies
from services.credit.policy_rules.rules import Policy, PolicyLimit, PolicyRules
from services.credit.what_ifs import rules as what_ifs
from services.credit.what_ifs.rules import Figures, TermsMove
from shared import documents
from shared.documents import Fault, Unusable
from shared.errors import Refused
from shared.money import Money
from shared.words import money_words

PURPOSE = "a policy is a mapping with limits and rules"


class InvalidPolicyDocument(Refused):
    slug = "invalid-policy-document"
    title = "The policy cannot be used"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LimitEntry(_Part):
    """Without a segment it is for every segment that has no entry of its own in the currency."""

    segment: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    limit: Money


class PolicyDocument(_Part):
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    review_on: date | None = None
    limits: Annotated[tuple[LimitEntry, ...], Field(min_length=1, max_length=2000)]
    rules: PolicyRules = PolicyRules()


@dataclass(frozen=True, slots=True)
class Checked:
    """The faults of what was typed, or the policy that it says and what that changes of the one in force."""

    faults: Sequence[Fault]
    policy: Policy | None = None
    changes: Sequence[Change] = ()


def written(policy: Policy) -> str:
    """As somebody would write it who leaves nothing out."""
    entries = tuple(LimitEntry(segment=each.segment, limit=each.limit) for each in policy.limits)
    document = PolicyDocument(owner=policy.owner, review_on=policy.review_on, limits=entries, rules=policy.rules)
    return yaml.safe_dump(document.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)


def read(text: str, in_force: Policy) -> Policy | list[Fault]:
    """The policy that a document says, or every fault of it with its line."""
    try:
        found = documents.read(text, PURPOSE)
    except Unusable as fault:
        return fault.faults
    try:
        said = PolicyDocument.model_validate(found.value)
    except ValidationError as invalid:
        return found.faults(invalid)
    limits = tuple(PolicyLimit(each.segment, each.limit) for each in said.limits)
    policy = policies.amended(in_force, limits, said.rules, said.owner, said.review_on)
    faults = [found.fault(fault.field or "", fault.detail) for fault in policies.faults(policy.limits, policy.rules)]
    return faults or policy


def _sums(amounts: Sequence[Money]) -> str:
    return " · ".join(map(money_words, amounts)) or "–"


TERMS: Mapping[TermsMove, str] = {
    "longer": "longer to pay",
    "shorter": "shorter to pay",
    "more_prepaid": "more in advance",
    "less_prepaid": "less in advance",
    "more_deposit": "a higher deposit",
    "less_deposit": "a lower deposit",
}


def told_terms(terms: Sequence[tuple[TermsMove, int]]) -> str:
    """Of how many customers the terms would be others, and how."""
    counted = dict(terms)
    return ", ".join(f"{counted[name]} {says}" for name, says in TERMS.items() if name in counted) or "–"


FIGURES: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("Approved", lambda f: str(what_ifs.total(f, "approved"))),
    ("Referred to a person", lambda f: str(what_ifs.total(f, "referred"))),
    ("Declined", lambda f: str(what_ifs.total(f, "declined"))),
    ("Declined, in amounts", lambda f: _sums(what_ifs.amounts(f, "declined"))),
    ("Losses avoided", lambda f: _sums(what_ifs.amounts(f, "loss"))),
    ("Sales refused that were paid", lambda f: _sums(what_ifs.amounts(f, "sale"))),
    ("Refused, and not yet paid or lost", lambda f: _sums(what_ifs.amounts(f, "undecided"))),
)
"""What stands beside each other, by its label."""
