"""How a selling entity appears in its messages: from whom they come, where answers go, what stands below them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.reminder.mails.rules import House, Letter, Sender
from services.reminder.team.rules import Colleague
from shared.errors import Refused
from shared.mail_address import is_address

LINES_MAX = 6
LINE_MAX = 120


class SenderRefused(Refused):
    slug = "sender-refused"
    title = "Messages cannot be sent like this"


@dataclass(frozen=True, slots=True)
class Given:
    """Version 0: the entity has said nothing, and appears by its name and the installation's address."""

    entity_id: str
    version: int
    house: House


def checked(house: House) -> House:
    """The house itself. Raises SenderRefused for an address that is none."""
    for field, address in (("/from_address", house.address), ("/reply_to", house.reply_to)):
        if address is not None and not is_address(address):
            raise SenderRefused(f"{address!r} is no e-mail address", field=field)
    return house


def signed(letter: Letter, house: House | None, colleague: Colleague | None) -> Letter:
    """By the colleague who looks after the account, where there is one; in the entity's own manner."""
    who = Sender(colleague.name, None, colleague.phone, colleague.email) if colleague else None
    return replace(letter, sender=who, house=house)
