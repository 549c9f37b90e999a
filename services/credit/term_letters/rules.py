"""What a letter about changed terms says, in English, German, French and Spanish."""

from __future__ import annotations

from collections.abc import Sequence

from services.credit.terms.rules import Terms
from services.credit.tongues.rules import Tongue, Words
from shared.money import Money

WORDS: Words = {
    "subject": (
        "Your payment terms with {seller}",
        "Ihre Zahlungsbedingungen bei {seller}",
        "Vos conditions de paiement chez {seller}",
        "Sus condiciones de pago con {seller}",
    ),
    "eased": (
        "We are pleased to offer {company} better payment terms. They apply to new orders and invoices; invoices that"
        " are already open stay due as agreed.",
        "wir freuen uns, {company} bessere Zahlungsbedingungen anbieten zu können. Sie gelten für neue Bestellungen und"
        " Rechnungen; offene Rechnungen bleiben fällig wie vereinbart.",
        "Nous avons le plaisir de proposer à {company} de meilleures conditions de paiement. Elles s’appliquent aux"
        " nouvelles commandes et factures ; les factures en cours restent dues comme convenu.",
        "Nos complace ofrecer a {company} mejores condiciones de pago. Se aplican a los nuevos pedidos y facturas; las"
        " facturas pendientes vencen según lo acordado.",
    ),
    "changed": (
        "We are changing the payment terms of {company} and thank you for your understanding. The new terms apply to"
        " new orders and invoices; invoices that are already open stay due as agreed.",
        "wir passen die Zahlungsbedingungen für {company} an und danken für Ihr Verständnis. Die neuen Bedingungen"
        " gelten für neue Bestellungen und Rechnungen; offene Rechnungen bleiben fällig wie vereinbart.",
        "Nous modifions les conditions de paiement de {company} et vous remercions de votre compréhension. Les"
        " nouvelles conditions s’appliquent aux nouvelles commandes et factures ; les factures en cours restent dues"
        " comme convenu.",
        "Modificamos las condiciones de pago de {company} y le agradecemos su comprensión. Las nuevas condiciones se"
        " aplican a los nuevos pedidos y facturas; las facturas pendientes vencen según lo acordado.",
    ),
    "deposit_says": (
        "Please pay the deposit before the next order. It is returned when the account is closed and nothing is open.",
        "Bitte zahlen Sie die Kaution vor der nächsten Bestellung. Sie wird zurückgezahlt, wenn das Konto geschlossen"
        " wird und nichts offen ist.",
        "Merci de verser le dépôt de garantie avant la prochaine commande. Il est rendu à la clôture du compte, une"
        " fois tout réglé.",
        "Le rogamos que abone la fianza antes del próximo pedido. Se devuelve al cerrar la cuenta si no queda nada"
        " pendiente.",
    ),
    "days": (
        "Days to pay, from the invoice date",
        "Zahlungsziel ab Rechnungsdatum",
        "Délai de paiement dès la date de facture",
        "Plazo de pago desde la fecha de factura",
    ),
    "at_once": ("at once", "sofort", "à réception", "al contado"),
    "one_day": ("1 day", "1 Tag", "1 jour", "1 día"),
    "some_days": ("{days} days", "{days} Tage", "{days} jours", "{days} días"),
    "prepaid": (
        "Prepayment of each order",
        "Anzahlung auf jede Bestellung",
        "Acompte sur chaque commande",
        "Anticipo de cada pedido",
    ),
    "no_prepaid": ("none", "keine", "aucun", "ninguno"),
    "deposit": ("Deposit", "Kaution", "Dépôt de garantie", "Fianza"),
    "no_deposit": ("none", "keine", "aucun", "ninguna"),
    "account": ("Pay the deposit to", "Kaution zahlbar an", "Dépôt à verser à", "Fianza pagadera a"),
    "was": (
        "{value} (before: {before})",
        "{value} (bisher: {before})",
        "{value} (auparavant : {before})",
        "{value} (antes: {before})",
    ),
}


def says(before: Terms, after: Terms, company: str, t: Tongue) -> str:
    """What changed, in a few sentences; how a deposit is dealt with only where more of it is asked for."""
    text = t.say(WORDS, "eased" if eased(before, after) else "changed", company=company)
    return f"{text} {t.say(WORDS, 'deposit_says')}" if asks_for_more(before, after) else text


def rows(before: Terms, after: Terms, account: Sequence[str], t: Tongue) -> list[tuple[str, str]]:
    """The terms one by one, each with what it was before where that was another; `account` is the seller's."""
    found = [(t.say(WORDS, "days"), _was(_days(after.net_days, t), _days(before.net_days, t), t))]
    if before.prepaid_percent or after.prepaid_percent:
        share, share_before = _prepaid(after.prepaid_percent, t), _prepaid(before.prepaid_percent, t)
        found.append((t.say(WORDS, "prepaid"), _was(share, share_before, t)))
    if before.deposit or after.deposit:
        found.append((t.say(WORDS, "deposit"), _was(_deposit(after.deposit, t), _deposit(before.deposit, t), t)))
    if account and asks_for_more(before, after):
        found.append((t.say(WORDS, "account"), ", ".join(account)))
    return found


def eased(before: Terms, after: Terms) -> bool:
    """Whether nothing is worse for the customer."""
    return (
        after.net_days >= before.net_days
        and after.prepaid_percent <= before.prepaid_percent
        and not asks_for_more(before, after)
    )


def asks_for_more(before: Terms, after: Terms) -> bool:
    """A deposit, or a larger one; one in another currency is another one."""
    if after.deposit is None or before.deposit is None:
        return after.deposit is not None
    return after.deposit.currency != before.deposit.currency or after.deposit.minor > before.deposit.minor


def _was(value: str, before: str, t: Tongue) -> str:
    return value if value == before else t.say(WORDS, "was", value=value, before=before)


def _days(days: int, t: Tongue) -> str:
    return t.say(WORDS, {0: "at_once", 1: "one_day"}.get(days, "some_days"), days=days)


def _prepaid(percent: int, t: Tongue) -> str:
    return t.percent(percent) if percent else t.say(WORDS, "no_prepaid")


def _deposit(deposit: Money | None, t: Tongue) -> str:
    return t.money(deposit) if deposit else t.say(WORDS, "no_deposit")
