"""Terms of payment: when an invoice is due, in how many parts, and what paying early earns.

`PaymentTerms` is the rule as a seller states it; `agree` applies it to one invoice and gives `AgreedTerms`, whose
dates and amounts are fixed and kept with the invoice. The words printed of them are in terms_text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.invoice.pricing.rules import BP, divide_half_even, scaled
from shared.calendar import ONE_DAY, add_months, is_business_day, month_end, next_business_day
from shared.errors import Refused
from shared.money import Money, split

NET_DAYS_MAX = 3_650
MONTHS_MAX = 120
INSTALMENTS_MAX = 60
DISCOUNTS_MAX = 5
PERCENT_PLACES = 2

BusinessDay = Literal["none", "following", "preceding", "modified_following"]
"""Where a date that is no business day goes: stays, to the next one, to the one before, or to the next one unless that
is in another month, and then to the one before."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Method = Literal["bank_transfer", "direct_debit", "card", "online", "cheque", "cash"]


class TermsRefused(Refused):
    slug = "payment-terms"
    title = "The terms of payment cannot be kept"


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _a_part_of_the_whole(percent: str) -> str:
    if not 0 < scaled(percent, PERCENT_PLACES) < BP:
        raise ValueError("more than 0 and less than 100 percent is wanted")
    return percent


Percent = Annotated[
    str,
    Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?$", examples=["2.00"], description="Percent, as decimal text"),
]
PartPercent = Annotated[Percent, AfterValidator(_a_part_of_the_whole)]
NetDays = Annotated[int, Field(strict=True, ge=0, le=NET_DAYS_MAX)]


class DueRule(_Written):
    """A due date from the invoice date, in this order: the end of its month where `end_of_month` is `before`, `months`,
    `net_days`, the end of the month where it is `after`, then the next `day_of_month`, then the next `weekday`.

    The 31st of a shorter month is its last day. A date that is the day wanted already stays.
    """

    net_days: NetDays | None = None
    months: Annotated[int, Field(strict=True, ge=0, le=MONTHS_MAX)] = 0
    end_of_month: Literal["none", "before", "after"] = "none"
    day_of_month: Annotated[int, Field(strict=True, ge=1, le=31)] | None = None
    weekday: Weekday | None = None

    @property
    def says_nothing(self) -> bool:
        return (
            self.net_days is None
            and not self.months
            and self.end_of_month == "none"
            and self.day_of_month is None
            and self.weekday is None
        )


class InstalmentRule(DueRule):
    percent: PartPercent


class DiscountRule(_Written):
    """So much off what is paid within so many days of the invoice date: 2/10 is `{"percent": "2", "days": 10}`."""

    percent: PartPercent
    days: Annotated[int, Field(strict=True, ge=0, le=365)]


class Penalty(_Written):
    """What late payment costs, as printed: a text of the seller's own, or the yearly rate of interest."""

    annual_percent: Percent | None = None
    text: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Penalty:
        if self.annual_percent is None and self.text is None:
            raise ValueError("state annual_percent or text")
        return self


class PaymentTerms(DueRule):
    """Terms as the seller states them. Without any rule for the due date, the customer's own days count."""

    business_day: BusinessDay = Field(default="none", description="Where a due date on a holiday or weekend goes")
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        default=None, description="Whose holidays count; left out: the seller's country, else the customer's"
    )
    instalments: Annotated[tuple[InstalmentRule, ...], Field(max_length=INSTALMENTS_MAX)] = ()
    discounts: Annotated[tuple[DiscountRule, ...], Field(max_length=DISCOUNTS_MAX)] = ()
    methods: tuple[Method, ...] = ()
    penalty: Penalty | None = None

    @model_validator(mode="after")
    def _fit_each_other(self) -> PaymentTerms:
        if self.instalments:
            if not self.says_nothing:
                raise ValueError("state the due date once, for the whole or for each instalment")
            if len(self.instalments) == 1 or sum(scaled(i.percent, PERCENT_PLACES) for i in self.instalments) != BP:
                raise ValueError("instalments are two or more and come to 100 percent")
        by_days = sorted(self.discounts, key=lambda tier: tier.days)
        for sooner, later in pairwise(by_days):
            if sooner.days == later.days or _bp(sooner) <= _bp(later):
                raise ValueError("of two discounts, the one for paying sooner is the larger")
        return self

    @property
    def only_days(self) -> bool:
        """Whether there is nothing to keep but a due date so many days after the invoice date."""
        return self == PaymentTerms(net_days=self.net_days)


def _bp(tier: DiscountRule) -> int:
    return scaled(tier.percent, PERCENT_PLACES)


class AgreedInstalment(_Written):
    due_date: date
    percent: str
    amount: Money


class AgreedDiscount(_Written):
    """`amount` is what is taken off when the whole invoice is paid at once by the end of `until`."""

    until: date
    percent: str
    amount: Money


class AgreedTerms(_Written):
    """The terms of one invoice, with their dates and amounts. `due_date` is the last of the instalments' where there
    are any; `discounts` begin with the soonest."""

    due_date: date
    instalments: tuple[AgreedInstalment, ...] = ()
    discounts: tuple[AgreedDiscount, ...] = ()
    methods: tuple[Method, ...] = ()
    penalty: Penalty | None = None
    rule: PaymentTerms | None = Field(default=None, description="As stated; the dates above follow from it")


def agree(
    terms: PaymentTerms, *, issued_on: date, total: Money, net_days: int, country: str, due_on: date | None = None
) -> AgreedTerms:
    """Apply terms to an invoice: `net_days` and `country` are what counts where the terms are silent, `due_on` is the
    due date where the invoice states one itself. Raises TermsRefused.

    Instalments are the total shared by their percentages, largest remainders first, so that they add up to it. A
    discount is its percentage of the total, rounded half-even once.
    """
    country = terms.country or country
    if terms.instalments:
        amounts = split(total.minor, [scaled(each.percent, PERCENT_PLACES) for each in terms.instalments])
        parts = tuple(
            AgreedInstalment(
                due_date=due(rule, issued_on, business_day=terms.business_day, country=country),
                percent=rule.percent,
                amount=Money(amount, total.currency),
            )
            for rule, amount in zip(terms.instalments, amounts, strict=True)
        )
        _one_after_the_other(parts)
        due_on = parts[-1].due_date
    else:
        parts = ()
        if due_on is None:
            rule = DueRule(net_days=net_days) if terms.says_nothing else terms
            due_on = due(rule, issued_on, business_day=terms.business_day, country=country)
    return AgreedTerms(
        due_date=due_on,
        instalments=parts,
        discounts=_discounts(terms, issued_on, total, country),
        methods=terms.methods,
        penalty=terms.penalty,
        rule=terms,
    )


def _one_after_the_other(parts: Sequence[AgreedInstalment]) -> None:
    for position, (earlier, later) in enumerate(pairwise(parts), start=1):
        if earlier.due_date >= later.due_date:
            raise TermsRefused(
                f"instalment {position + 1} is due on {later.due_date}, not after the one before it",
                field=f"/payment_terms/instalments/{position}",
            )
    for position, part in enumerate(parts):
        if part.amount.minor == 0:
            raise TermsRefused(
                "an instalment of nothing is not asked for", field=f"/payment_terms/instalments/{position}"
            )


def _discounts(terms: PaymentTerms, issued_on: date, total: Money, country: str) -> tuple[AgreedDiscount, ...]:
    return tuple(
        AgreedDiscount(
            until=_on_business_day(issued_on + timedelta(tier.days), issued_on, terms.business_day, country),
            percent=tier.percent,
            amount=Money(divide_half_even(total.minor * _bp(tier), BP), total.currency),
        )
        for tier in sorted(terms.discounts, key=lambda tier: tier.days)
    )


def due(rule: DueRule, issued_on: date, *, business_day: BusinessDay = "none", country: str = "") -> date:
    """The due date of an invoice of a day, never before that day. Raises TermsRefused beyond NET_DAYS_MAX days."""
    day = month_end(issued_on) if rule.end_of_month == "before" else issued_on
    if rule.months:
        day = add_months(day, rule.months)
        if rule.end_of_month == "before":
            day = month_end(day)
    day += timedelta(rule.net_days or 0)
    if rule.end_of_month == "after":
        day = month_end(day)
    if rule.day_of_month:
        day = _next_day_of_month(day, rule.day_of_month)
    if rule.weekday:
        day += timedelta((WEEKDAYS.index(rule.weekday) - day.weekday()) % 7)
    day = _on_business_day(day, issued_on, business_day, country)
    if day > issued_on + timedelta(NET_DAYS_MAX):
        raise TermsRefused(
            f"due on {day}, more than {NET_DAYS_MAX:,} days after its issue on {issued_on}", field="/payment_terms"
        )
    return day


def _next_day_of_month(day: date, wanted: int) -> date:
    this_month = min(wanted, month_end(day).day)
    if day.day <= this_month:
        return day.replace(day=this_month)
    following = add_months(day.replace(day=1), 1)
    return following.replace(day=min(wanted, month_end(following).day))


def _on_business_day(day: date, not_before: date, convention: BusinessDay, country: str) -> date:
    if convention == "none" or is_business_day(day, country):
        return day
    following = next_business_day(day, country)
    if convention == "following" or (convention == "modified_following" and following.month == day.month):
        return following
    preceding = day
    while not is_business_day(preceding, country):
        preceding -= ONE_DAY
    return preceding if preceding >= not_before else following
