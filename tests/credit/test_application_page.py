"""The applicant's page: filled in step by step with the link alone, and nothing at all without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from playwright.async_api import async_playwright

from services.credit.application_links import rules as links
from services.credit.application_links.rules import ApplicationLink, ApplicationLinkUnusable
from services.credit.application_page import rules
from services.credit.application_words.rules import WORDS
from services.credit.applications.rules import VERSIONS_MAX
from services.credit.tongues.rules import LANGUAGES, tongue
from shared.db import Database
from tests.browser import ARGUMENTS, CHROMIUM, Tab, needs_chromium, serving
from tests.credit.applications import apply, approved, step
from tests.credit.client import Credit
from tests.credit.onboarding import onboarding, onboarding_app

COMPANY = {
    "language": "fr",
    "legal_name": "Vent du Nord SARL",
    "legal_form": "SARL",
    "founded_year": "2001",
    "country": "FR",
    "lines": "12 rue du Port\nBât. B",
    "postal_code": "29200",
    "city": "Brest",
}
STEPS: Mapping[str, dict[str, str]] = {
    "company": COMPANY,
    "numbers": {"kind_0": "fr_siren", "value_0": "732 829 320", "kind_2": "vat", "value_2": "FR 40 303 265 045"},
    "people": {
        "billing_name": "Anne",
        "billing_email": "anne@ventdunord.example",
        "approver_name": "Luc",
        "approver_email": "luc@ventdunord.example",
        "escalation_name": "Zoé",
        "escalation_phone": "+33 2 98 00 00 00",
    },
    "invoices": {"channel": "email", "e_invoice": "factur_x"},
    "bank": {"holder": "Vent du Nord", "iban": "FR14 2004 1010 0505 0001 3M02 606"},
    "wishes": {"currency": "EUR", "wanted_limit": "25 000,00", "wanted_net_days": "45", "parent_name": "Grand Vent SA"},
}


@pytest.fixture
async def desk(credit_database: Database, keys_folder: Path, token: Callable[..., str]) -> AsyncIterator[Credit]:
    async with onboarding(credit_database, keys_folder, token()) as credit:
        yield credit


@pytest.fixture
async def visitor(credit_database: Database, keys_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of somebody who is not signed in."""
    async with onboarding_app(credit_database, keys_folder) as app:
        headers = {"accept": "text/html", "accept-language": "es"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://credit", headers=headers
        ) as client:
            yield client


async def empty(desk: Credit) -> str:
    answer = await desk.post("/v1/applications", {})
    return answer.json()["id"]


async def link_to(desk: Credit, application_id: str) -> str:
    url = (await step(desk, application_id, "links", None, 201))["url"]
    return "/apply/" + url.rpartition("/")[2]


async def test_step_by_step_it_becomes_complete_and_is_submitted(desk: Credit, visitor: httpx.AsyncClient) -> None:
    application_id = await empty(desk)
    home = await link_to(desk, application_id)
    assert "Abrir una cuenta" in (await visitor.get(home)).text
    for name, fields in STEPS.items():
        assert (await visitor.post(f"{home}/submission")).status_code == 303
        answer = await visitor.post(f"{home}/steps/{name}", data=fields)
        assert answer.status_code == 303, answer.text
    page = (await visitor.get(home)).text
    assert "Envoyer la demande" in page
    assert "il manque" not in page

    await visitor.post(f"{home}/submission")
    await visitor.post(f"{home}/submission")

    application = await desk.get(f"/v1/applications/{application_id}")
    assert (application["status"], application["submitted_by"]) == ("submitted", "the applicant")
    form = application["form"]
    assert form["wanted_limit"] == {"amount": "25000.00", "currency": "EUR"}
    assert form["address"]["lines"] == ["12 rue du Port", "Bât. B"]
    assert [each["value"] for each in form["identifiers"]] == ["732829320", "FR40303265045"]
    assert "Nous examinons votre demande" in (await visitor.get(home)).text
    assert (await visitor.post(f"{home}/steps/bank", data={})).headers["location"].endswith("said=not_saved")


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("company", {**COMPANY, "founded_year": "2999"}, "founded_year"),
        ("company", {**COMPANY, "founded_year": "soon"}, "founded_year"),
        ("company", {**COMPANY, "city": ""}, "city"),
        ("numbers", {"kind_1": "vat", "value_1": "FR 40 303 265 046"}, "value_1"),
        ("numbers", {"kind_0": "", "value_0": "777"}, "kind_0"),
        ("people", {"approver_name": "Luc", "approver_email": "luc"}, "approver_email"),
        ("people", {"escalation_phone": "+33 2 98 00 00 00"}, "escalation_name"),
        ("bank", {"iban": "FR14 2004 1010 0505 0001 3M02 607"}, "iban"),
        ("bank", {"bic": "XX"}, "bic"),
        ("wishes", {"currency": "EUR", "wanted_limit": "much"}, "wanted_limit"),
        ("wishes", {"currency": "EUR", "wanted_limit": "-1"}, "wanted_limit"),
        ("wishes", {"currency": "EUR", "wanted_net_days": "366"}, "wanted_net_days"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_written_stays(
    desk: Credit, visitor: httpx.AsyncClient, name: str, fields: dict[str, str], field: str
) -> None:
    application_id = await empty(desk)
    answer = await visitor.post(f"{await link_to(desk, application_id)}/steps/{name}", data=fields)
    assert answer.status_code == 422
    assert answer.text.count('class="why"') == 1
    assert f'id="why_{field}"' in answer.text
    assert all(value in answer.text for value in fields.values() if value and "\n" not in value)
    assert (await desk.get(f"/v1/applications/{application_id}"))["version"] == 2  # The link's alone.


async def test_who_else_is_known_at_the_company_stays_when_the_page_is_saved(
    desk: Credit, visitor: httpx.AsyncClient
) -> None:
    second = {"role": "billing", "name": "Second", "email": "b@x.example", "phone": None}
    first = {"role": "billing", "name": "First", "email": "a@x.example"}
    application = await apply(desk, contacts=[first, second])
    await visitor.post(f"{await link_to(desk, application['id'])}/steps/people", data=STEPS["people"])
    contacts = (await desk.get(f"/v1/applications/{application['id']}"))["form"]["contacts"]
    assert [each["name"] for each in contacts] == ["Anne", "Luc", "Zoé", "Second"]


async def test_forged_expired_and_recalled_links_all_see_the_same_nothing(
    desk: Credit, visitor: httpx.AsyncClient, credit_database: Database
) -> None:
    application = await apply(desk)
    home = await link_to(desk, application["id"])
    assert (await visitor.get(home)).status_code == 200
    forged = home[:-2] + ("AA" if not home.endswith("AA") else "BB")
    recalled = await link_to(desk, application["id"])
    assert (await desk.post(f"/v1/applications/{application['id']}/links/recall", None)).status_code == 204
    declined = await link_to(desk, (other := await apply(desk))["id"])
    await step(desk, other["id"], "withdrawal", {"reason": "Too dear"})
    said = set()
    for path in (forged, recalled, home, declined, "/apply/x", "/apply/" + "A" * 51):
        for answer in (
            await visitor.get(path),
            await visitor.get(f"{path}/terms.pdf"),
            await visitor.post(f"{path}/steps/bank", data={"iban": "x"}),
            await visitor.post(f"{path}/submission"),
            await visitor.post(f"{path}/acceptance", data={"name": "x", "accepts": "yes"}),
        ):
            assert answer.status_code == 404
            said.add(answer.text)
    assert len(said) == 1
    assert "Nordwind" not in said.pop()


async def test_a_link_works_to_the_end_of_its_last_day(
    credit_in_2012: Credit, keys_folder: Path, token: Callable[..., str]
) -> None:
    database = credit_in_2012.database
    async with (
        onboarding(database, keys_folder, token()) as desk,
        onboarding_app(database, keys_folder) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://credit") as visitor,
    ):
        home = await link_to(desk, (await apply(desk))["id"])
        for moment, status in (("2012-02-02 23:59Z", 200), ("2012-02-03 00:00Z", 404)):
            await database.pool.execute("update clock set now = $1::text::timestamptz", moment)
            assert (await visitor.get(home)).status_code == status


def test_a_token_says_what_it_was_made_of_and_any_other_key_or_bit_makes_it_nothing() -> None:
    key, link = links.key_of("secret"), ApplicationLink(uuid4(), 3, date(2026, 3, 2))
    token = links.token_of(key, link)
    assert links.read_token(key, token) == link
    for place in range(len(token) - 1):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(ApplicationLinkUnusable):
            links.read_token(key, other)
    for forged in ("", "ä", token + "AAAA", token[:-4]):
        with pytest.raises(ApplicationLinkUnusable):
            links.read_token(key, forged)
    with pytest.raises(ApplicationLinkUnusable):
        links.read_token(links.key_of("another"), token)


@pytest.mark.parametrize(
    ("generation", "days", "works"), [(0, 30, True), (0, 31, False), (1, 0, False), (None, 0, False)]
)
def test_a_link_is_usable_for_thirty_days_unless_recalled(generation: int | None, days: int, works: bool) -> None:
    today = date(2026, 3, 2)
    link = links.new_link(UUID(int=1), 0, today)
    if works:
        links.usable(link, generation, today + timedelta(days=days))
    else:
        with pytest.raises(ApplicationLinkUnusable):
            links.usable(link, generation, today + timedelta(days=days))


async def test_nobody_fills_the_database_through_a_link(
    desk: Credit, visitor: httpx.AsyncClient, credit_database: Database
) -> None:
    application = await apply(desk)
    home = await link_to(desk, application["id"])
    assert (await visitor.post(f"{home}/steps/bank", data={"holder": "x" * 20_000})).status_code == 413
    many = {f"field_{number}": "x" for number in range(100)}
    assert (await visitor.post(f"{home}/steps/bank", data=many)).status_code == 400
    await credit_database.pool.execute("update application set version = $1", VERSIONS_MAX)
    answer = await visitor.post(f"{home}/steps/bank", data=STEPS["bank"])
    assert answer.headers["location"].endswith("said=not_saved")


async def test_terms_are_accepted_on_the_page_by_name_and_only_those_that_were_shown(
    desk: Credit, visitor: httpx.AsyncClient
) -> None:
    application_id = await approved(desk, languages=["en"])
    home = await link_to(desk, application_id)
    assert "writing out the terms" in (await visitor.get(home)).text
    old = await step(desk, application_id, "terms", {}, 201)
    new = await step(desk, application_id, "terms", {"external_id": "K-9"}, 201)
    assert (await visitor.get(f"{home}/terms.pdf")).content.startswith(b"%PDF-")

    for fields, said in (
        ({"name": " ", "accepts": "yes", "sha256": new["sha256"]}, "accept_missing"),
        ({"name": "Paul", "sha256": new["sha256"]}, "accept_missing"),
        ({"name": "Paul", "accepts": "yes", "sha256": old["sha256"]}, "changed"),
    ):
        answer = await visitor.post(f"{home}/acceptance", data=fields)
        assert answer.headers["location"].endswith(f"said={said}")
    fields = {"name": "Paul  Ehlers", "accepts": "yes", "sha256": new["sha256"]}
    assert (await visitor.post(f"{home}/acceptance", data=fields)).status_code == 303
    again = await visitor.post(f"{home}/acceptance", data=fields)

    page = (await visitor.get(again.headers["location"])).text
    assert "Paul Ehlers accepted the terms" in page
    assert "K-9" in page
    assert 'role="alert"' not in page
    terms = await desk.get(f"/v1/applications/{application_id}/terms")
    assert (terms["accepted_by"], terms["accepted_through"]) == ("Paul Ehlers", "page")
    assert len((await desk.get("/v1/customers"))["items"]) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_words_for_all_it_says(language: str) -> None:
    t = tongue(language, None)
    form = rules.read_step("company", {}, rules.Form(), t).wanted
    assert form is not None
    assert all(step.missing for step in rules.steps(form, t))
    for key, said in WORDS.items():
        assert len(said) == 4, key
        blanks = {frozenset(part.split("}")[0] for part in text.split("{")[1:]) for text in said}
        assert len(blanks) == 1, key


@pytest.mark.parametrize(
    ("language", "written", "minor"),
    [
        ("de", "25.000,50", 2_500_050),
        ("de", "25000.50", 2_500_050),
        ("en", "25,000", 2_500_000),
        ("fr", "25000", 2_500_000),
    ],
)
def test_amounts_are_read_as_the_language_writes_them(language: str, written: str, minor: int) -> None:
    fields = {"currency": "EUR", "wanted_limit": written}
    read = rules.read_step("wishes", fields, rules.Form(), tongue(language, None))
    assert read.wanted is not None
    assert read.wanted.wanted_limit is not None
    assert read.wanted.wanted_limit.minor == minor


@needs_chromium
async def test_with_the_keyboard_alone_on_a_phone_a_step_is_corrected_and_the_terms_are_accepted(
    desk: Credit, keys_folder: Path, credit_database: Database
) -> None:
    application_id = await empty(desk)
    async with (
        onboarding_app(credit_database, keys_folder) as app,
        serving(app) as url,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        context = await browser.new_context(viewport={"width": 390, "height": 800}, locale="de-DE")
        tab = Tab(await context.new_page(), url)
        home = await link_to(desk, application_id)
        await tab.go(f"{home}/steps/bank")
        await tab.page.get_by_label("IBAN", exact=True).fill("DE02 1203 0000 0000 2020 52")
        await tab.press("Speichern und weiter")
        assert "Diese IBAN kann nicht stimmen" in await tab.text()
        assert await tab.overflow() == 0
        field = tab.page.get_by_label("IBAN", exact=True)
        assert await field.get_attribute("aria-invalid") == "true"
        await field.fill("DE02 1203 0000 0000 2020 51")
        await tab.press("Speichern und weiter")
        assert "Gespeichert." in await tab.text()
        assert "Limit und Zahlungsziel" in await tab.text("h2")

        other = await approved(desk, bank={"account": "1"})
        await step(desk, other, "terms", {}, 201)
        await tab.go(await link_to(desk, other))
        assert await tab.overflow() == 0
        await tab.page.get_by_label("Ihr Name").fill("Paul Ehlers")
        await tab.page.get_by_role("checkbox").press("Space")
        await tab.press("Konditionen annehmen")
        assert "Paul Ehlers hat die Konditionen" in await tab.text()
        await browser.close()
