"""How often, on what days and at what hours a customer may be contacted: the contact policy as a document, and what it
says of a day or a moment. Days and times are the customer's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from services.reminder.receivables.rules import Account
from services.reminder.strategies.rules import TO_CUSTOMER, Channel
from shared.calendar import ONE_DAY, at_local_time, local_date
from shared.errors import NotFound
from shared.money import exponent

if TYPE_CHECKING:
    from holidays import HolidayBase

CustomerChannel = Literal["email", "sms", "letter", "call"]
"""Channels that the policy counts and restricts."""

REG_F_CALLS_MAX = 7
"""12 CFR 1006.14(b)(2)(i)(A): not more than seven calls about a debt within seven consecutive days."""
REG_F_DAYS = 7
"""The same, and (B): no call within seven consecutive days after a conversation, whose date is the first of them."""
REG_F_OPENS, REG_F_CLOSES = time(8), time(21)
"""12 CFR 1006.6(b)(1)(i): before 8:00 a.m. and after 9:00 p.m. at the consumer's location is inconvenient."""

LOOK_AHEAD_DAYS = 400
"""No weekday and holiday rule leaves a year without a day; a cap never looks further than its own days."""


class Refusal(StrEnum):
    """Why the policy lets no contact go out on a day. Hours, weekdays and holidays are waits and refuse nothing."""

    CONTACT_CAP = "contact_cap"
    CHANNEL_CAP = "channel_cap"
    MIN_GAP = "min_gap"
    CONVERSATION = "conversation"
    REG_F = "reg_f"


@dataclass(frozen=True, slots=True)
class ChannelLimit:
    """What holds for one channel beside what holds for all."""

    contacts_max: int | None = None
    within_days: int = 7
    opens: time | None = None
    closes: time | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The contact policy in force. `silence_days` are those after the day of a conversation with the customer."""

    contacts_max: int = 3
    within_days: int = 7
    min_gap_days: int = 1
    opens: time = time(9)
    closes: time = time(18)
    weekdays: frozenset[int] = frozenset(range(7))
    rests_on_holidays: bool = False
    silence_days: int = 0
    counts_other_messages: bool = False
    reg_f: bool = False
    channels: Mapping[str, ChannelLimit] = field(default_factory=dict)

    @property
    def looks_back_days(self) -> int:
        """How many days before today may still count, today included."""
        days = [self.within_days, self.min_gap_days, self.silence_days + 1, REG_F_DAYS if self.reg_f else 1]
        return max(days + [limit.within_days for limit in self.channels.values()])


POLICY = Policy()
"""Of an installation that set none: at most 3 contacts in any 7 days, one a day, between 9:00 and 18:00, any day."""


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Days = Annotated[int, Field(ge=1, le=90)]


Price = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=8, decimal_places=4)]
"""Of one contact; nobody is ever charged it."""

LocalTime = Annotated[
    time,
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "examples": ["09:00"]}),
]
"""A time of day in the customer's zone; JSON Schema's own format `time` is one with an offset."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChannelDocument(Part):
    """A channel's own cap and hours, beside the general ones: the stricter holds."""

    contacts_max: int | None = Field(default=None, ge=1, le=100, description="Within any `within_days`")
    within_days: Days = 7
    opens: LocalTime | None = None
    closes: LocalTime | None = None

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens and self.closes and self.opens >= self.closes:
            raise ValueError("the window closes before it opens")
        return self


class PolicyDocument(Part):
    """The contact policy. Everything is counted and timed in days and hours of the customer's own time zone."""

    contacts_max: int = Field(default=3, ge=1, le=100, description="Contacts by all channels within any `within_days`")
    within_days: Days = 7
    min_gap_days: int = Field(default=1, ge=1, le=60, description="1: one a day; 2: a day between any two")
    opens: LocalTime = Field(default=time(9), description="From when contacts go out")
    closes: LocalTime = Field(default=time(18), description="Until when; not at that moment itself")
    weekdays: tuple[Weekday, ...] = Field(default=WEEKDAYS, min_length=1, description="Days on which contacts go out")
    rest_on_public_holidays: bool = Field(
        default=False, description="Of the customer's country, and of its region where the address names a known one"
    )
    silence_days_after_conversation: int = Field(
        default=0, ge=0, le=90, description="Days without automatic contact after the day somebody spoke with them"
    )
    count_other_messages: bool = Field(
        default=False,
        description="Whether invoices delivered by mail and other notices count for `min_gap_days`; they are never held"
        " back themselves",
    )
    presets: tuple[Literal["reg_f"], ...] = Field(
        default=(),
        description="`reg_f`: for calls, the frequencies of 12 CFR 1006.14(b)(2) and the hours of 12 CFR 1006.6(b)(1)",
    )
    channels: dict[CustomerChannel, ChannelDocument] = Field(default={})
    prices: dict[Channel, Price] = Field(
        default={}, description="What one contact costs, for simulations; letters 1.10 and texts 0.08 otherwise"
    )
    prices_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"

    @field_validator("prices_currency")
    @classmethod
    def _is_known(cls, currency: str) -> str:
        exponent(currency)
        return currency

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("the window closes before it opens")
        for name, channel in self.channels.items():
            if max(channel.opens or self.opens, self.opens) >= min(channel.closes or self.closes, self.closes):
                raise ValueError(f"the window of {name} lies outside the general one")
        return self


class PolicyNotFound(NotFound):
    slug = "contact-policy-not-found"
    title = "There is no such version of the contact policy"


class OptOutNotFound(NotFound):
    slug = "opt-out-not-found"
    title = "There is no such opt-out"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """The policy as it stands in one version, as JSON."""

    version: int
    document: str
    published_at: datetime | None
    published_by: str | None

    @property
    def said(self) -> PolicyDocument:
        return PolicyDocument.model_validate_json(self.document)


BUILT_IN = PolicyVersion(0, PolicyDocument().model_dump_json(), None, None)


@dataclass(frozen=True, slots=True)
class Refused:
    """A channel that a customer does not want, at all or about the invoice of a number, until it is ended."""

    id: UUID
    customer_id: UUID
    channel: Channel
    invoice_number: str | None
    reason: str
    recorded_at: datetime
    recorded_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def about(self) -> tuple[str, str | None]:
        return self.channel, self.invoice_number


@lru_cache(maxsize=64)
def read(document: str) -> Policy:
    """The policy that a kept document says; it was checked when it was put."""
    said = PolicyDocument.model_validate_json(document)
    return Policy(
        contacts_max=said.contacts_max,
        within_days=said.within_days,
        min_gap_days=said.min_gap_days,
        opens=said.opens,
        closes=said.closes,
        weekdays=frozenset(WEEKDAYS.index(day) for day in said.weekdays),
        rests_on_holidays=said.rest_on_public_holidays,
        silence_days=said.silence_days_after_conversation,
        counts_other_messages=said.count_other_messages,
        reg_f="reg_f" in said.presets,
        channels={
            name: ChannelLimit(channel.contacts_max, channel.within_days, channel.opens, channel.closes)
            for name, channel in said.channels.items()
        },
    )


@dataclass(frozen=True, slots=True)
class Touch:
    """Something reached the customer, or is about to: a message of ours (`contact`), a call that was placed (`call`),
    talking with somebody there (`conversation`, beside the call), a message of another service (`other`)."""

    at: datetime
    channel: str
    kind: Literal["contact", "call", "conversation", "other"] = "contact"


def free_at(
    channels: Collection[str], touches: Iterable[Touch], account: Account, now: datetime, policy: Policy = POLICY
) -> datetime:
    """The first moment, from now on, at which one contact on each of the channels keeps the policy."""
    today = local_date(now, account.time_zone)
    day, _ = free_on(channels, touches, account, today, policy)
    if day == today and is_open(channels, account, now, policy):
        return now
    return next_opening(channels, account, now, policy, day)


def free_on(
    channels: Collection[str],
    touches: Iterable[Touch],
    account: Account,
    today: date,
    policy: Policy = POLICY,
    at_once: int | None = None,
) -> tuple[date, Refusal | None]:
    """The first day, from today on, on which one contact on each of the channels keeps every cap and gap, and what
    refuses it today. Days on which nobody is contacted are the window's concern. `at_once` of the channels may be used
    whatever the cap in total is, since a step goes out whole: all of them, unless they are those of several steps.

    A contact on day 1 counts for 7 days on days 1 to 7; on day 8 it no longer does. One that still waits for a later
    day counts as much for the days before it.
    """
    asked = [channel for channel in channels if channel in TO_CUSTOMER]
    if not asked:
        return today, None
    at_once = at_once or len(asked)
    days = [(local_date(touch.at, account.time_zone), touch) for touch in touches]
    if not days and at_once >= len(asked):
        return today, None
    first = _refusal(asked, days, today, policy, at_once)
    day = today
    while _refusal(asked, days, day, policy, at_once) and (day - today).days < LOOK_AHEAD_DAYS:
        day += ONE_DAY
    return day, first


def _refusal(
    asked: Sequence[str], touched: Sequence[tuple[date, Touch]], day: date, policy: Policy, at_once: int
) -> Refusal | None:
    ours = [(on, touch) for on, touch in touched if touch.kind in ("contact", "call")]
    spoken_on = [on for on, touch in touched if touch.kind == "conversation"]
    counted = sum(1 for on, _ in ours if _counts(on, day, policy.within_days))
    if counted + len(asked) > max(policy.contacts_max, at_once):
        return Refusal.CONTACT_CAP
    for channel in asked:
        limit = policy.channels.get(channel)
        if limit and limit.contacts_max is not None:
            used = sum(1 for on, touch in ours if touch.channel == channel and _counts(on, day, limit.within_days))
            if used >= limit.contacts_max:
                return Refusal.CHANNEL_CAP
    if policy.reg_f and "call" in asked:
        calls = [on for on, touch in ours if touch.channel == "call" and _counts(on, day, REG_F_DAYS)]
        if any(_counts(on, day, REG_F_DAYS) for on in spoken_on) or len(calls) >= REG_F_CALLS_MAX:
            return Refusal.REG_F
    if policy.silence_days and any(_counts(on, day, policy.silence_days + 1) for on in spoken_on):
        return Refusal.CONVERSATION
    if any(
        _counts(on, day, policy.min_gap_days)
        for on, touch in touched
        if touch.kind != "other" or policy.counts_other_messages
    ):
        return Refusal.MIN_GAP
    return None


def _counts(on: date, day: date, within_days: int) -> bool:
    return abs((day - on).days) < within_days


def opening(channels: Collection[str], account: Account, day: date, policy: Policy = POLICY) -> datetime:
    """When contacts start to go out on a day, or on the next one on which any do."""
    while not is_contact_day(day, account, policy):
        day += ONE_DAY
    return at_local_time(day, _hours(channels, policy)[0], account.time_zone)


def next_opening(
    channels: Collection[str], account: Account, now: datetime, policy: Policy = POLICY, day: date | None = None
) -> datetime:
    """The first opening that is not in the past, nor before `day`."""
    today = local_date(now, account.time_zone)
    at = opening(channels, account, max(day or today, today), policy)
    return at if at >= now else opening(channels, account, today + ONE_DAY, policy)


def is_open(channels: Collection[str], account: Account, now: datetime, policy: Policy = POLICY) -> bool:
    """Whether a message may leave now: what was missed in the morning still goes out until the window closes."""
    today = local_date(now, account.time_zone)
    if not is_contact_day(today, account, policy):
        return False
    opens, closes = _hours(channels, policy)
    return at_local_time(today, opens, account.time_zone) <= now < at_local_time(today, closes, account.time_zone)


def is_contact_day(day: date, account: Account, policy: Policy = POLICY) -> bool:
    """Neither a weekday that is left out nor, where the policy says so, a public holiday at the customer's."""
    if day.weekday() not in policy.weekdays:
        return False
    return not (policy.rests_on_holidays and is_holiday(day, account.country, account.region))


def is_holiday(day: date, country: str | None, region: str | None) -> bool:
    """A public holiday of the country, or of its region where that names a subdivision (`BY` and `Bavaria` in Germany).
    An unknown country has none."""
    known = _holidays(country, region) if country else None
    return known is not None and day in known


@cache
def _holidays(country: str, region: str | None) -> HolidayBase | None:
    import holidays  # Here, because it is needed rarely and takes long to load.

    try:
        whole = holidays.country_holidays(country)
    except NotImplementedError:
        return None
    named = (region or "").strip()
    code = {name.casefold(): code for name, code in whole.subdivisions_aliases.items()}.get(named.casefold(), named)
    return holidays.country_holidays(country, subdiv=code) if code in whole.subdivisions else whole


def _hours(channels: Collection[str], policy: Policy) -> tuple[time, time]:
    """Of several channels the widest: each waits for its own when its turn comes."""
    windows = [_window(channel, policy) for channel in channels if channel in TO_CUSTOMER]
    if not windows:
        return policy.opens, policy.closes
    return min(opens for opens, _ in windows), max(closes for _, closes in windows)


def _window(channel: str, policy: Policy) -> tuple[time, time]:
    limit = policy.channels.get(channel)
    opens = max(policy.opens, limit.opens) if limit and limit.opens else policy.opens
    closes = min(policy.closes, limit.closes) if limit and limit.closes else policy.closes
    if policy.reg_f and channel == "call":
        return max(opens, REG_F_OPENS), min(closes, REG_F_CLOSES)
    return opens, closes


def looks_back(policy: Policy = POLICY) -> timedelta:
    """How far back touches may count; a day more, since the customer's days are not everybody's."""
    return timedelta(days=policy.looks_back_days + 1)
