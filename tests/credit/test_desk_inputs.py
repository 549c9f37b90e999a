"""What was learned of a customer, written into forms and sent as files: errors by field, and it counts."""

from __future__ import annotations

from typing import Any

import pytest

from services.credit.desk_inputs.rules import FIELDS, InputUnreadable, read
from services.credit.vetting.rules import Kind
from tests.browser import needs_chromium
from tests.credit.applications import vetting
from tests.credit.desk import EVIL, Desk

HEAD = {"source": "Bureau Ltd", "dated_on": "2026-03-01", "currency": "eur"}
STATEMENT = {
    "current_assets": "50,000.00",
    "total_assets": "100000.00",
    "current_liabilities": "20000.00",
    "total_liabilities": "60000.00",
    "equity": "40000.00",
    "retained_earnings": "-5000.00",
    "ebit": "12000.00",
}
GOOD: dict[Kind, dict[str, str]] = {
    "credit_report": {"score": "72", "insolvency": "none", "recommended_limit": "2500.00"},
    "trade_reference": {"referee": "Nord AG", "average_days_late": "-3"},
    "financial_statement": STATEMENT,
    "public_record": {"entry": "judgment", "status": "open", "amount": "1200.00"},
    "payment_history": {"months": "24", "invoices": "180", "average_days_late": "9", "late_share": "12.5"},
    "foundation": {"founded_on": "1999-05-01"},
}


@pytest.mark.parametrize("kind", FIELDS)
def test_each_kind_has_a_form_and_every_field_of_it_is_one_that_counts(kind: Kind) -> None:
    told = read(kind, {**HEAD, **GOOD[kind], "attempt": "x", "kind": "forged"})
    assert (told.particulars.kind, told.source, told.expires_on) == (kind, "Bureau Ltd", None)
    assert {field.name for field in FIELDS[kind]} == set(type(told.particulars).model_fields) - {"kind"}


@pytest.mark.parametrize(
    ("kind", "changes", "faults"),
    [
        ("credit_report", {"score": "72,5"}, {"score": "A whole number is wanted, not '72,5'."}),
        ("credit_report", {"score": "101"}, {"score": "Input should be less than or equal to 100."}),
        ("credit_report", {"score": "²", "source": " "}, {"score": "A whole", "source": "Write something here."}),
        ("credit_report", {"insolvency": "soon"}, {"insolvency": "Input should be 'none', 'past' or 'open'."}),
        ("credit_report", {"dated_on": "1 March"}, {"dated_on": "A day such as 2026-01-31 is wanted, not '1 March'."}),
        ("financial_statement", {"ebit": "a lot", "equity": ""}, {"ebit": "", "equity": "Write something here."}),
        ("financial_statement", {"currency": "EURO"}, dict.fromkeys(STATEMENT, "")),
        ("trade_reference", {"referee": "x" * 201}, {"referee": "200 characters at most."}),
        ("payment_history", {"late_share": "100.01"}, {"late_share": "From 0 to 100 is wanted."}),
        ("foundation", {"founded_on": ""}, {"founded_on": "Write something here."}),
    ],
)
def test_every_field_that_cannot_be_read_says_why(kind: Kind, changes: dict[str, str], faults: dict[str, str]) -> None:
    with pytest.raises(InputUnreadable) as caught:
        read(kind, {**HEAD, **GOOD[kind], **changes})
    said: dict[str, str] = dict(caught.value.faults)
    assert said.keys() == faults.keys()
    assert all(said[name].startswith(why) for name, why in faults.items()), said


def test_a_share_in_percent_is_kept_as_a_fraction() -> None:
    told: Any = read("payment_history", {**HEAD, **GOOD["payment_history"], "late_share": "12.25 %"}).particulars
    assert str(told.late_share) == "0.1225"


@needs_chromium
async def test_a_balance_sheet_is_written_in_and_what_cannot_be_right_stands_beside_its_field(desk: Desk) -> None:
    customer = (await desk.credit.onboard(name=EVIL))["id"]
    tab = await desk.tab("ben", width=390)
    await tab.go(f"/customers/{customer}")
    await tab.page.click("text=Add what was learned")
    await tab.page.click("text=Financial statement")
    await tab.page.wait_for_url("**/inputs?kind=financial_statement")
    assert await tab.overflow() <= 0
    written = {"source": "Annual report", "dated_on": "2025-12-31", **STATEMENT, "total_assets": "90,000.00"}
    for name, value in written.items():
        await tab.page.fill(f"[name={name}]", value)
    await tab.press("Take it in")
    assert "90000.00 EUR of assets, but" in await tab.text("#fault-total_assets")
    assert await tab.page.get_attribute("[name=total_assets]", "aria-invalid") == "true"
    assert await tab.page.input_value("[name=current_assets]") == "50,000.00", "what was written is kept"
    assert await tab.accessibility_faults() == []
    tab.complaints.clear()  # The browser notes the refusal's status.
    await tab.page.fill("[name=total_assets]", "100,000.00")
    await tab.press("Take it in")
    assert "Taken in: it counts until the day it bears" in await tab.text("[role=status]")
    assert "total assets €100,000.00" in await tab.text("[aria-labelledby=h-inputs]")
    (kept,) = (await desk.credit.get(f"/v1/customers/{customer}/vetting-inputs"))["items"]
    assert (kept["source"], kept["received_from"], kept["expires_on"]) == ("Annual report", "ben", "2027-06-30")


@needs_chromium
async def test_a_file_tells_which_lines_it_was_not_taken_of_and_an_applicant_has_the_form_too(desk: Desk) -> None:
    number = (await desk.credit.onboard())["external_id"]
    tab = await desk.tab("ben")
    await tab.go("/customers")
    await tab.page.click("text=A file of what was learned")
    lines = ["external_id,kind,source,dated_on,score", f"{number},credit_report,B,2026-03-01,72"]
    for bad in (f"{number},credit_report,B,2026-03-11,72", "nobody,credit_report,B,2026-03-01,72"):
        lines.append(bad)
    for body, said in (
        ("\n".join(lines).encode(), "line 3 dated_on 2026-03-11 has not come yet"),
        (b"\xff", "The file is not UTF-8"),
        (b"external_id,kind\n", "source, dated_on are not among them"),
    ):
        await tab.page.set_input_files("[name=file]", {"name": "x.csv", "mimeType": "text/csv", "buffer": body})
        await tab.press("Take it in")
        assert said in await tab.text()
    tab.complaints.clear()  # The browser notes the refusals' status.
    assert await desk.credit.database.pool.fetchval("select count(*) from vetting_input") == 1

    application = await vetting(desk.credit)
    await tab.go(f"/applications/{application}")
    await tab.page.click("text=Add what was learned")
    await tab.page.fill("[name=source]", "Bureau Ltd")
    await tab.page.fill("[name=dated_on]", "2026-03-01")
    await tab.page.fill("[name=score]", "72")
    await tab.press("Take it in")
    assert "score 72" in await tab.text("[aria-labelledby=h-vetting]")
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    reader = await desk.tab("rea", "customers:read credit:read")
    for path in (f"/applications/{application}/inputs?kind=foundation", "/vetting-imports"):
        answer = await reader.page.request.post(desk.url + path, form={"founded_on": "1999-01-01"}, headers=same)
        assert answer.status == 403, path
