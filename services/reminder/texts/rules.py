"""Short messages (SMS): what fits into one, which numbers they go to, and what a gateway's error codes mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]
Failure = Literal["permanent", "number", "opted_out", "temporary", "gateway"]
"""`permanent`: this message will never go; `number`: nothing will ever reach this number; `opted_out`: its owner asked
for no more; `temporary`: try again; `gateway`: our account or the gateway itself, so no message goes for now."""

CHARACTERS_MAX = 1_600
"""What the gateway takes as one message (error 21617 beyond), in at most ten segments."""

_SEPARATORS = re.compile(r"[\s().\-/\u00a0]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# 3GPP TS 23.038, the default alphabet and its extension table (6.2.1, 6.2.1.1); an extended character takes two places.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")

# Typography that would make a message twice as dear, in the plain signs that people type.
_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "−": "-",
        "…": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "•": "-", "·": "-", "\t": " ",
    }
)  # fmt: skip

_GSM_SINGLE, _GSM_PART = 160, 153
_UCS_SINGLE, _UCS_PART = 70, 67
"""Places in a message alone, and in each of several: their user data header takes six of 140 octets (TS 23.040)."""

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
"""https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out"""
START_WORDS = frozenset({"START", "YES", "UNSTOP"})

_FAILURES: dict[int, Failure] = {
    # Answers to the call that sends (https://www.twilio.com/docs/api/errors).
    20003: "gateway",  # Authentication
    20404: "gateway",  # No such account
    20429: "gateway",  # Too many requests
    21211: "number",  # Invalid 'To' number
    21212: "gateway",  # Invalid 'From' number
    21217: "number",  # The number does not appear to be valid
    21265: "number",  # 'To' cannot be a short code
    21408: "permanent",  # Sending to this region is not enabled
    21602: "permanent",  # No body
    21603: "gateway",  # No 'From'
    21604: "number",  # No 'To'
    21606: "gateway",  # 'From' cannot send messages
    21608: "permanent",  # 'To' is not verified (a trial account)
    21610: "opted_out",  # The recipient has unsubscribed
    21611: "temporary",  # The queue of this sender is full
    21612: "permanent",  # 'To' cannot be reached from this sender
    21614: "number",  # 'To' is no mobile number
    21617: "permanent",  # The body is too long
    21635: "number",  # 'To' is a landline
    21703: "gateway",  # The messaging service has no numbers
    21730: "temporary",  # Maintenance
    # What is told afterwards, in a status callback.
    30001: "temporary",  # Queue overflow
    30002: "gateway",  # Account suspended
    30003: "temporary",  # Handset unreachable: off, or out of range
    30004: "permanent",  # Blocked
    30005: "number",  # Unknown handset
    30006: "number",  # Landline or unreachable carrier
    30007: "permanent",  # Filtered as spam
    30008: "temporary",  # Unknown error
    30009: "temporary",  # A segment is missing
    30010: "permanent",  # Dearer than the maximum price
    30034: "gateway",  # The sender is not registered (US A2P 10DLC)
    30410: "temporary",  # The carrier did not answer in time
}


class BadNumber(ValueError):
    """The text is no phone number in international form."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a text is as short messages: `segments` are paid for one by one."""

    encoding: Encoding
    places: int
    segments: int


def e164(number: str) -> str:
    """The number in the form of ITU-T E.164: `+`, country code, at most 15 digits. `00` counts as `+`; a number
    without a country code is not guessed at. Raises BadNumber."""
    bare = _SEPARATORS.sub("", number)
    bare = f"+{bare[2:]}" if bare.startswith("00") else bare
    if not _E164.fullmatch(bare):
        raise BadNumber(f"{number!r} is no phone number in international form, such as +4930123456")
    return bare


def plain(text: str) -> str:
    """The text with typographic signs replaced by those that fit the short alphabet."""
    return text.translate(_TYPOGRAPHY)


def size(text: str) -> Size:
    """How many segments a text takes. A character is never split between two: an escaped one moves as a whole, and so
    do the two halves of one beyond the basic plane."""
    if all(sign in _BASIC or sign in _EXTENDED for sign in text):
        widths = [2 if sign in _EXTENDED else 1 for sign in text]
        return Size("GSM-7", sum(widths), _segments(widths, _GSM_SINGLE, _GSM_PART))
    widths = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    return Size("UCS-2", sum(widths), _segments(widths, _UCS_SINGLE, _UCS_PART))


def _segments(widths: list[int], single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return segments


def failure_of(code: int | None) -> Failure | None:
    """What kind of failure a gateway's error code is; None for one that is not known here."""
    return _FAILURES.get(code) if code is not None else None


def keyword(body: str, opt_out_type: str = "") -> Literal["stop", "start"] | None:
    """Whether a text that came in asks for no more messages, or for messages again: by the gateway's own word
    (`OptOutType`) or by a message that is nothing but one of the agreed words. "Stop texting me" is not."""
    word = (opt_out_type or body).strip().strip(".!\"'").upper().replace(" ", "")
    if word in STOP_WORDS:
        return "stop"
    return "start" if word in START_WORDS else None
