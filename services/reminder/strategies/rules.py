"""A strategy: the steps by which an account is reminded, as a document that anybody can read and change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from services.reminder.mails.rules import TEMPLATES
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import Tone

Action = Literal["agency_referral", "fee", "interest"]
"""Besides a message: a person decides on referral; the invoice service charges its reminder fee, interest to date."""
DOCUMENT_CHARACTERS_MAX = 64_000
NESTING_MAX = 10
DAYS_MAX = 3_650
_TAKES_JSON_SCHEMA_FROM = "https://json-schema.org/draft/2020-12/schema"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, thirty times as fast: a document is parsed while other requests wait."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CatchUp(Part):
    """How missed steps are made up for: one after the other, never two at once."""

    gap_days: int = Field(
        default=5, ge=1, le=60, description="The least number of days between two steps of an episode"
    )


class Step(Part):
    """One rung: when it opens, and what happens on it. A step with a channel sends a message."""

    name: Name
    days_from_due: int = Field(
        ge=-DAYS_MAX,
        le=DAYS_MAX,
        description="Days from the due date of the oldest collectable invoice; 0 or less is a message before due",
    )
    channel: Literal["email"] | None = None
    tone: Tone | None = None
    template: str | None = Field(default=None, json_schema_extra={"enum": [*TEMPLATES, None]})
    actions: tuple[Action, ...] = Field(
        default=(), strict=False, description="What else happens on this step, once in an episode"
    )

    @property
    def is_before_due(self) -> bool:
        return self.days_from_due <= 0

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.channel is None and not self.actions:
            raise PydanticCustomError("does_nothing", "the step does nothing: give it a channel or an action")
        if self.channel is not None and (self.tone is None or self.template is None):
            raise PydanticCustomError("wordless", "a step with a channel needs a tone and a template")
        if len(set(self.actions)) < len(self.actions):
            twice = next(action for action in self.actions if self.actions.count(action) > 1)
            raise PydanticCustomError("action_twice", "the action {name} is given twice", {"name": repr(twice)})
        if self.actions and self.is_before_due:
            raise PydanticCustomError("early_action", "a step before the due date sends a message and takes no actions")
        if self.template is not None and self.template not in TEMPLATES:
            known = ", ".join(TEMPLATES)
            raise PydanticCustomError(
                "unknown_template",
                "there is no template {template}; there are {known}",
                {"template": repr(self.template), "known": known},
            )
        return self


class Strategy(Part):
    """The document. Steps stand in the order of their days, no two on the same day."""

    name: Name
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=2_000)
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

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.steps:
            raise PydanticCustomError("stepless", "a strategy needs at least one step")
        names = [step.name for step in self.steps]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise PydanticCustomError("step_twice", "two steps are called {name}", {"name": repr(twice)})
        for earlier, later in zip(self.steps, self.steps[1:], strict=False):
            if later.days_from_due <= earlier.days_from_due:
                raise PydanticCustomError(
                    "out_of_order",
                    "step {later} is on day {later_day} but follows {earlier} on day {earlier_day}",
                    {
                        "later": repr(later.name),
                        "later_day": later.days_from_due,
                        "earlier": repr(earlier.name),
                        "earlier_day": earlier.days_from_due,
                    },
                )
        if sum(step.is_before_due for step in self.steps) > 1:
            raise PydanticCustomError("two_notices", "at most one step may lie before the due date")
        if any(step.is_before_due and step.channel is None for step in self.steps):
            raise PydanticCustomError("silent_notice", "a step before the due date needs a channel")
        if self.rungs and self.rungs[0].channel is None:
            raise PydanticCustomError(
                "unannounced", "the first step after the due date must be a message: nobody is escalated unasked"
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
        raise InvalidStrategy([_fault(error, lines) for error in errors]) from None


def json_schema() -> dict[str, Any]:
    """The published schema of the document."""
    return {"$schema": _TAKES_JSON_SCHEMA_FROM, **Strategy.model_json_schema()}


def _compose(document: str) -> yaml.Node:
    """The document's nodes, which know their lines. Aliases are refused: a few of them unfold into gigabytes."""
    if len(document) > DOCUMENT_CHARACTERS_MAX:
        raise InvalidStrategy([Fault(1, "", f"longer than {DOCUMENT_CHARACTERS_MAX} characters")])
    try:
        depth = 0
        for event in yaml.parse(document, Loader=_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > NESTING_MAX:
                raise InvalidStrategy([Fault(event.start_mark.line + 1, "", "nested too deeply")])
            if isinstance(event, yaml.AliasEvent):
                raise InvalidStrategy([Fault(event.start_mark.line + 1, "", "aliases (*name) are not allowed")])
        root = yaml.compose(document, Loader=_LOADER)
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
    parts = [str(part) for part in error["loc"]]
    pointer = "".join(f"/{part}" for part in parts)
    place = pointer
    while place not in lines:
        place = place.rpartition("/")[0]
    where = ".".join(parts)
    detail = error["msg"][:1].lower() + error["msg"][1:]
    return Fault(lines[place], pointer, f"{where}: {detail}" if where else detail)
