"""From a reminder's pay link to the closed case: a customer pays in a browser, through every service on its way."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import sync_playwright

from deploy.local.embedded import free_port
from tests.system.stand import Stand, running_stack

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
WEBHOOK_SECRET = "whsec_of_the_test"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.1)
    return found


@pytest.fixture
def provider() -> Iterator[str]:
    """A payment provider on a port of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.invoice.stripe_next_door", str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None
        try:
            return bool(httpx.get(url).status_code)
        except httpx.TransportError:
            return False

    try:
        until(answers)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def stand(tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setenv("STRIPE_URL", provider)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_the_test")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
    with running_stack(tmp_path / "local") as running:
        yield running


def send(stand: Stand, method: str, service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {stand.target.token}", "idempotency-key": str(uuid4())}
    answer = httpx.request(method, stand.layout.url(service) + path, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json() if answer.content else {}


def test_a_customer_pays_through_the_link_and_the_reminder_case_closes(stand: Stand, provider: str) -> None:
    for service in ("reporting", "reminder", "credit", "invoice"):
        send(stand, "PUT", service, "/simulation/clock", {"now": "2024-03-01T07:00:00Z"})
    customer = send(
        stand,
        "POST",
        "credit",
        "/v1/customers",
        {
            "external_id": "C-1",
            "name": "Corner Bakery",
            "country": "GB",
            "currency": "GBP",
            "contacts": [{"role": "billing", "name": "Ada Lang", "email": "ap@bakery.example"}],
        },
    )["id"]
    invoice = send(
        stand,
        "POST",
        "invoice",
        "/v1/invoices",
        {
            "customer_id": customer,
            "issue_date": "2024-01-10",
            "due_date": "2024-02-09",
            "lines": [{"description": "Flour", "unit_price": {"amount": "84.00", "currency": "GBP"}}],
        },
    )
    case = f"/v1/cases/{customer}"
    until(lambda: _case(stand, case) == "open")
    send_hook = httpx.post(
        f"{provider}/_config/webhooks/dueward",
        json={"url": f"{stand.layout.url('invoice')}/webhooks/stripe", "secret": WEBHOOK_SECRET},
    )
    assert send_hook.status_code == 200
    link = stand.get("invoice", f"/v1/customers/{customer}/balance")["pay_link"]

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(link)
        assert "£84.00" in page.inner_text("body")
        page.get_by_role("button", name="Pay by card or bank debit").click()
        page.get_by_label("Card number").fill("4242 4242 4242 4242")
        page.get_by_role("button", name="Pay").click()
        page.wait_for_url("**/pay/**")
        browser.close()

    until(lambda: _case(stand, case) == "closed")
    assert stand.get("invoice", f"/v1/invoices/{invoice['id']}")["status"] == "settled"
    told = [event["type"] for event in stand.pages("reporting", "/v1/events", customer_id=customer)]
    assert "dueward.payment.applied.v1" in told
    assert told.index("dueward.invoice.settled.v1") < told.index("dueward.case.closed.v1")


def _case(stand: Stand, path: str) -> str | None:
    try:
        return stand.get("reminder", path)["status"]
    except httpx.HTTPStatusError:
        return None
