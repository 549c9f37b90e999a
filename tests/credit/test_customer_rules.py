from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.credit.customers import rules
from services.credit.customers.rules import Address, Contact, Customer, Particulars
from shared.calendar import known_time_zone
from shared.events.credit import (
    CustomerEvent,
    CustomerOnboarded,
    CustomerSegmentChanged,
    CustomerTermsChanged,
    CustomerUpdated,
    PaymentTerms,
)

TODAY = date(2026, 3, 2)
ID = UUID("01900000-0000-7000-8000-000000000001")
ACME = Particulars(
    name="Acme GmbH",
    country="DE",
    language="de",
    time_zone="Europe/Berlin",
    currency="EUR",
    segment="standard",
    net_days=30,
    contacts=(Contact("billing", "Ada Lang", "ap@acme.example"),),
    address=Address(("Hafenstr. 1",), "Hamburg", "20457"),
)


def customer() -> Customer:
    return Customer(id=ID, version=1, external_id="C-1", status="active", particulars=ACME)


def test_a_new_customer_starts_at_version_1_and_is_announced_with_where_to_write() -> None:
    outcome = rules.onboard(ID, "C-1", ACME, TODAY)

    assert outcome.customer == customer()
    [event] = outcome.events
    assert isinstance(event, CustomerOnboarded)
    assert (event.subject, event.version, event.effective_on) == (ID, 1, TODAY)
    assert event.customer.contacts[0].email == "ap@acme.example"
    assert event.customer.payment_terms == PaymentTerms(net_days=30)


def test_what_a_document_must_bear_travels_with_the_customer() -> None:
    about = replace(ACME, vat_id="DE136695976", buyer_reference="04011000-12345-34", requires=("purchase_order",))
    [event] = rules.onboard(ID, "C-1", about, TODAY).events

    assert event.customer.address is not None
    assert event.customer.address.lines == ACME.address.lines if ACME.address else False
    assert (event.customer.vat_id, event.customer.buyer_reference) == ("DE136695976", "04011000-12345-34")
    assert event.customer.requires == ("purchase_order",)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("de 136 695 976", "DE136695976"), ("EL094259216", "EL094259216"), ("ATU13585627", "ATU13585627")],
)
def test_a_vat_number_is_kept_without_blanks(text: str, kept: str) -> None:
    assert rules.known_vat_id(text) == kept


@pytest.mark.parametrize("text", ["DE136695977", "136695976", "DE1", "EL094259217", "?"])
def test_a_vat_number_that_cannot_be_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="VAT number"):
        rules.known_vat_id(text)


def test_sending_what_is_already_so_changes_nothing() -> None:
    outcome = rules.change(customer(), {"name": "Acme GmbH", "net_days": 30, "segment": "standard"}, TODAY)

    assert outcome.customer == customer()
    assert outcome.events == ()


def test_a_new_name_is_an_update_that_says_what_changed() -> None:
    outcome = rules.change(customer(), {"name": "Acme AG", "language": "en"}, TODAY)

    [event] = outcome.events
    assert isinstance(event, CustomerUpdated)
    assert event.changed == ("name", "language")
    assert event.customer.name == "Acme AG"
    assert event.version == outcome.customer.version == 2


def test_new_terms_tell_the_previous_ones() -> None:
    [event] = rules.change(customer(), {"net_days": 14}, TODAY).events

    assert isinstance(event, CustomerTermsChanged)
    assert event.previous_terms.net_days == 30
    assert event.customer.payment_terms.net_days == 14


def test_three_kinds_of_change_are_three_events_each_with_a_version_and_the_state_of_its_own() -> None:
    outcome = rules.change(customer(), {"segment": "key", "net_days": 60, "name": "Acme AG"}, TODAY)

    assert [type(event) for event in outcome.events] == [CustomerUpdated, CustomerTermsChanged, CustomerSegmentChanged]
    assert [event.version for event in outcome.events] == [2, 3, 4]
    seen = [(e.customer.name, e.customer.payment_terms.net_days, e.customer.segment) for e in outcome.events]
    assert seen == [("Acme AG", 30, "standard"), ("Acme AG", 60, "standard"), ("Acme AG", 60, "key")]
    assert outcome.customer.version == 4


@pytest.mark.parametrize(
    ("wanted", "moves"),
    [
        ({"segment": "key"}, True),
        ({"currency": "USD"}, True),
        ({"name": "Acme AG"}, False),
        ({"net_days": 60}, False),
        ({"segment": "standard"}, False),
    ],
)
def test_the_limit_is_looked_at_again_only_for_another_segment_or_currency(wanted: dict, moves: bool) -> None:
    assert rules.change(customer(), wanted, TODAY).moved_limit is moves


def test_removing_the_address_is_a_change() -> None:
    outcome = rules.change(customer(), {"address": None}, TODAY)

    assert outcome.customer.particulars == replace(ACME, address=None)
    assert [event.changed for event in outcome.events if isinstance(event, CustomerUpdated)] == [("address",)]


def test_every_event_carries_the_whole_customer() -> None:
    events: tuple[CustomerEvent, ...] = rules.change(customer(), {"net_days": 7}, TODAY).events

    assert events[0].customer.external_id == "C-1"
    assert events[0].customer.contacts[0].name == "Ada Lang"


@pytest.mark.parametrize("code", ["DE", "US", "GB", "XK", "TW"])
def test_countries_of_iso_3166_are_known(code: str) -> None:
    assert rules.known_country(code) == code


@pytest.mark.parametrize("code", ["ZZ", "EU", "UK", "de", "DEU", "", "D", "1A", "XX"])
def test_other_country_codes_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="unknown country"):
        rules.known_country(code)


@pytest.mark.parametrize("code", ["de", "en", "pt-BR", "en-GB", "fil", "zh"])
def test_languages_may_name_a_country(code: str) -> None:
    assert rules.known_language(code) == code


@pytest.mark.parametrize("code", ["zz", "german", "DE", "de_DE", "de-ZZ", "", "de-", "e", "../x"])
def test_other_language_codes_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="unknown language"):
        rules.known_language(code)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/New_York", "Asia/Kolkata"])
def test_time_zones_are_those_of_iana(name: str) -> None:
    assert known_time_zone(name) == name


@pytest.mark.parametrize(
    "name", ["Europe/Atlantis", "CEST", "+01:00", "", "localtime", "../../etc/passwd", "europe/berlin"]
)
def test_other_time_zones_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        known_time_zone(name)


@pytest.mark.parametrize(
    "address",
    [
        "ap@example.com",
        "a.b+c@sub.example.co.uk",
        "o'neill@example.com",
        "müller@bücher.example",
        "x@xn--bcher-kva.example",
    ],
)
def test_plausible_addresses_pass(address: str) -> None:
    assert rules.plausible_email(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "", "ap", "ap@", "@example.com", "ap@example", "ap@@example.com", "a b@example.com", "ap@exa mple.com",
        "ap@example.com, b@example.com", "ap@example.com\nBcc: x@example.com", ".ap@example.com", "ap.@example.com",
        "a..p@example.com", "ap@-example.com", "ap@example-.com", "ap@example..com", "ap@example.com.", "ap@127.0.0.1",
        "Ada <ap@example.com>", "a" * 65 + "@example.com",
    ],
)  # fmt: skip
def test_what_no_mail_server_would_take_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        rules.plausible_email(address)


@pytest.mark.parametrize("text", ["a\r\nBcc: b", "a\nb", "a\0", "a\u2028b", "a\x7f"])
def test_text_has_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        rules.one_line(text)


@pytest.mark.parametrize("text", ["Société\u00a0Générale", "株式会社", "O'Neill & Sons (Ltd.)", "نمی‌خواهم"])
def test_names_of_the_world_pass(text: str) -> None:
    assert rules.one_line(text) == text
