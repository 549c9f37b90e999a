"""Terms of payment in words, as printed on the invoice, in English, German, French and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import get_args

from services.invoice.pricing.rules import decimal_text, scaled
from services.invoice.terms.rules import PERCENT_PLACES, AgreedTerms, Method
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Wording:
    due: str
    instalments: str
    instalment: str
    discount: str
    no_discount: str | None
    methods: str
    penalty: str
    method_names: dict[Method, str]
    last: str


WORDINGS: dict[str, Wording] = {
    "en": Wording(
        due="Payable without deduction by {date}.",
        instalments="Payable in {count} instalments: {parts}.",
        instalment="{amount} by {date}",
        discount="{percent}% discount if paid by {date}: {amount} off, {rest} to pay.",
        no_discount=None,
        methods="We accept {methods}.",
        penalty="Late payments bear interest of {percent}% a year.",
        method_names={
            "bank_transfer": "bank transfer",
            "direct_debit": "SEPA direct debit",
            "card": "card",
            "online": "payment online",
            "cheque": "cheque",
            "cash": "cash",
        },
        last=" and ",
    ),
    "de": Wording(
        due="Zahlbar ohne Abzug bis {date}.",
        instalments="Zahlbar in {count} Raten: {parts}.",
        instalment="{amount} bis {date}",
        discount="{percent} % Skonto bei Zahlung bis {date}: {amount} Abzug, zu zahlen sind dann {rest}.",
        no_discount=None,
        methods="Zahlungsarten: {methods}.",
        penalty="Bei Zahlungsverzug berechnen wir Zinsen von {percent} % im Jahr.",
        method_names={
            "bank_transfer": "Überweisung",
            "direct_debit": "SEPA-Lastschrift",
            "card": "Karte",
            "online": "Online-Zahlung",
            "cheque": "Scheck",
            "cash": "bar",
        },
        last=" und ",
    ),
    "fr": Wording(
        due="Payable sans escompte au plus tard le {date}.",
        instalments="Payable en {count} échéances : {parts}.",
        instalment="{amount} au plus tard le {date}",
        discount="Escompte de {percent} % pour paiement au plus tard le {date} : {amount} à déduire, soit {rest} à "
        "payer.",
        no_discount="Pas d’escompte pour paiement anticipé.",
        methods="Moyens de paiement acceptés : {methods}.",
        penalty="En cas de retard de paiement, des pénalités au taux annuel de {percent} % sont exigibles.",
        method_names={
            "bank_transfer": "virement",
            "direct_debit": "prélèvement SEPA",
            "card": "carte",
            "online": "paiement en ligne",
            "cheque": "chèque",
            "cash": "espèces",
        },
        last=" et ",
    ),
    "es": Wording(
        due="Pagadero sin descuento hasta el {date}.",
        instalments="Pagadero en {count} plazos: {parts}.",
        instalment="{amount} hasta el {date}",
        discount="{percent} % de descuento por pago hasta el {date}: {amount} menos, a pagar {rest}.",
        no_discount=None,
        methods="Formas de pago aceptadas: {methods}.",
        penalty="Los pagos atrasados devengan un interés del {percent} % anual.",
        method_names={
            "bank_transfer": "transferencia bancaria",
            "direct_debit": "adeudo directo SEPA",
            "card": "tarjeta",
            "online": "pago en línea",
            "cheque": "cheque",
            "cash": "efectivo",
        },
        last=" y ",
    ),
}
LANGUAGES = tuple(WORDINGS)


def language_of(tag: str) -> str:
    """The one of our languages that a tag such as `de-AT` asks for; English for any other."""
    language = tag[:2].lower()
    return language if language in WORDINGS else "en"


def describe(terms: AgreedTerms, language: str, *, total: Money) -> list[str]:
    """The sentences to print, each complete in itself; `total` is the invoice's.

    French documents say so where nothing is off for paying early: the terms of discount are a mention the law asks
    for (Code de commerce, art. L441-9).
    """
    language = language_of(language)
    words = WORDINGS[language]

    def day(value: date) -> str:
        return _date(value, language)

    def money(value: Money) -> str:
        return _money(value, language)

    sentences = []
    for tier in terms.discounts:
        sentences.append(
            words.discount.format(
                percent=_percent(tier.percent, language),
                date=day(tier.until),
                amount=money(tier.amount),
                rest=money(total - tier.amount),
            )
        )
    if terms.instalments:
        parts = [words.instalment.format(amount=money(p.amount), date=day(p.due_date)) for p in terms.instalments]
        sentences.append(words.instalments.format(count=len(parts), parts="; ".join(parts)))
    else:
        sentences.append(words.due.format(date=day(terms.due_date)))
    if words.no_discount and terms.instalments and not terms.discounts:
        sentences.append(words.no_discount)
    if terms.methods:
        names = [words.method_names[method] for method in terms.methods]
        sentences.append(words.methods.format(methods=_listed(names, words.last)))
    if terms.penalty:
        if terms.penalty.annual_percent:
            sentences.append(words.penalty.format(percent=_percent(terms.penalty.annual_percent, language)))
        if terms.penalty.text:
            sentences.append(terms.penalty.text)
    return sentences


def structured(terms: AgreedTerms, *, issued_on: date) -> str:
    """The discounts in the notation that XRechnung prescribes for the payment terms (BT-20, rule BR-DE-18): a line
    each, such as `#SKONTO#TAGE=14#PROZENT=2.25#`. Empty without any. A base amount is not named: it is the total."""
    return "".join(
        f"#SKONTO#TAGE={(tier.until - issued_on).days}#PROZENT={_two_places(tier.percent)}#\n"
        for tier in terms.discounts
    )


def _two_places(percent: str) -> str:
    hundredths = scaled(percent, PERCENT_PLACES)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _listed(names: list[str], last: str) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + last + names[-1]


def _date(day: date, language: str) -> str:
    from babel.dates import format_date  # Here, because it takes long to load and only documents need it.

    return format_date(day, "long", locale=_LOCALES[language])


def _money(value: Money, language: str) -> str:
    from babel.numbers import format_currency

    # Without CLDR's own idea of decimals: those are the currency's in ISO 4217.
    pattern = _PATTERNS[language].replace("0", "0" if "." not in value.amount else "0." + "0" * _places(value))
    return format_currency(value.decimal, value.currency, pattern, locale=_LOCALES[language], currency_digits=False)


def _places(value: Money) -> int:
    return len(value.amount.partition(".")[2])


def _percent(text: str, language: str) -> str:
    shown = decimal_text(scaled(text, PERCENT_PLACES), PERCENT_PLACES)
    return shown if language == "en" else shown.replace(".", ",")


_LOCALES = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "es": "es_ES"}
_PATTERNS = {"en": "¤¤ #,##0", "de": "#,##0 ¤¤", "fr": "#,##0 ¤¤", "es": "#,##0 ¤¤"}
assert all(set(words.method_names) == set(get_args(Method)) for words in WORDINGS.values())
