"""Every door of every service is guarded and described, and what the READMEs promise is really there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.http.idempotency import once_only
from shared.http.preconditions import if_match
from shared.http.routing import depends_on, scopes_of
from tests.service_client import settings_of

ROOT = Path(__file__).parents[2]
SERVICES = ("credit", "invoice", "reminder", "reporting")
ASKING = {"checks", "preview", "previews", "replay", "simulations", "trials", "what-ifs"}
"""What a POST may end with that changes nothing, and so needs no key."""
SIGNED = {
    ("invoice", "/v1/webhooks/deliveries"),
    ("invoice", "/webhooks/stripe"),
    ("reminder", "/callbacks/inbound-mail"),
    ("reminder", "/callbacks/mail"),
    ("reminder", "/callbacks/twilio"),
}
"""Doors without a token that are in the documents: each verifies a signature of its own."""

EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def apps(keys_folder: Path) -> dict[str, FastAPI]:
    def app(service: str) -> FastAPI:
        settings = import_module(f"services.{service}.settings").Settings
        return import_module(f"services.{service}.app").create_api(settings_of(settings, keys_folder))

    return {service: app(service) for service in SERVICES}


@pytest.fixture(scope="module")
def documents(apps: dict[str, FastAPI]) -> dict[str, dict[str, Any]]:
    return {service: app.openapi() for service, app in apps.items()}


def doors(app: FastAPI) -> list[tuple[str, APIRoute]]:
    return [(m, route) for route in app.routes if isinstance(route, APIRoute) for m in sorted(route.methods or ())]


@EACH_SERVICE
def test_every_door_has_a_scope_or_verifies_a_signature(service: str, apps: dict[str, FastAPI]) -> None:
    described = [route for _, route in doors(apps[service]) if route.include_in_schema]
    open_to_all = {(service, route.path) for route in described if not scopes_of(route)}
    assert open_to_all == {door for door in SIGNED if door[0] == service}


@EACH_SERVICE
def test_what_changes_something_takes_a_key_or_the_version_that_was_seen(
    service: str, apps: dict[str, FastAPI]
) -> None:
    for method, route in doors(apps[service]):
        if not route.path.startswith("/v1/") or (service, route.path) in SIGNED:
            continue
        takes_key, takes_version = (depends_on(route.dependant, each) for each in (once_only, if_match))
        asks = route.path.rpartition("/")[2] in ASKING
        assert takes_key == (method == "POST" and not asks), f"{method} {route.path}"
        assert takes_version == (method in ("PUT", "PATCH", "DELETE")), f"{method} {route.path}"


@EACH_SERVICE
def test_the_document_says_what_each_operation_does_and_what_it_answers(
    service: str, documents: dict[str, dict[str, Any]]
) -> None:
    document = documents[service]
    names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            shows_one = method == "get" and path.endswith("}")
            assert shows_one or operation.get("description"), f"{method} {path} has no docstring"
            assert set(operation["responses"]) - {"default"}, f"{method} {path}"
            problem = operation["responses"]["default"]["content"]
            assert set(problem) == {"application/problem+json"}, f"{method} {path}"


@EACH_SERVICE
def test_every_schema_that_the_document_points_at_is_in_it(service: str, documents: dict[str, dict[str, Any]]) -> None:
    document = documents[service]
    schemas = document["components"]["schemas"]
    assert {name.removeprefix("#/components/schemas/") for name in references(document)} <= schemas.keys()


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


# What READMEs name. A row of a table of doors says the first path in full and may go on from it: `/{id}`, `.../end`.

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Named:
    """A door as a README names it: its methods (none: any), and its path in full or how it ends."""

    where: str
    methods: tuple[str, ...]
    path: str
    after: str | None = None
    """The collection, such as `/v1/cases`, that a path belongs to of which only the end is written."""

    def is_one_of(self, known: set[tuple[str, str]]) -> bool:
        def fits(path: str) -> bool:
            if self.after is None:
                return path == self.path
            return path.startswith(self.after) and path.endswith(self.path)

        found = {method for method, path in known if fits(path)}
        return set(self.methods) <= found if self.methods else bool(found)


def plain(path: str) -> str:
    """Without the query, and with parameters of any name."""
    return re.sub(r"\{[^}|]*\}", "{}", path.partition("?")[0])


def alternatives(path: str) -> list[str]:
    """`/v1/tasks/{id}/{approvals|refusals}` is two."""
    if choice := re.search(r"\{([^}]*\|[^}]*)\}", path):
        before, after = path[: choice.start()], path[choice.end() :]
        return [each for part in choice[1].split("|") for each in alternatives(before + part + after)]
    return [path]


def spans_of(row: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The methods and the path of each code span in the first cell of a row; either may be missing."""
    cell = row.replace("\\|", "\0").split("|")[1].replace("\0", "|")
    for span in SPAN.findall(cell):
        head, _, path = span.rpartition(" ") if "/" in span else (span, "", "")
        methods = tuple(head.replace("|", " ").split())
        if set(methods) <= METHODS and path[:1] in ("", "/", "."):
            yield methods, path.partition("?")[0]


def doors_of(row: str) -> list[tuple[tuple[str, ...], str]]:
    """A method that stands alone belongs to the next path if that has another, else to the path before it."""
    found: list[tuple[tuple[str, ...], str]] = []
    alone: tuple[str, ...] = ()
    for methods, path in spans_of(row):
        if not path:
            alone += methods
        elif methods or not found:
            found.append((alone + methods, path))
            alone = ()
        else:
            found[-1] = (found[-1][0] + alone, found[-1][1])
            found.append(((), path))
            alone = ()
    return found


def named_in(readme: Path) -> Iterator[Named]:
    for number, row in enumerate(readme.read_text().splitlines(), 1):
        collection = page = ""
        for methods, written in doors_of(row) if row.startswith("|") else ():
            for path in map(plain, alternatives(written)):
                if path.startswith("/v1/"):
                    collection = resource(path)
                elif not collection and path.startswith("/"):
                    page = "/" + path.split("/")[1]
                goes_on = path.startswith("...") or (collection and not path.startswith("/v1/"))
                after = (collection or page) if goes_on else None
                yield Named(f"line {number}: {written}", methods, path.removeprefix("..."), after)


@EACH_SERVICE
def test_the_doors_that_a_readme_names_exist(service: str, apps: dict[str, FastAPI]) -> None:
    known = {(method, plain(route.path)) for method, route in doors(apps[service])}
    named = list(named_in(ROOT / "services" / service / "README.md"))
    assert len(named) > 5
    assert [each for each in named if not each.is_one_of(known)] == []


@EACH_SERVICE
def test_a_readme_names_every_resource_of_its_service(service: str, apps: dict[str, FastAPI]) -> None:
    for_operators = {"/v1/parked-events", "/v1/replays"}  # The same everywhere: docs/operations.md.
    resources = {resource(route.path) for _, route in doors(apps[service]) if route.path.startswith("/v1/")}
    named = {resource(each.path) for each in named_in(ROOT / "services" / service / "README.md")}
    assert resources - for_operators - named == set()


def resource(path: str) -> str:
    """`/v1/cases` of `/v1/cases/{customer_id}/notes`."""
    return "/".join(path.split("/")[:3]).partition(".")[0]
