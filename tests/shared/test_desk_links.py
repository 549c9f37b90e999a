"""Where an account's page leads to at the other services."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.http.desks import Account, same_account
from shared.settings import ServiceSettings

ID = UUID(int=7)
SETTINGS = ServiceSettings.model_construct(
    invoice_url="http://inv", reminder_url="http://rem", credit_url="http://cre", reporting_url="http://rep"
)
EVERYTHING = {"invoices:read", "reminders:read", "customers:read", "credit:read", "reports:read"}
PLACES = {
    "invoice": ("Invoices", f"http://inv/invoices?customer={ID}"),
    "reminder": ("Collecting", f"http://rem/accounts/{ID}"),
    "credit": ("Credit", f"http://cre/customers/{ID}"),
    "reporting": ("Figures", f"http://rep/customers/{ID}"),
}


@pytest.mark.parametrize("here", PLACES)
def test_an_account_leads_to_itself_at_every_service_but_this_one(here: str) -> None:
    others = [place for service, place in PLACES.items() if service != here]
    assert same_account(Account(ID), here, EVERYTHING, SETTINGS) == others


@pytest.mark.parametrize(
    ("scopes", "labels"),
    [
        (set(), []),
        ({"invoices:read"}, ["Invoices"]),
        ({"credit:read", "reports:read"}, ["Figures"]),  # A credit file asks for both of its scopes.
        ({"credit:read", "customers:read"}, ["Credit"]),
    ],
)
def test_only_what_the_reader_may_look_at_is_led_to(scopes: set[str], labels: list[str]) -> None:
    assert [label for label, _ in same_account(Account(ID), "reminder", scopes, SETTINGS)] == labels


def test_collecting_opens_the_account_of_the_same_selling_entity() -> None:
    places = dict(same_account(Account(ID, "branch/north"), "invoice", EVERYTHING, SETTINGS))
    assert places["Collecting"] == f"http://rem/accounts/{ID}?entity_id=branch%2Fnorth"
