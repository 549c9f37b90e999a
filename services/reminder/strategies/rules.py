"""A strategy: the steps by which an account is reminded, as a document that anybody can read and change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationError, model_validator

from services.reminder.conditions.rules import DAYS_MAX, Conditions, Facts, Fits
from shared import documents
from shared.documents import Fault, Part, Unusable, broken
from shared.errors import Conflict, NotFound, Refused

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
Tone = Literal["friendly", "firm", "formal"]
Attachment = Literal["invoices", "statement"]
Arm = Literal["champion", "challenger"]

DEFAULT_NOTICE = "default-notice"
"""What a step that gives formal notice says, where it names no template."""

DEFAULT = "default"
"""The strategy of every account that no other one fits."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]


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


class Task(Part):
    """What a person has to do, for the action `task`."""

    title: str = Field(
        min_length=1, max_length=200, description="What to do", examples=["Ring the buyer and ask what is missing"]
    )
    detail: str = Field(default="", max_length=2_000, description="How, and what to look at")
    within_days: int = Field(default=0, ge=0, le=60, description="Due so many days after the step")


class Plan(Part):
    """The instalments that are proposed, for the action `plan`; the invoice service's limits still hold."""

    instalments_max: int = Field(default=3, ge=2, le=36, description="Monthly instalments at most")


class Step(Part):
    """One rung: when it opens, for whom, and what happens on it. A step with channels contacts somebody."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["days_from_due"]}, {"required": ["days_after_previous"]}],
            "anyOf": [{"required": ["channel"]}, {"required": ["channels"]}, {"required": ["actions"]}],
        }
    )

    name: Name = Field(
        description="Its name in this strategy; cases that move to another version keep their place by it"
    )
    days_from_due: int | None = Field(
        default=None,
        ge=-DAYS_MAX,
        le=DAYS_MAX,
        examples=[-7, 1, 15],
        description="Days from the due date of the oldest collectable invoice; 0 or less is a message before due",
    )
    days_after_previous: int | None = Field(
        default=None, ge=1, le=DAYS_MAX, description="In its place: days after the step before this one was taken"
    )
    conditions: Conditions = Field(default=Conditions(), description="Only for accounts of which all of these hold")
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
    tone: Tone | None = Field(default=None, description="How it is said; templates have a wording for each")
    template: str | None = Field(
        default=None, min_length=1, max_length=100, description="What is said: the name of a template"
    )
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

    @property
    def gives_formal_notice(self) -> bool:
        """Formal notice needs a message to the customer."""
        return "formal_notice" in self.actions and self.reaches_customer

    @property
    def says(self) -> str | None:
        """The template of its messages."""
        return self.template or (DEFAULT_NOTICE if "formal_notice" in self.actions else None)

    @property
    def plan_instalments_max(self) -> int | None:
        """The most monthly instalments to propose; None where the step proposes none."""
        return (self.plan or Plan()).instalments_max if "plan" in self.actions else None

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
            raise broken("dayless", "", "the step has no day: give it days_from_due or days_after_previous")
        if self.days_from_due is not None and self.days_after_previous is not None:
            raise broken(
                "two_days", "/days_after_previous", "give days_from_due or days_after_previous, not both of them"
            )
        return self

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.channels and not self.actions:
            raise broken("does_nothing", "", "the step does nothing: give it a channel or an action")
        if len(set(self.actions)) < len(self.actions):
            twice = next(action for action in self.actions if self.actions.count(action) > 1)
            raise broken("action_twice", "/actions", "the action {name} is given twice", name=repr(twice))
        if self.actions and self.is_before_due:
            raise broken("early_action", "/actions", "a step before the due date sends a message and takes no actions")
        for name in ("task", "plan"):
            if getattr(self, name) is not None and name not in self.actions:
                raise broken("unused", f"/{name}", "{name} says how, but is not among the actions", name=name)
        if "task" in self.actions and self.task is None:
            raise broken("titleless", "/actions", "the action 'task' needs to be told what to do, in 'task'")
        return self

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if self.channel is not None and "channels" in self.model_fields_set:
            raise broken("two_channels", "/channel", "give channel or channels, not both of them")
        if len(set(self.channels)) < len(self.channels):
            raise broken("channel_twice", "/channels", "a channel is given twice")
        if self.fallback is not None and not self.channels:
            raise broken("fallback_alone", "/fallback", "a fallback is for a step that has channels")
        if self.fallback in self.channels:
            raise broken("fallback_same", "/fallback", "the fallback is one of the channels already")
        ways = {*self.channels, self.fallback} - {None}
        if ways and self.tone is None:
            raise broken("toneless", "", "a step with a channel needs a tone and a template")
        if not WRITTEN.isdisjoint(ways) and self.says is None:
            raise broken("wordless", "", "a step with a channel needs a tone and a template")
        if self.attachments and CARRIES_FILES.isdisjoint(ways):
            raise broken("unattachable", "/attachments", "only mails and letters carry attachments")
        return self


class Strategy(Part):
    """The document. Steps stand in the order of their days, no two on the same day."""

    name: Name = Field(description="The same as in the address it is published under", examples=["small"])
    title: str = Field(min_length=1, max_length=120, description="What people call it", examples=["Small accounts"])
    description: str = Field(default="", max_length=2_000, description="What it does and why, for people")
    active: bool = Field(default=True, description="Whether new episodes start on it; running ones go on in any case")
    fits: Fits = Field(default=Fits(), description="Whose accounts it is for; every account's when left out")
    also_fits: tuple[Fits, ...] = Field(
        default=(), strict=False, max_length=10, description="Other accounts it is for as well: one of these is enough"
    )
    priority: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Of several strategies that fit an account, the highest is taken; then the one that asks for more",
    )
    challenger: Challenger | None = Field(default=None, description="Whom it is tried out against, and on how many")
    catch_up: CatchUp = Field(default=CatchUp(), description="What happens after days that were missed")
    steps: tuple[Step, ...] = Field(
        max_length=30, strict=False, json_schema_extra={"minItems": 1}, description="In the order of their days"
    )

    @property
    def kinds(self) -> tuple[Fits, ...]:
        """The kinds of accounts that it is for."""
        return self.fits, *self.also_fits

    def asks_of(self, facts: Facts) -> int | None:
        """How many things it asks about this account, all of which are so; None when the account is none of its."""
        return max((fits.specificity for fits in self.kinds if fits.take(facts)), default=None)

    @cached_property
    def notice(self) -> Step | None:
        """The message before due, if the strategy has one."""
        return next((step for step in self.steps if step.is_before_due), None)

    @cached_property
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
                ("also_fits", bool(self.also_fits)),
                ("challenger", self.challenger is not None),
                ("priority", self.priority > 0),
            ):
                if given:
                    raise broken("default", f"/{field}", "'default' is for every account that nothing else fits")
        for field in ("fits", "also_fits", "priority"):
            if self.challenger and field in self.model_fields_set:
                raise broken("challenger_fits", f"/{field}", "a challenger takes its accounts from its champion")
        for index, fits in enumerate(self.also_fits):
            if fits.specificity == 0:
                raise broken("fits_all", f"/also_fits/{index}", "this asks for nothing, and so is for every account")
        if self.also_fits and self.fits.specificity == 0:
            raise broken("fits_all", "/also_fits", "without 'fits' the strategy is for every account already")
        if self.challenger and self.challenger.of == self.name:
            raise broken("own_challenger", "/challenger/of", "a strategy cannot challenge itself")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.steps:
            raise broken("stepless", "/steps", "a strategy needs at least one step")
        names = [step.name for step in self.steps]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise broken("step_twice", f"/steps/{index}/name", "two steps are called {name}", name=repr(name))
        days = self.earliest_days
        for index, step in enumerate(self.steps[1:], start=1):
            if days[index] <= days[index - 1]:
                raise broken(
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
            raise broken("two_notices", f"/steps/{early[1]}", "at most one step may lie before the due date")
        if early and not self.steps[0].reaches_customer:
            raise broken("silent_notice", "/steps/0", "a step before the due date needs a channel to the customer")
        first = len(early)
        if first < len(self.steps) and self.steps[first].days_after_previous is not None:
            raise broken(
                "first_follows_nothing",
                f"/steps/{first}/days_after_previous",
                "the first step after the due date follows no other: give it days_from_due",
            )
        for index, step in enumerate(self.steps[first:], start=first):
            if step.reaches_customer:
                break
            if not ASKS_NOTHING.issuperset(step.actions):
                raise broken(
                    "unannounced",
                    f"/steps/{index}",
                    "the first step after the due date must be a message: nobody is escalated unasked",
                )
        return self


@dataclass(frozen=True, slots=True)
class Published:
    """A strategy as it stands in one version. `document` is what was written, comments included."""

    strategy: Strategy
    version: int
    document: str

    @property
    def name(self) -> str:
        return self.strategy.name


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


def read(document: str) -> documents.Document:
    """The document with its lines, its fields unchecked. Raises InvalidStrategy."""
    try:
        return documents.read(document, "a strategy is a mapping with name, title and steps")
    except Unusable as fault:
        raise InvalidStrategy(fault.faults) from None


@lru_cache(maxsize=256)
def parse(document: str) -> Strategy:
    """Read a YAML or JSON document. Raises InvalidStrategy with each fault's line and reason."""
    found = read(document)
    try:
        return Strategy.model_validate(found.value)
    except ValidationError as invalid:
        raise InvalidStrategy(found.faults(invalid)) from None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a new episode runs on. While the strategy is challenged, `challenger` names by whom, and `arm` is the side
    that this account is on."""

    strategy: Published
    challenger: str | None = None
    arm: Arm | None = None


def choose(newest: Mapping[str, Published], facts: Facts) -> Choice:
    """The active strategy that fits: the highest priority, then the one that asks for more, then the first by name;
    the default one where none fits. Of a champion's accounts its challenger gets a fixed share, always the same."""
    fitting = [
        (-published.strategy.priority, -asks, published.name)
        for published in newest.values()
        if published.strategy.active
        and not published.strategy.challenger
        and (asks := published.strategy.asks_of(facts)) is not None
    ]
    champion = newest[min(fitting)[2]] if fitting else newest[DEFAULT]
    challengers = [p.name for p in newest.values() if p.strategy.active and _challenges(p, champion)]
    if not challengers:
        return Choice(champion)
    name = min(challengers)
    challenge = newest[name].strategy.challenger
    assert challenge is not None
    if hundredths(facts.customer_id, name) < challenge.share_percent * 100:
        return Choice(newest[name], name, "challenger")
    return Choice(champion, name, "champion")


def hundredths(customer_id: UUID, challenger: str) -> int:
    """Where a customer stands between 0 and 9,999, evenly spread, for one challenger: the same at any time and in any
    version, so that a larger share adds accounts and moves none back."""
    digest = hashlib.sha256(f"{challenger}:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 10_000


def _challenges(published: Published, champion: Published) -> bool:
    challenger = published.strategy.challenger
    return challenger is not None and challenger.of == champion.name
