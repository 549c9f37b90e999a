"""The management report as a PDF: the figures of the other reports, on two pages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO

from pypdf import PdfReader

from services.reporting.management_report import rules
from shared.words import amount
from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem

D = date


def a_ledger() -> Books:
    books = Books()
    customers = [
        books.onboard(name, segment)
        for name, segment in (("Acme #[strong] GmbH", "key"), ("Böhm & Söhne", "retail"), ("Corner $ Bakery", "retail"))
    ]
    for month in range(1, 13):
        for place, customer in enumerate(customers):
            item = books.issue(customer, D(2021, month, 3 + place), (3 - place) * 4_321_00)
            if month + 2 + place <= 12:
                books.pay(item, D(2021, month + 1 + (month > 7) + place % 2, 8 + 3 * place))
    books.write_off(books.items[-9], D(2021, 12, 20))
    books.issue(customers[0], D(2021, 12, 1), 500_000, "JPY")
    return books


async def test_the_board_reads_where_receivables_stand(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    answer = await reporting.http.get("/v1/reports/management.pdf", params={"as_of": "2021-12-31"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    pages = PdfReader(BytesIO(answer.content)).pages
    assert len(pages) == 2
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    (whole,) = (await reporting.get("/v1/reports/ageing", as_of="2021-12-31", currency="EUR"))["items"]
    (kpis,) = (await reporting.get("/v1/reports/kpis", as_of="2021-12-31", currency="EUR"))["items"]
    for name in ("current", "total", "overdue", "d1_30"):
        assert amount(int(whole[name].replace(".", "")), "EUR", whole=True) in text, name
    assert f"{float(kpis['dso']):.1f} days" in text
    assert "Acme #[strong] GmbH" in text  # Names are text, whatever is in them.
    assert "Corner $ Bakery" in text


async def test_another_currency_has_a_report_of_its_own(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    answer = await reporting.http.get("/v1/reports/management.pdf", params={"as_of": "2021-12-31", "currency": "JPY"})
    assert "¥500,000" in PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    none = await reporting.http.get("/v1/reports/management.pdf", params={"currency": "CHF"})
    assert problem(none, 422) == "nothing-to-report"


async def test_a_ledger_of_one_day_has_its_report_too(reporting: Reporting) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 12, 31), 100_00)
    await reporting.hear(books)
    assert (await reporting.http.get("/v1/reports/management.pdf")).status_code == 200
    nothing = await reporting.http.get("/v1/reports/management.pdf", params={"as_of": "2020-01-01"})
    assert problem(nothing, 422) == "nothing-to-report"


def test_figures_keep_their_sign() -> None:
    assert (rules.signed(Decimal("-1.25")), rules.signed(Decimal("3"))) == ("−1.2", "+3.0")
    assert (rules.figure(None, " %"), rules.figure(Decimal("1234.56"), " %")) == ("–", "1,234.6 %")
