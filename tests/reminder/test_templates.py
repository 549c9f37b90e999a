"""An installation says it in its own words: saved with versions, per entity, tried out and shown before use."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from services.reminder.wordings.rules import SHIPPED
from tests.reminder.desk import Desk
from tests.service_client import problem

VARIANT = {
    "language": "en",
    "tone": "friendly",
    "subject": "Knock, knock: {{ total }}",
    "preview": "{{ total }} is open.",
    "heading": "Hello again",
    "opening": "It is {{ seller }} writing about {{ count }} {{ 'invoice' if one else 'invoices' }}.",
    "request": "Please pay {{ total }} by {{ in_7_days }}.",
    "closing": "Thank you.",
    "sms": "{{ seller }}: {{ total }} {{ pay_link }}",
}


async def save(desk: Desk, name: str, *variants: dict[str, str], version: int = 0, **query: Any) -> Response:
    headers = {"if-match": f'"{version}"'} if version else {"if-none-match": "*"}
    occasion = query.pop("occasion", None)
    body = {"variants": variants} | ({"occasion": occasion} if occasion else {})
    return await desk.http.put(f"/v1/templates/{name}", json=body, headers=headers, params=query)


async def test_the_shipped_templates_are_there_in_four_languages(desk: Desk) -> None:
    listed = (await desk.get("/v1/templates"))["items"]
    assert [template["name"] for template in listed] == list(SHIPPED)
    first = await desk.get("/v1/templates/first-reminder")
    assert (first["version"], first["occasion"]) == (0, "overdue")
    assert {variant["language"] for variant in first["variants"]} == {"en", "de", "fr", "es"}
    assert {variant["source"] for variant in first["variants"]} == {"shipped"}
    assert "total" in first["names"]
    assert problem(await desk.http.get("/v1/templates/nonsense"), 404) == "template-not-found"


async def test_changed_words_go_out_and_the_other_languages_stay(desk: Desk) -> None:
    assert (await save(desk, "first-reminder", VARIANT)).status_code == 201
    english, german = await desk.onboard(), await desk.onboard(language="de")
    for number, customer in enumerate((english, german)):
        await desk.issue(customer, date(2026, 2, 1), f"R-{number}")
    await desk.until(date(2026, 2, 3))
    assert len(desk.mails()) == 4  # Each customer's note before due, and its first reminder.
    said = [message["Subject"] for message in desk.mails()]
    assert "Knock, knock: 100,00 €" in said
    assert any(subject.startswith("Zahlungserinnerung") for subject in said)


async def test_an_entitys_own_words_go_before_the_installations(desk: Desk) -> None:
    await save(desk, "first-reminder", VARIANT)
    own = {**VARIANT, "subject": "From the south: {{ total }}"}
    await save(desk, "first-reminder", own, entity_id="south")
    common = await desk.get("/v1/templates/first-reminder")
    south = await desk.get("/v1/templates/first-reminder", entity_id="south")
    assert [v["subject"] for v in common["variants"] if v["source"] == "installation"] == [VARIANT["subject"]]
    assert [v["subject"] for v in south["variants"] if v["source"] == "entity"] == ["From the south: {{ total }}"]
    customer = await desk.onboard()
    for entity, number in (("default", "R-1"), ("south", "S-1")):
        await desk.issue(customer, date(2026, 2, 1), number, entity_id=entity)
    await desk.until(date(2026, 2, 6))
    said = [message["Subject"] for message in desk.mails()]
    assert "Knock, knock: 100,00 €" in said
    assert "From the south: 100,00 €" in said


async def test_versions_are_kept_and_a_stale_writer_is_told(desk: Desk) -> None:
    assert (await save(desk, "first-reminder", VARIANT)).headers["etag"] == '"1"'
    again = await save(desk, "first-reminder", VARIANT, version=1)
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    assert problem(await save(desk, "first-reminder", VARIANT), 412) == "stale-version"
    other = {**VARIANT, "heading": "Good morning"}
    assert (await save(desk, "first-reminder", other, version=1)).headers["etag"] == '"2"'
    assert problem(await save(desk, "first-reminder", VARIANT, version=1), 412) == "stale-version"
    earlier = await desk.get("/v1/templates/first-reminder", version=1)
    assert "Hello again" in {variant["heading"] for variant in earlier["variants"]}
    assert problem(await desk.http.put("/v1/templates/first-reminder", json={"variants": []}), 428)
    back = await save(desk, "first-reminder", version=2)
    assert {variant["source"] for variant in back.json()["variants"]} == {"shipped"}


async def test_what_cannot_be_written_is_refused_with_variant_part_and_line(desk: Desk) -> None:
    broken = {**VARIANT, "opening": "Hello\n{{ persom }}", "closing": "{{ person }}", "sms": "x" * 400}
    refused = await save(desk, "first-reminder", VARIANT, {**broken, "tone": "firm"})
    assert problem(refused, 422) == "invalid-template"
    errors = {(error["pointer"], error["line"]) for error in refused.json()["errors"]}
    assert errors == {("#/variants/1/opening", 2), ("#/variants/1/closing", 1), ("#/variants/1/sms", 1)}
    assert (await desk.get("/v1/templates/first-reminder"))["version"] == 0


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ 'a' * 999999999 }}",
        "{% for a in range(999999999) %}a{% endfor %}",
        "{% include '/etc/passwd' %}",
    ],
)
async def test_injection_is_refused_at_saving_and_in_a_preview(desk: Desk, attack: str) -> None:
    bad = {**VARIANT, "closing": attack}
    assert problem(await save(desk, "first-reminder", bad), 422) == "invalid-template"
    shown = await desk.http.post("/v1/templates/first-reminder/preview", json={"variant": bad})
    assert problem(shown, 422) == "invalid-template"


async def test_a_new_template_says_what_it_is_about_and_can_be_used_by_name(desk: Desk) -> None:
    assert (await save(desk, "our-own", VARIANT, occasion="overdue")).status_code == 201
    assert (await desk.get("/v1/templates/our-own"))["occasion"] == "overdue"
    names = [template["name"] for template in (await desk.get("/v1/templates"))["items"]]
    assert names == [*SHIPPED, "our-own"]
    assert problem(await save(desk, "due-soon", VARIANT, occasion="overdue"), 409) == "template-occasion-differs"


async def test_a_preview_with_a_real_account_shows_what_it_owes_and_sends_nothing(desk: Desk) -> None:
    customer = await desk.onboard(language="de", country="DE")
    await desk.issue(customer, date(2026, 2, 1), "R-7", 123_456)
    await desk.until(date(2026, 2, 1))
    sent = len(desk.mails())
    desk.invoice_service.now = desk.invoice_service.now.replace(day=20)
    body = {"customer_id": str(customer.id), "tone": "friendly"}
    shown = (await desk.http.post("/v1/templates/first-reminder/preview", json=body)).json()
    assert shown["language"] == "de"
    assert shown["subject"] == "Zahlungserinnerung: Rechnung R-7 ist noch offen"
    assert "1.234,56\xa0€" in shown["text"]
    assert "R-7" in shown["html"]
    assert shown["sms"]["segments"] in (1, 2)
    assert shown["sms"]["encoding"] == "GSM-7"
    assert len(desk.mails()) == sent


async def test_a_preview_without_an_account_shows_a_made_up_one_for_every_template(desk: Desk) -> None:
    for name in SHIPPED:
        for language in ("en", "de", "fr", "es"):
            answer = await desk.http.post(f"/v1/templates/{name}/preview", json={"language": language})
            assert answer.status_code == 200, answer.text
            assert answer.json()["language"] == language
            assert answer.json()["subject"]


async def test_a_preview_says_why_there_is_none(desk: Desk) -> None:
    customer = await desk.onboard()
    path, body = "/v1/templates/first-reminder/preview", {"customer_id": str(customer.id)}
    assert problem(await desk.http.post(path, json=body), 409) == "nothing-to-preview"
    assert problem(await desk.http.post(path, json={"customer_id": str(uuid4())}), 404) == "customer-not-found"
    desk.invoice_service.down = True
    assert problem(await desk.http.post(path, json=body), 503) == "unavailable"
    assert problem(await desk.http.post("/v1/templates/nonsense/preview", json={}), 404) == "template-not-found"
