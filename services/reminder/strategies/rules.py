"""A strategy: the steps by which an account is reminded, as a document that anybody can read and change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import Tone
from shared.money import Money, exponent

Channel = Literal["email", "sms", "letter", "call", "chat", "webhook"]
"""The first four reach the customer; `chat` tells the account's team, `webhook` another system."""
TO_CUSTOMER: frozenset[Channel] = frozenset({"email", "sms", "letter", "call"})
WRITTEN: frozenset[Channel] = frozenset({"email", "sms", "letter"})
"""Channels that need a template."""
CARRIES_FILES: frozenset[Channel] = frozenset({"email", "letter"})

Action = Literal[
    "task",
    "notify_sales",
    "fee",
    "interest",
    "credit_hold",
    "plan",
    "formal_notice",
    "agency_placement",
    "agency_referral",
]
"""Besides a message: a person decides on referral; the invoice service charges its reminder fee, interest to date."""
ASKS_NOTHING: frozenset[Action] = frozenset({"task", "notify_sales"})
"""Actions that the customer does not feel: they may come before the first message."""
Attachment = Literal["invoices", "statement"]

DEFAULT = "default"
"""The strategy of every account that no other one fits."""
DOCUMENT_CHARACTERS_MAX = 64_000
NESTING_MAX = 10
DAYS_MAX = 3_650
_FOLLOWS = "default_factory_not_called"
"""What pydantic says of a field that takes its default from a faulty one: the fault itself is named already."""
_TAKES_JSON_SCHEMA_FROM = "https://json-schema.org/draft/2020-12/schema"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml where PyYAML was built with it, thirty times as fast: a document is parsed while other requests wait.

    As in YAML 1.2 only `true` and `false` are booleans and a date is text: `countries: [NO]` means Norway."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _decimal(value: Any) -> Any:
    """Whole numbers, decimals and plain text; a YAML decimal reads as it is written (`0.1` is a tenth)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, str) and value.replace(".", "", 1).isdecimal() else value


def _currency(code: str) -> str:
    exponent(code)
    return code


def _whole_minor(amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    for currency, amount in amounts.items():
        Money.parse(amount, currency)
    return amounts


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Label = Annotated[str, Field(min_length=1, max_length=64)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2", examples=["DE"])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", description="ISO 639; `de` fits de-AT too", examples=["de"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}
    ),
]
Amounts = Annotated[dict[Currency, Amount], Field(min_length=1), AfterValidator(_whole_minor)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _broken(kind: str, at: str, message: str, **values: Any) -> PydanticCustomError:
    """A fault that a validator of several fields finds; `at` is the pointer to the field at fault, from the model."""
    return PydanticCustomError(kind, message, {**values, "at": at})  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Facts:
    """What of an account the strategies ask about, at one moment. Amounts are one a currency; `collectable` and
    `invoices` are what may be asked for now, `open_balance` all that is owed. `average_days_late` is how many days
    after due it paid on average, None while it paid nothing."""

    customer_id: UUID
    segment: str | None = None
    country: str | None = None
    language: str | None = None
    risk_class: str | None = None
    open_balance: tuple[Money, ...] = ()
    collectable: tuple[Money, ...] = ()
    invoices: int = 0
    average_days_late: float | None = None
    broken_promises: int = 0


class AmountRange(Part):
    """From `min` to `max`, both included."""

    min: Amount | None = None
    max: Amount | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise _broken("no_bound", "", "a range needs a min, a max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise _broken("empty_range", "/min", "min is above max, nothing is between them")
        return self


class DaysRange(Part):
    """From `min` to `max` days, both included; negative is before due."""

    min: int | None = Field(default=None, ge=-DAYS_MAX, le=DAYS_MAX)
    max: int | None = Field(default=None, ge=-DAYS_MAX, le=DAYS_MAX)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise _broken("no_bound", "", "a range needs a min, a max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise _broken("empty_range", "/min", "min is above max, nothing is between them")
        return self


class Fits(Part):
    """Which accounts the strategy is for. What is left out is not asked about; all that is given must be so."""

    segments: tuple[Label, ...] = Field(default=(), strict=False, description="Any of these", examples=[["key"]])
    countries: tuple[Country, ...] = Field(default=(), strict=False, description="Any of these")
    languages: tuple[Language, ...] = Field(default=(), strict=False, description="Any of these")
    risk_classes: tuple[Label, ...] = Field(default=(), strict=False, description="Any of these, as credit names them")
    open_balance: dict[Currency, AmountRange] = Field(
        default={},
        description=(
            "What the account owes in all, due or not. A `min` is to be reached in one of the currencies. With a `max`"
            " the account may owe in no currency that is not named, and in none more than its max"
        ),
        examples=[{"EUR": {"max": 2500}, "USD": {"max": 3000}}],
    )
    average_days_late: DaysRange | None = Field(
        default=None, description="Days after due the account paid on average; one that paid nothing yet does not fit"
    )
    broken_promises_min: int | None = Field(default=None, ge=1, le=1_000, description="Promises to pay it broke")

    @property
    def specificity(self) -> int:
        """How many things are asked about."""
        return sum(
            value not in ((), {}, None)
            for value in (
                self.segments,
                self.countries,
                self.languages,
                self.risk_classes,
                self.open_balance,
                self.average_days_late,
                self.broken_promises_min,
            )
        )

    def take(self, facts: Facts) -> bool:
        """Whether the account is one of these."""
        language = (facts.language or "").replace("_", "-").partition("-")[0].lower()
        return (
            (not self.segments or facts.segment in self.segments)
            and (not self.countries or facts.country in self.countries)
            and (not self.languages or language in self.languages)
            and (not self.risk_classes or facts.risk_class in self.risk_classes)
            and (not self.open_balance or _within(self.open_balance, facts.open_balance))
            and (self.average_days_late is None or _late_within(self.average_days_late, facts.average_days_late))
            and (self.broken_promises_min is None or facts.broken_promises >= self.broken_promises_min)
        )


class Challenger(Part):
    """Takes a fixed share of another strategy's accounts, to be compared with it."""

    of: Name = Field(description="The champion: the strategy that has these accounts otherwise")
    share_percent: int = Field(ge=1, le=99, description="Of a hundred accounts of the champion, how many it gets")


class CatchUp(Part):
    """How missed steps are made up for, never two at once."""

    mode: Literal["one_by_one", "skip_to_current"] = Field(
        default="one_by_one",
        description=(
            "`one_by_one`: every missed step is taken, in order. `skip_to_current`: missed steps are left out and the"
            " one that fits the age of the debt today is taken, but never another one before the first reminder"
        ),
    )
    gap_days: int = Field(
        default=5, ge=1, le=60, description="The least number of days between two steps of an episode"
    )


class Conditions(Part):
    """When a step is taken; one whose conditions do not hold on its day is passed over. All of them must hold."""

    amount_at_least: Amounts | None = Field(
        default=None,
        description="What may be asked for reaches this in one of the currencies",
        examples=[{"EUR": 50, "GBP": "45.00"}],
    )
    invoices_at_least: int | None = Field(default=None, ge=1, le=10_000, description="So many invoices are overdue")
    risk_classes: tuple[Label, ...] = Field(default=(), strict=False, description="The account is in one of these")
    broken_promises_at_least: int | None = Field(default=None, ge=1, le=1_000)

    def hold(self, facts: Facts) -> bool:
        return (
            (self.amount_at_least is None or _reached(self.amount_at_least, facts.collectable))
            and (self.invoices_at_least is None or facts.invoices >= self.invoices_at_least)
            and (not self.risk_classes or facts.risk_class in self.risk_classes)
            and (self.broken_promises_at_least is None or facts.broken_promises >= self.broken_promises_at_least)
        )


class Task(Part):
    """What a person has to do, for the action `task`."""

    title: str = Field(min_length=1, max_length=200, examples=["Ring the buyer and ask what is missing"])
    detail: str = Field(default="", max_length=2_000)
    within_days: int = Field(default=0, ge=0, le=60, description="Due so many days after the step")


class Plan(Part):
    """The instalments that are proposed, for the action `plan`; the invoice service's limits still hold."""

    instalments_max: int = Field(default=3, ge=2, le=36, description="Monthly instalments at most")


class Step(Part):
    """One rung: when it opens, for whom, and what happens on it. A step with channels contacts somebody."""

    name: Name
    days_from_due: int | None = Field(
        default=None,
        ge=-DAYS_MAX,
        le=DAYS_MAX,
        description="Days from the due date of the oldest collectable invoice; 0 or less is a message before due",
    )
    days_after_previous: int | None = Field(
        default=None, ge=1, le=DAYS_MAX, description="In its place: days after the step before this one was taken"
    )
    conditions: Conditions = Conditions()
    channel: Channel | None = Field(default=None, description="Short for `channels` with one entry")
    channels: tuple[Channel, ...] = Field(
        default_factory=lambda given: (given["channel"],) if given.get("channel") else (),
        strict=False,
        description="All of these are used; what reaches the customer counts as one contact each",
        json_schema_extra={"uniqueItems": True},
    )
    fallback: Channel | None = Field(
        default=None, description="Used when the customer can be reached by none of the channels"
    )
    tone: Tone | None = None
    template: str | None = Field(default=None, min_length=1, max_length=100, description="The template's name")
    attachments: tuple[Attachment, ...] = Field(default=(), strict=False, description="For mails and letters")
    actions: tuple[Action, ...] = Field(
        default=(), strict=False, description="What else happens on this step, once in an episode"
    )
    task: Task | None = Field(default=None, description="What the action `task` asks for")
    plan: Plan | None = Field(default=None, description="What the action `plan` proposes")
    approval: bool = Field(default=False, description="A person has to approve the step before it is taken")

    @property
    def is_before_due(self) -> bool:
        return self.days_from_due is not None and self.days_from_due <= 0

    @property
    def reaches_customer(self) -> bool:
        return not TO_CUSTOMER.isdisjoint(self.channels)

    def opens(self, due_on: date, previous_on: date | None) -> date:
        """The first day on which the step may be taken, for an invoice due then. `previous_on` is the day on which
        the step before it was taken or passed over; without one, the due date stands in for it."""
        if self.days_from_due is not None:
            return due_on + timedelta(days=self.days_from_due)
        assert self.days_after_previous is not None
        return (previous_on or due_on) + timedelta(days=self.days_after_previous)

    @model_validator(mode="after")
    def _has_one_day(self) -> Self:
        if self.days_from_due is None and self.days_after_previous is None:
            raise _broken("dayless", "", "the step has no day: give it days_from_due or days_after_previous")
        if self.days_from_due is not None and self.days_after_previous is not None:
            raise _broken(
                "two_days", "/days_after_previous", "give days_from_due or days_after_previous, not both of them"
            )
        return self

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.channels and not self.actions:
            raise _broken("does_nothing", "", "the step does nothing: give it a channel or an action")
        if len(set(self.actions)) < len(self.actions):
            twice = next(action for action in self.actions if self.actions.count(action) > 1)
            raise _broken("action_twice", "/actions", "the action {name} is given twice", name=repr(twice))
        if self.actions and self.is_before_due:
            raise _broken("early_action", "/actions", "a step before the due date sends a message and takes no actions")
        for name in ("task", "plan"):
            if getattr(self, name) is not None and name not in self.actions:
                raise _broken("unused", f"/{name}", "{name} says how, but is not among the actions", name=name)
        if "task" in self.actions and self.task is None:
            raise _broken("titleless", "/actions", "the action 'task' needs to be told what to do, in 'task'")
        return self

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if self.channel is not None and "channels" in self.model_fields_set:
            raise _broken("two_channels", "/channel", "give channel or channels, not both of them")
        if len(set(self.channels)) < len(self.channels):
            raise _broken("channel_twice", "/channels", "a channel is given twice")
        if self.fallback is not None and not self.channels:
            raise _broken("fallback_alone", "/fallback", "a fallback is for a step that has channels")
        if self.fallback in self.channels:
            raise _broken("fallback_same", "/fallback", "the fallback is one of the channels already")
        ways = {*self.channels, self.fallback} - {None}
        if ways and self.tone is None:
            raise _broken("toneless", "", "a step with a channel needs a tone and a template")
        if not WRITTEN.isdisjoint(ways) and self.template is None:
            raise _broken("wordless", "", "a step with a channel needs a tone and a template")
        if self.attachments and CARRIES_FILES.isdisjoint(ways):
            raise _broken("unattachable", "/attachments", "only mails and letters carry attachments")
        return self


class Strategy(Part):
    """The document. Steps stand in the order of their days, no two on the same day."""

    name: Name
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=2_000)
    active: bool = Field(default=True, description="Whether new episodes start on it; running ones go on in any case")
    fits: Fits = Fits()
    priority: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Of several strategies that fit an account, the highest is taken; then the one that asks for more",
    )
    challenger: Challenger | None = None
    catch_up: CatchUp = CatchUp()
    steps: tuple[Step, ...] = Field(max_length=30, strict=False, json_schema_extra={"minItems": 1})

    @property
    def notice(self) -> Step | None:
        """The message before due, if the strategy has one."""
        return next((step for step in self.steps if step.is_before_due), None)

    @property
    def rungs(self) -> tuple[Step, ...]:
        """The steps after due: rung 1 is the first of them."""
        return tuple(step for step in self.steps if not step.is_before_due)

    def rung_after(self, level: int) -> Step | None:
        """The step above a level; a case that climbed nothing is on level 0."""
        rungs = self.rungs
        return rungs[level] if level < len(rungs) else None

    @property
    def earliest_days(self) -> tuple[int, ...]:
        """For each step, the earliest day from due on which it can be taken."""
        days: list[int] = []
        for step in self.steps:
            after = step.days_after_previous or 0
            days.append(step.days_from_due if step.days_from_due is not None else (days[-1] if days else 0) + after)
        return tuple(days)

    @model_validator(mode="after")
    def _is_for_somebody(self) -> Self:
        if self.name == DEFAULT:
            for field, given in (
                ("active", not self.active),
                ("fits", self.fits.specificity > 0),
                ("challenger", self.challenger is not None),
            ):
                if given:
                    raise _broken("default", f"/{field}", "'default' is for every account that nothing else fits")
        if self.challenger and (self.fits.specificity or self.priority):
            field = "fits" if self.fits.specificity else "priority"
            raise _broken("challenger_fits", f"/{field}", "a challenger takes its accounts from its champion")
        if self.challenger and self.challenger.of == self.name:
            raise _broken("own_challenger", "/challenger/of", "a strategy cannot challenge itself")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.steps:
            raise _broken("stepless", "/steps", "a strategy needs at least one step")
        names = [step.name for step in self.steps]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise _broken("step_twice", f"/steps/{index}/name", "two steps are called {name}", name=repr(name))
        days = self.earliest_days
        for index, step in enumerate(self.steps[1:], start=1):
            if days[index] <= days[index - 1]:
                raise _broken(
                    "out_of_order",
                    f"/steps/{index}/days_from_due",
                    "step {later} is on day {later_day} but follows {earlier} on day {earlier_day}",
                    later=repr(step.name),
                    later_day=days[index],
                    earlier=repr(names[index - 1]),
                    earlier_day=days[index - 1],
                )
        return self

    @model_validator(mode="after")
    def _begins_with_a_message(self) -> Self:
        early = [index for index, step in enumerate(self.steps) if step.is_before_due]
        if len(early) > 1:
            raise _broken("two_notices", f"/steps/{early[1]}", "at most one step may lie before the due date")
        if early and not self.steps[0].reaches_customer:
            raise _broken("silent_notice", "/steps/0", "a step before the due date needs a channel to the customer")
        first = len(early)
        if first < len(self.steps) and self.steps[first].days_after_previous is not None:
            raise _broken(
                "first_follows_nothing",
                f"/steps/{first}/days_after_previous",
                "the first step after the due date follows no other: give it days_from_due",
            )
        for index, step in enumerate(self.steps[first:], start=first):
            if step.reaches_customer:
                break
            if not ASKS_NOTHING.issuperset(step.actions):
                raise _broken(
                    "unannounced",
                    f"/steps/{index}",
                    "the first step after the due date must be a message: nobody is escalated unasked",
                )
        return self


def _sums(amounts: Iterable[Money]) -> dict[str, Decimal]:
    return {money.currency: money.decimal for money in amounts if money.minor}


def _within(ranges: Mapping[str, AmountRange], owed: Iterable[Money]) -> bool:
    sums = _sums(owed)
    least = {currency: range.min for currency, range in ranges.items() if range.min is not None}
    if least and not any(sums.get(currency, Decimal(0)) >= amount for currency, amount in least.items()):
        return False
    if all(range.max is None for range in ranges.values()):
        return True
    return all(
        currency in ranges and (ranges[currency].max is None or amount <= ranges[currency].max)  # pyright: ignore[reportOperatorIssue]
        for currency, amount in sums.items()
    )


def _late_within(range: DaysRange, days: float | None) -> bool:
    if days is None:
        return False
    return (range.min is None or days >= range.min) and (range.max is None or days <= range.max)


def _reached(least: Mapping[str, Decimal], owed: Iterable[Money]) -> bool:
    sums = _sums(owed)
    return any(sums.get(currency, Decimal(0)) >= amount for currency, amount in least.items())


@dataclass(frozen=True, slots=True)
class Published:
    """A strategy as it stands in one version. `document` is what was written, comments included."""

    strategy: Strategy
    version: int
    document: str

    @property
    def name(self) -> str:
        return self.strategy.name


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a document: where (line from 1, JSON pointer) and why."""

    line: int
    pointer: str
    detail: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail}"


class StrategyNotFound(NotFound):
    slug = "strategy-not-found"
    title = "There is no such strategy"


class InvalidStrategy(Refused):
    slug = "invalid-strategy"
    title = "The strategy document cannot be used"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(
            "; ".join(map(str, faults)),
            errors=[{"pointer": f"#{f.pointer}", "line": f.line, "detail": f.detail} for f in faults],
        )
        self.faults = faults


class OtherName(Conflict):
    slug = "strategy-name-differs"
    title = "The document is for a strategy of another name"


@lru_cache(maxsize=256)
def parse(document: str) -> Strategy:
    """Read a YAML or JSON document. Raises InvalidStrategy with each fault's line and reason."""
    root = _compose(document)
    lines = dict(_lines(root, ""))
    try:
        return Strategy.model_validate(yaml.SafeLoader("").construct_document(root))
    except yaml.MarkedYAMLError as fault:
        raise InvalidStrategy([_marked(fault)]) from None
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        raise InvalidStrategy([_fault(error, lines) for error in errors if error["type"] != _FOLLOWS]) from None


def unknown_templates(document: str, known: Collection[str]) -> list[Fault]:
    """Steps whose template is not one of these."""
    lines = dict(_lines(_compose(document), ""))
    faults = []
    for index, step in enumerate(parse(document).steps):
        if step.template is not None and step.template not in known:
            pointer = f"/steps/{index}/template"
            there_are = ", ".join(sorted(known)) or "none"
            faults.append(
                Fault(lines[pointer], pointer, f"there is no template {step.template!r}; there are {there_are}")
            )
    return faults


def json_schema() -> dict[str, Any]:
    """The published schema of the document."""
    return {"$schema": _TAKES_JSON_SCHEMA_FROM, **Strategy.model_json_schema()}


def _compose(document: str) -> yaml.Node:
    """The document's nodes, which know their lines. Aliases are refused: a few of them unfold into gigabytes."""
    if len(document) > DOCUMENT_CHARACTERS_MAX:
        raise InvalidStrategy([Fault(1, "", f"longer than {DOCUMENT_CHARACTERS_MAX} characters")])
    try:
        depth = 0
        for event in yaml.parse(document, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > NESTING_MAX:
                raise InvalidStrategy([Fault(event.start_mark.line + 1, "", "nested too deeply")])
            if isinstance(event, yaml.AliasEvent):
                raise InvalidStrategy([Fault(event.start_mark.line + 1, "", "aliases (*name) are not allowed")])
        root = yaml.compose(document, Loader=_Loader)
    except yaml.MarkedYAMLError as fault:
        raise InvalidStrategy([_marked(fault)]) from None
    except yaml.YAMLError as fault:
        raise InvalidStrategy([Fault(1, "", f"not YAML: {fault}")]) from None
    if not isinstance(root, yaml.MappingNode):
        raise InvalidStrategy([Fault(1, "", "a strategy is a mapping with name, title and steps")])
    return root


def _lines(node: yaml.Node, pointer: str) -> Iterator[tuple[str, int]]:
    """(JSON pointer, line) of every part. Raises InvalidStrategy for a key that stands twice."""
    yield pointer, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise InvalidStrategy([Fault(key.start_mark.line + 1, pointer, f"{key.value!r} is given twice")])
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
            yield from _lines(value, f"{pointer}/{key.value}")
            yield f"{pointer}/{key.value}", key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, f"{pointer}/{index}")


def _marked(fault: yaml.MarkedYAMLError) -> Fault:
    mark = fault.problem_mark or fault.context_mark
    said = ", ".join(part for part in (fault.context, fault.problem) if part)
    return Fault(mark.line + 1 if mark else 1, "", f"not YAML: {said}")


def _fault(error: Any, lines: dict[str, int]) -> Fault:
    """A missing field has no line of its own, so it bears the line of what lacks it."""
    inner = str(error.get("ctx", {}).get("at", "")).split("/")[1:]
    parts = [str(part) for part in [*error["loc"], *inner] if part != "[key]"]
    pointer = "".join(f"/{part}" for part in parts)
    place = pointer
    while place not in lines:
        place = place.rpartition("/")[0]
    where = ".".join(parts)
    detail = error["msg"][:1].lower() + error["msg"][1:]
    return Fault(lines[place], pointer, f"{where}: {detail}" if where else detail)
