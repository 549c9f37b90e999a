"""The contact policy as a form that people read, and what it means in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, get_args

from pydantic import ValidationError

from services.reminder.policies.rules import (
    REG_F_CALLS_MAX,
    REG_F_CLOSES,
    REG_F_DAYS,
    REG_F_OPENS,
    WEEKDAYS,
    ChannelDocument,
    CustomerChannel,
    PolicyDocument,
)
from shared.documents import Fault
from shared.errors import Refused

SAID = {"published": "Published, and in force at once: what was planned under the former policy is decided again."}
"""What a page says after something was done, by the word in its address."""

CHANNELS: Mapping[CustomerChannel, str] = {"email": "Mail", "sms": "Text message", "letter": "Letter", "call": "Call"}
assert set(CHANNELS) == set(get_args(CustomerChannel))
_NUMBERS = ("contacts_max", "within_days", "min_gap_days", "silence_days_after_conversation")
_TIMES = ("opens", "closes")
_TICKS = ("rest_on_public_holidays", "count_other_messages")
LABELS = {
    "contacts_max": "Contacts at most",
    "within_days": "within so many days",
    "min_gap_days": "Days between two contacts",
    "opens": "Not before",
    "closes": "Not from … on",
    "weekdays": "Weekdays",
    "silence_days_after_conversation": "Days of silence after a conversation",
}


class InvalidPolicy(Refused):
    slug = "invalid-contact-policy"
    title = "The contact policy cannot be used"


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form, as text; `ticked` are the boxes and weekdays that are ticked."""

    values: Mapping[str, str]
    ticked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a field of the form; without a field, with several of them together."""

    field: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a policy does to a strategy's step that the one in force does not."""

    strategy: str
    remark: Fault


def form_of(document: PolicyDocument) -> Form:
    values = {name: str(getattr(document, name)) for name in _NUMBERS}
    values |= {name: _hour(getattr(document, name)) for name in _TIMES}
    for name, channel in document.channels.items():
        values[f"{name}_contacts_max"] = str(channel.contacts_max or "")
        values[f"{name}_within_days"] = str(channel.within_days)
        values[f"{name}_opens"] = _hour(channel.opens)
        values[f"{name}_closes"] = _hour(channel.closes)
    ticked = {*document.weekdays, *document.presets, *(name for name in _TICKS if getattr(document, name))}
    return Form(values, frozenset(ticked))


def form_sent(given: Iterable[tuple[str, str]]) -> Form:
    """As a browser sends it: the name of a ticked box is its value too."""
    pairs = list(given)
    values = {name: value.strip()[:20] for name, value in pairs}
    boxes = {*WEEKDAYS, "reg_f", *_TICKS}
    return Form(values, frozenset(value for name, value in pairs if name == "ticked" and value in boxes))


def read(form: Form) -> PolicyDocument | list[Mistake]:
    """The policy that the form says, or what is wrong with it."""
    said: dict[str, Any] = {name: form.values.get(name, "") for name in (*_NUMBERS, *_TIMES)}
    said |= {name: name in form.ticked for name in _TICKS}
    said["weekdays"] = [day for day in WEEKDAYS if day in form.ticked]
    said["presets"] = ["reg_f"] if "reg_f" in form.ticked else []
    said["channels"] = {name: channel for name in CHANNELS if (channel := _channel(form, name))}
    try:
        return PolicyDocument.model_validate(said)
    except ValidationError as invalid:
        return [_mistake(error) for error in invalid.errors(include_url=False, include_input=False)]


def refusal(mistakes: Sequence[Mistake]) -> InvalidPolicy:
    return InvalidPolicy("; ".join(f"{each.label}: {each.detail}" if each.label else each.detail for each in mistakes))


def _channel(form: Form, name: str) -> dict[str, str]:
    """Its own limits; nothing where only the days are filled in, which limit nothing by themselves."""
    fields = ("contacts_max", "opens", "closes")
    said = {field: value for field in fields if (value := form.values.get(f"{name}_{field}", ""))}
    days = form.values.get(f"{name}_within_days", "")
    return {**said, "within_days": days} if said and days else said


def _mistake(error: Any) -> Mistake:
    at = [str(part) for part in error["loc"]]
    detail = error["msg"].removeprefix("Value error, ")
    detail = detail[:1].lower() + detail[1:]
    if at[:1] == ["channels"] and len(at) > 1:
        channel = CHANNELS.get(at[1], at[1])  # pyright: ignore[reportArgumentType, reportCallIssue]
        field = f"{at[1]}_{at[2]}" if len(at) > 2 else ""
        return Mistake(field, f"{channel}, {LABELS.get(at[2], at[2]).lower()}" if len(at) > 2 else channel, detail)
    return Mistake(at[0] if at else "", LABELS.get(at[0], at[0]) if at else "", detail)


def sentences(document: PolicyDocument) -> list[str]:
    """What the policy means, for people."""
    days = "one day" if document.within_days == 1 else f"any {document.within_days} days"
    said = [f"A customer hears of us {_times(document.contacts_max)} in {days} at most, by all channels together."]
    if document.min_gap_days == 1:
        said.append("There is one contact a day at most.")
    else:
        said.append(f"The next contact comes {document.min_gap_days} days after the last one at the earliest.")
    said.append(
        f"Contacts go out {_weekdays(document.weekdays)}, from {_hour(document.opens)} until {_hour(document.closes)}"
        " where the customer is."
    )
    if document.rest_on_public_holidays:
        said.append("Nothing goes out on public holidays of the customer's country and region.")
    if document.silence_days_after_conversation:
        count = document.silence_days_after_conversation
        said.append(
            "When somebody has spoken with the customer, nothing automatic follows for"
            f" {'a day' if count == 1 else f'{count} days'}."
        )
    if document.count_other_messages:
        said.append("Invoices and other notices that reach them count for the gap, and are never held back themselves.")
    if "reg_f" in document.presets:
        said.append(
            f"Calls keep Regulation F: {REG_F_CALLS_MAX} in {REG_F_DAYS} days at most, none within {REG_F_DAYS} days of"
            f" a conversation, and only from {_hour(REG_F_OPENS)} until {_hour(REG_F_CLOSES)}"
            " (12 CFR 1006.14(b)(2), 1006.6(b)(1))."
        )
    said += [_channel_words(CHANNELS[name], channel) for name, channel in document.channels.items()]
    said.append("What may not go out on a day waits for the next one that is free, or says why it never went.")
    return said


def _channel_words(name: str, channel: ChannelDocument) -> str:
    parts = []
    if channel.contacts_max:
        parts.append(f"{_times(channel.contacts_max)} in any {channel.within_days} days at most")
    if channel.opens:
        parts.append(f"not before {_hour(channel.opens)}")
    if channel.closes:
        parts.append(f"not from {_hour(channel.closes)} on")
    return f"{name}: {', '.join(parts) or 'as all others'}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _weekdays(days: Sequence[str]) -> str:
    ordered = [day for day in WEEKDAYS if day in days]
    if len(ordered) == 7:
        return "on every day"
    first, last = WEEKDAYS.index(ordered[0]), WEEKDAYS.index(ordered[-1])
    if len(ordered) > 2 and last - first + 1 == len(ordered):
        return f"from {ordered[0].capitalize()} to {ordered[-1].capitalize()}"
    names = [day.capitalize() for day in ordered]
    return "on " + " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _hour(at: time | None) -> str:
    return f"{at:%H:%M}" if at else ""
