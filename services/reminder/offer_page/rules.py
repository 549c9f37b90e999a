"""The words of the page on which a customer answers an offer, in the languages it is shown in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from shared.money import Money

_ENGLISH = {
    "title": "Our offer to you",
    "extension": "You may pay {amount} by {day}.",
    "plan": "You may pay {amount} in {count} parts:",
    "settlement": "Pay {pay} by {day}, and we ask for nothing more of the {amount} that is open.",
    "about": "It is about these invoices:",
    "until": "The offer stands until {day}.",
    "name": "Your name",
    "name_missing": "Please write your name: an acceptance needs somebody who gives it.",
    "accept": "Accept the offer",
    "refuse": "No, thank you",
    "accepted": "Thank you: {name} accepted this offer on {day}.",
    "refused": "You did not accept this offer. If you would like to talk about another way, just answer our message.",
    "expired": "This offer has expired",
    "expired_lead": "Please answer our message if you would like to talk about another one.",
    "changed": "Something has changed since we made this offer. Please answer our message, and we will look into it.",
    "gone": "This offer is not here any more",
    "gone_lead": "The link may be incomplete, or the offer was taken back. Please answer our message to find out.",
}
_GERMAN = {
    "title": "Unser Angebot an Sie",
    "extension": "Sie können {amount} bis zum {day} zahlen.",
    "plan": "Sie können {amount} in {count} Teilen zahlen:",
    "settlement": "Zahlen Sie {pay} bis zum {day}, und wir verlangen von den offenen {amount} nichts weiter.",
    "about": "Es geht um diese Rechnungen:",
    "until": "Das Angebot gilt bis zum {day}.",
    "name": "Ihr Name",
    "name_missing": "Bitte geben Sie Ihren Namen an: Wer annimmt, sollte sich nennen.",
    "accept": "Angebot annehmen",
    "refuse": "Nein, danke",
    "accepted": "Vielen Dank: {name} hat dieses Angebot am {day} angenommen.",
    "refused": "Sie haben dieses Angebot nicht angenommen. Wenn Sie einen anderen Weg besprechen möchten, antworten "
    "Sie einfach auf unsere Nachricht.",
    "expired": "Dieses Angebot ist abgelaufen",
    "expired_lead": "Bitte antworten Sie auf unsere Nachricht, wenn Sie über ein anderes sprechen möchten.",
    "changed": "Seit diesem Angebot hat sich etwas geändert. Bitte antworten Sie auf unsere Nachricht, wir klären das.",
    "gone": "Dieses Angebot gibt es nicht mehr",
    "gone_lead": "Der Link ist vielleicht unvollständig, oder das Angebot wurde zurückgezogen. Bitte antworten Sie auf "
    "unsere Nachricht.",
}
_FRENCH = {
    "title": "Notre proposition",
    "extension": "Vous pouvez régler {amount} jusqu’au {day}.",
    "plan": "Vous pouvez régler {amount} en {count} échéances :",
    "settlement": "Réglez {pay} au plus tard le {day} et nous ne demanderons rien de plus sur les {amount} dus.",
    "about": "Elle concerne ces factures :",
    "until": "Cette proposition est valable jusqu’au {day}.",
    "name": "Votre nom",
    "name_missing": "Merci d’indiquer votre nom : une acceptation doit être donnée par quelqu’un.",
    "accept": "Accepter la proposition",
    "refuse": "Non, merci",
    "accepted": "Merci : {name} a accepté cette proposition le {day}.",
    "refused": "Vous n’avez pas accepté cette proposition. Pour en discuter une autre, répondez à notre message.",
    "expired": "Cette proposition a expiré",
    "expired_lead": "Répondez à notre message si vous souhaitez en discuter une autre.",
    "changed": "La situation a changé depuis cette proposition. Répondez à notre message, nous vérifierons.",
    "gone": "Cette proposition n’est plus disponible",
    "gone_lead": "Le lien est peut-être incomplet, ou la proposition a été retirée. Répondez à notre message.",
}
_SPANISH = {
    "title": "Nuestra oferta",
    "extension": "Puede pagar {amount} hasta el {day}.",
    "plan": "Puede pagar {amount} en {count} plazos:",
    "settlement": "Pague {pay} a más tardar el {day} y no pediremos nada más de los {amount} pendientes.",
    "about": "Se refiere a estas facturas:",
    "until": "La oferta es válida hasta el {day}.",
    "name": "Su nombre",
    "name_missing": "Indique su nombre: una aceptación la da una persona.",
    "accept": "Aceptar la oferta",
    "refuse": "No, gracias",
    "accepted": "Gracias: {name} aceptó esta oferta el {day}.",
    "refused": "No ha aceptado esta oferta. Si desea hablar de otra solución, responda a nuestro mensaje.",
    "expired": "Esta oferta ha caducado",
    "expired_lead": "Responda a nuestro mensaje si desea hablar de otra.",
    "changed": "Algo ha cambiado desde esta oferta. Responda a nuestro mensaje y lo revisaremos.",
    "gone": "Esta oferta ya no está disponible",
    "gone_lead": "El enlace puede estar incompleto, o la oferta se retiró. Responda a nuestro mensaje.",
}
WORDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}


@dataclass(frozen=True, slots=True)
class Voice:
    """The page's words, and how amounts and days are written there."""

    language: str
    locale: str

    def say(self, word: str, **values: object) -> str:
        return WORDS[self.language][word].format(**values)

    def money(self, money: Money) -> str:
        return format_currency(money.decimal, money.currency, locale=self.locale)

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self.locale)


def voice(language: str, country: str | None = None) -> Voice:
    """The customer's language where the page has it, else English; numbers and days as in its country."""
    spoken = language[:2].lower()
    known = spoken if spoken in WORDS else "en"
    try:
        return Voice(known, str(Locale.parse(f"{known}_{country}")) if country else known)
    except (UnknownLocaleError, ValueError):
        return Voice(known, known)
