"""Somebody got a message that is for somebody else: what they may say, and what the page says to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.reminder.wordings.rules import LANGUAGES, Language
from shared.errors import Refused
from shared.mail_address import is_address, one_line


@dataclass(frozen=True, slots=True)
class WrongPerson:
    """Who got the message of a contact at `address`, and whom they name instead."""

    contact_id: UUID
    customer_id: UUID
    entity_id: str
    address: str
    right_name: str | None
    right_email: str | None
    note: str | None
    told_at: datetime


class AddressNotUsable(Refused):
    slug = "address-not-usable"
    title = "That is no e-mail address"


def checked_email(email: str | None) -> str | None:
    """Raises AddressNotUsable."""
    if not email:
        return None
    if not is_address(email):
        raise AddressNotUsable("it is no e-mail address", field="/right_email")
    return email


def reason(told: WrongPerson) -> str:
    """What the task says to whoever looks for the right person."""
    named = ", ".join(one_line(part) for part in (told.right_name, told.right_email) if part)
    said = f"{told.address} says that it is the wrong person"
    said += f", and names {named}" if named else ""
    return said + (f". In their words: {one_line(told.note)}" if told.note else "")


def masked(address: str) -> str:
    """`ada@acme.example` as `a…@acme.example`: enough to know one's own by."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


WORDS: Mapping[str, tuple[str, str, str, str]] = {
    # key: English, German, French, Spanish
    "title": (
        "Is this not for you?",
        "Sind Sie nicht zuständig?",
        "Ce message ne vous concerne pas ?",
        "¿Este mensaje no es para usted?",
    ),
    "explain": (
        "A message about open invoices was sent to {address}. If you are not the right person for it, tell us: "
        "nothing more about this account will be sent to this address.",
        "An {address} wurde eine Nachricht zu offenen Rechnungen gesendet. Wenn Sie dafür nicht zuständig sind, teilen "
        "Sie es uns mit: An diese Adresse geht dann zu diesem Konto nichts mehr.",
        "Un message au sujet de factures ouvertes a été envoyé à {address}. Si vous n’êtes pas la bonne personne, "
        "dites-le-nous : plus rien concernant ce compte ne sera envoyé à cette adresse.",
        "Se ha enviado a {address} un mensaje sobre facturas pendientes. Si usted no es la persona indicada, "
        "comuníquenoslo: no enviaremos nada más sobre esta cuenta a esta dirección.",
    ),
    "who": (
        "Who is the right person? (optional)",
        "Wer ist zuständig? (freiwillig)",
        "Qui est la bonne personne ? (facultatif)",
        "¿Quién es la persona indicada? (opcional)",
    ),
    "name": ("Name", "Name", "Nom", "Nombre"),
    "email": ("E-mail address", "E-Mail-Adresse", "Adresse e-mail", "Correo electrónico"),
    "note": ("Anything else?", "Noch etwas?", "Une remarque ?", "¿Algo más?"),
    "send": (
        "I am not the right person",
        "Ich bin nicht zuständig",
        "Je ne suis pas la bonne personne",
        "No soy la persona indicada",
    ),
    "thanks": ("Thank you", "Vielen Dank", "Merci", "Gracias"),
    "done": (
        "We have noted it. Nothing more about this account will be sent to {address}.",
        "Wir haben es notiert. An {address} geht zu diesem Konto nichts mehr.",
        "C’est noté. Plus rien concernant ce compte ne sera envoyé à {address}.",
        "Lo hemos anotado. No enviaremos nada más sobre esta cuenta a {address}.",
    ),
    "bad_email": (
        "This is no e-mail address. Please look at it again.",
        "Das ist keine E-Mail-Adresse. Bitte sehen Sie noch einmal nach.",
        "Ce n’est pas une adresse e-mail. Veuillez vérifier.",
        "No es una dirección de correo válida. Revísela, por favor.",
    ),
    "gone": (
        "This link does not work. It may not have been copied whole.",
        "Dieser Link funktioniert nicht. Vielleicht wurde er nicht vollständig kopiert.",
        "Ce lien ne fonctionne pas. Il n’a peut-être pas été copié en entier.",
        "Este enlace no funciona. Quizá no se copió completo.",
    ),
}


def words_in(language: Language, **parts: str) -> dict[str, str]:
    return {key: said[LANGUAGES.index(language)].format(**parts) for key, said in WORDS.items()}
