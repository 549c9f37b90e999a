"""Terms of payment as pure rules: dates against a calendar, amounts that add up, the words printed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.invoice.terms.rules import (
    NET_DAYS_MAX,
    AgreedTerms,
    DueRule,
    PaymentTerms,
    TermsRefused,
    agree,
    due,
)
from services.invoice.terms_text.rules import LANGUAGES, describe, language_of, structured
from shared.money import Money

ISSUED = date(2024, 3, 1)


def terms(**stated: Any) -> PaymentTerms:
    return PaymentTerms.model_validate(stated)


def agreed(stated: dict[str, Any], *, issued_on: date = ISSUED, minor: int = 100_000, **more: Any) -> AgreedTerms:
    about = {"total": Money(minor, "EUR"), "net_days": 30, "country": "DE"}
    return agree(terms(**stated), issued_on=issued_on, **{**about, **more})


class TestTheDueDate:
    @pytest.mark.parametrize(
        ("rule", "issued_on", "due_on"),
        [
            ({"net_days": 0}, "2024-02-10", "2024-02-10"),
            ({"net_days": 30}, "2024-01-31", "2024-03-01"),
            ({"months": 1}, "2024-01-31", "2024-02-29"),
            ({"months": 1}, "2023-01-31", "2023-02-28"),
            ({"months": 12}, "2024-02-29", "2025-02-28"),
            # "45 jours fin de mois", the two readings of Code de commerce art. L441-10: days, then the end of the
            # month; or the end of the month, then days.
            ({"net_days": 45, "end_of_month": "after"}, "2024-03-10", "2024-04-30"),
            ({"net_days": 45, "end_of_month": "before"}, "2024-03-10", "2024-05-15"),
            ({"end_of_month": "after"}, "2024-02-01", "2024-02-29"),
            ({"end_of_month": "after"}, "2024-02-29", "2024-02-29"),
            ({"months": 1, "end_of_month": "before"}, "2024-02-10", "2024-03-31"),
            ({"months": 2, "end_of_month": "before", "net_days": 10}, "2024-01-05", "2024-04-10"),
            ({"day_of_month": 15}, "2024-03-14", "2024-03-15"),
            ({"day_of_month": 15}, "2024-03-15", "2024-03-15"),
            ({"day_of_month": 15}, "2024-03-16", "2024-04-15"),
            ({"day_of_month": 31}, "2024-02-10", "2024-02-29"),
            ({"day_of_month": 31, "net_days": 1}, "2024-01-31", "2024-02-29"),
            ({"day_of_month": 10, "months": 1}, "2024-01-20", "2024-03-10"),
            ({"day_of_month": 5, "net_days": 30}, "2024-12-10", "2025-02-05"),
            ({"weekday": "friday"}, "2024-02-29", "2024-03-01"),
            ({"weekday": "friday"}, "2024-03-01", "2024-03-01"),
            ({"weekday": "friday"}, "2024-03-02", "2024-03-08"),
            ({"weekday": "monday", "net_days": 14}, "2024-03-01", "2024-03-18"),
        ],
    )
    def test_follows_from_the_rule(self, rule: dict[str, Any], issued_on: str, due_on: str) -> None:
        assert due(DueRule.model_validate(rule), date.fromisoformat(issued_on)) == date.fromisoformat(due_on)

    @pytest.mark.parametrize(
        ("wanted", "convention", "country", "due_on"),
        [
            ("2024-03-29", "none", "DE", "2024-03-29"),
            ("2024-03-28", "following", "DE", "2024-03-28"),
            ("2024-03-29", "following", "DE", "2024-04-02"),  # Good Friday; Easter Monday is one too.
            ("2024-03-29", "preceding", "DE", "2024-03-28"),
            ("2024-03-29", "modified_following", "DE", "2024-03-28"),
            ("2024-04-01", "modified_following", "DE", "2024-04-02"),
            ("2024-07-04", "following", "US", "2024-07-05"),
            ("2024-07-04", "following", "DE", "2024-07-04"),
            ("2024-03-15", "following", "SA", "2024-03-17"),  # Friday and Saturday are the weekend there.
        ],
    )
    def test_moves_to_a_business_day_by_the_countrys_holidays(
        self, wanted: str, convention: Any, country: str, due_on: str
    ) -> None:
        rule = DueRule(net_days=(date.fromisoformat(wanted) - ISSUED).days)

        assert due(rule, ISSUED, business_day=convention, country=country) == date.fromisoformat(due_on)

    def test_never_moves_before_the_invoice_itself(self) -> None:
        sunday = date(2024, 3, 3)

        assert due(DueRule(), sunday, business_day="preceding", country="DE") == sunday + timedelta(1)

    def test_is_at_most_ten_years_away(self) -> None:
        with pytest.raises(TermsRefused):
            due(DueRule(net_days=NET_DAYS_MAX, months=1), ISSUED)
        assert due(DueRule(net_days=NET_DAYS_MAX), ISSUED) == ISSUED + timedelta(NET_DAYS_MAX)

    def test_is_the_customers_own_where_the_terms_name_none(self) -> None:
        assert agreed({"discounts": [{"percent": "2", "days": 10}]}).due_date == date(2024, 3, 31)
        assert agreed({"methods": ["card"]}, due_on=date(2024, 5, 5)).due_date == date(2024, 5, 5)
        assert agreed({"net_days": 0}).due_date == ISSUED


class TestInstalments:
    def test_each_has_its_date_and_they_add_up(self) -> None:
        rules = [
            {"percent": "33.33", "net_days": 10},
            {"percent": "33.33", "months": 1},
            {"percent": "33.34", "months": 2},
        ]

        parts = agreed({"instalments": rules}, minor=10_001).instalments

        assert [(each.due_date, each.amount.minor) for each in parts] == [
            (date(2024, 3, 11), 3333),
            (date(2024, 4, 1), 3333),
            (date(2024, 5, 1), 3335),
        ]

    @given(st.integers(1, 10**9), st.lists(st.integers(1, 5_000), min_size=1, max_size=12))
    def test_the_parts_are_the_total_whatever_the_percentages(self, minor: int, wanted: list[int]) -> None:
        hundredths = [weight * 9_000 // sum(wanted) or 1 for weight in wanted]
        hundredths.append(10_000 - sum(hundredths))
        rules = [
            {"percent": f"{each // 100}.{each % 100:02d}", "net_days": days} for days, each in enumerate(hundredths)
        ]

        try:
            parts = agreed({"instalments": rules}, minor=minor).instalments
        except TermsRefused:
            assert any(minor * each < 10_000 for each in hundredths), "only a part of nothing is refused"
            return

        assert sum(each.amount.minor for each in parts) == minor
        for each, rate in zip(parts, hundredths, strict=True):
            assert abs(each.amount.minor * 10_000 - minor * rate) < 10_000, "within one unit of its percentage"

    @pytest.mark.parametrize(
        "stated",
        [
            {"net_days": 30, "instalments": [{"percent": "50"}, {"percent": "50", "months": 1}]},
            {"instalments": [{"percent": "50"}, {"percent": "49.99", "months": 1}]},
            {"instalments": [{"percent": "99.99"}]},
            {"instalments": [{"percent": "100"}]},
            {"discounts": [{"percent": "1", "days": 10}, {"percent": "2", "days": 20}]},
            {"discounts": [{"percent": "2", "days": 10}, {"percent": "1", "days": 10}]},
            {"discounts": [{"percent": "0", "days": 10}]},
            {"penalty": {}},
            {"net_days": -1},
            {"net_days": "30"},
            {"months": 1, "weekday": "noday"},
            {"day_of_month": 32},
        ],
    )
    def test_what_does_not_fit_is_refused(self, stated: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            terms(**stated)

    def test_dates_go_forward(self) -> None:
        with pytest.raises(TermsRefused) as refused:
            agreed({"instalments": [{"percent": "50", "months": 1}, {"percent": "50", "net_days": 5}]})
        assert refused.value.field == "/payment_terms/instalments/1"


class TestTheWords:
    STATED: ClassVar[dict[str, Any]] = {
        "net_days": 30,
        "discounts": [{"percent": "1", "days": 20}, {"percent": "2.50", "days": 10}],
        "methods": ["bank_transfer", "card"],
        "penalty": {"annual_percent": "9.12", "text": "§ 288 BGB"},
    }

    def test_name_every_date_and_amount_the_soonest_discount_first(self) -> None:
        assert describe(agreed(self.STATED), "en", total=Money(100_000, "EUR")) == [
            "2.5% discount if paid by 11 March 2024: EUR 25.00 off, EUR 975.00 to pay.",
            "1% discount if paid by 21 March 2024: EUR 10.00 off, EUR 990.00 to pay.",
            "Payable without deduction by 31 March 2024.",
            "We accept bank transfer and card.",
            "Late payments bear interest of 9.12% a year.",
            "§ 288 BGB",
        ]

    @pytest.mark.parametrize(
        ("language", "due"),
        [
            ("de-AT", "Zahlbar ohne Abzug bis 31. März 2024."),
            ("fr", "Payable sans escompte au plus tard le 31 mars 2024."),
            ("es", "Pagadero sin descuento hasta el 31 de marzo de 2024."),
            ("pl", "Payable without deduction by 31 March 2024."),
        ],
    )
    def test_are_the_customers_language_or_english(self, language: str, due: str) -> None:
        assert describe(agreed({"net_days": 30}), language, total=Money(100_000, "EUR")) == [due]

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(("currency", "minor"), [("EUR", 123_456), ("JPY", 123_456), ("KWD", 123_456)])
    def test_keep_each_currencys_decimals(self, language: str, currency: str, minor: int) -> None:
        total = Money(minor, currency)
        stated = terms(instalments=[{"percent": "50", "net_days": 1}, {"percent": "50", "net_days": 2}])

        said = describe(agree(stated, issued_on=ISSUED, total=total, net_days=0, country="DE"), language, total=total)

        half = {"EUR": "61728", "JPY": "61728", "KWD": "61728"}[currency]
        digits = "".join(c for c in said[0].split(":")[1] if c.isdigit())
        assert half in digits
        assert currency in said[0]
        assert language_of(language) == language

    def test_of_a_discount_in_the_notation_of_xrechnung(self) -> None:
        assert structured(agreed(self.STATED), issued_on=ISSUED) == (
            "#SKONTO#TAGE=10#PROZENT=2.50#\n#SKONTO#TAGE=20#PROZENT=1.00#\n"
        )
