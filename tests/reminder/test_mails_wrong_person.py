"""Whoever gets a reminder that is for somebody else can say so, and is left alone from then on."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

import httpx
import pytest

from services.reminder.links.rules import contact_token, key_of, read_contact_token
from services.reminder.wordings.rules import LANGUAGES
from services.reminder.wrong_persons.rules import masked, words_in
from tests.reminder.books import Customer
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)


async def reminded(desk: Desk, **customer: str) -> tuple[Customer, str]:
    """A customer who got a message, and the path of the link in it."""
    made = await desk.onboard(**customer)
    await desk.issue(made, DUE)
    await desk.until(date(2026, 2, 2))
    text = desk.mails()[-1].get_body(("plain",))
    assert text is not None
    link = re.search(r"http://127\.0\.0\.1:8002(/contact/[\w-]+)", text.get_content().replace("=\n", ""))
    assert link is not None
    return made, link[1]


def stranger(desk: Desk) -> httpx.AsyncClient:
    """A browser without any token of ours."""
    desk.http.headers.pop("authorization")
    return desk.http


async def test_looking_at_the_page_changes_nothing_and_gives_little_away(desk: Desk) -> None:
    customer, path = await reminded(desk)
    page = await desk.http.get(path)
    assert page.status_code == 200
    assert "a…@acme.example" in page.text
    for secret in ("ada@acme.example", "Acme GmbH", "R-1", str(customer.id)):
        assert secret not in page.text
    assert page.headers["cache-control"] == "no-store"
    await desk.until(date(2026, 2, 9))
    assert (await desk.sent())[-1][1] == "second-reminder"


async def test_nothing_more_goes_to_the_wrong_person_and_somebody_looks_for_the_right_one(desk: Desk) -> None:
    customer, path = await reminded(desk)
    sent = len(desk.mails())
    told = {"right_name": "Bob Müller", "right_email": "bob@acme.example", "note": "He does the books."}
    done = await desk.http.post(path, data=told)
    assert done.status_code == 200
    assert "Thank you" in done.text
    await desk.until(date(2026, 3, 1))
    assert len(desk.mails()) == sent
    (task,) = (await desk.get("/v1/tasks", customer_id=customer.id, kind="unreachable"))["items"]
    for part in ("ada@acme.example", "Bob Müller", "bob@acme.example", "He does the books."):
        assert part in task["detail"]
    (listed,) = (await desk.get("/v1/wrong-persons", customer_id=customer.id))["items"]
    assert (listed["address"], listed["right_email"]) == ("ada@acme.example", "bob@acme.example")
    assert "bob@acme.example" not in {m["To"].addresses[0].addr_spec for m in desk.mails()}


async def test_with_the_right_person_the_case_goes_on(desk: Desk) -> None:
    customer, path = await reminded(desk)
    await desk.http.post(path, data={})
    right = customer.state.contacts[0].model_copy(update={"name": "Bob", "email": "bob@acme.example"})
    await desk.hear(customer.change(contacts=(right,)))
    await desk.until(date(2026, 2, 12))
    assert desk.mails()[-1]["To"].addresses[0].addr_spec == "bob@acme.example"


async def test_said_twice_it_counts_once_and_the_first_word_stands(desk: Desk) -> None:
    customer, path = await reminded(desk)
    await desk.http.post(path, data={"right_name": "Bob"})
    again = await desk.http.post(path, data={"right_name": "Eve"})
    assert again.status_code == 200
    assert [t["right_name"] for t in (await desk.get("/v1/wrong-persons", customer_id=customer.id))["items"]] == ["Bob"]
    assert (await desk.types()).count("reminder.bounced") == 1
    assert "Thank you" in (await desk.http.get(path)).text


async def test_what_is_no_address_is_asked_for_again_with_what_was_written(desk: Desk) -> None:
    customer, path = await reminded(desk)
    answer = await desk.http.post(path, data={"right_name": "<b>Bob</b>", "right_email": "bob at acme"})
    assert answer.status_code == 422
    assert "This is no e-mail address" in answer.text
    assert "&lt;b&gt;Bob&lt;/b&gt;" in answer.text
    assert (await desk.get("/v1/wrong-persons", customer_id=customer.id))["items"] == []


async def test_a_link_that_was_not_made_here_leads_nowhere(desk: Desk) -> None:
    _, path = await reminded(desk)
    http = stranger(desk)
    key = desk.resources.stationery.key
    assert key is not None
    strange = [
        path[:-1],
        path[:-2] + ("AA" if path[-2:] != "AA" else "BB"),
        "/contact/x",
        "/contact/" + contact_token(key_of("another installation"), UUID(int=9)),
        "/contact/" + contact_token(key, UUID(int=9)),
    ]
    for each in strange:
        for answer in (await http.get(each), await http.post(each, data={})):
            assert answer.status_code == 404, each
            assert "does not work" in answer.text
    german = await http.get(strange[0], headers={"accept-language": "de-DE"})
    assert "Dieser Link funktioniert nicht" in german.text


@pytest.mark.parametrize(("language", "said"), [("de", "Ich bin nicht zuständig"), ("fr", "bonne personne")])
async def test_the_page_speaks_the_customers_language(desk: Desk, language: str, said: str) -> None:
    _, path = await reminded(desk, language=language)
    page = (await desk.http.get(path)).text
    assert said in page
    assert f'<html lang="{language}">' in page


def test_every_word_of_the_page_is_there_in_each_language() -> None:
    for language in LANGUAGES:
        assert all(words_in(language, address="a…@b.example").values())


def test_an_address_is_shown_so_that_only_its_owner_knows_it() -> None:
    assert masked("ada@acme.example") == "a…@acme.example"


def test_a_token_stands_for_one_message() -> None:
    key = key_of("secret")
    assert read_contact_token(key, contact_token(key, UUID(int=7))) == UUID(int=7)
    assert contact_token(key, UUID(int=7)) != contact_token(key_of("other"), UUID(int=7))
