"""Documents go with a mail, all of them or the mail waits; before due the discount is in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.reminder.enclosures.rules import DOCUMENT_BYTES_MAX
from tests.reminder.desk import Desk

LADDER = """
name: default
title: With documents
steps:
  - name: first
    days_from_due: 1
    channel: email
    tone: friendly
    template: first-reminder
    attachments: [invoices, statement]
"""


async def overdue(desk: Desk, **book: Any) -> None:
    answer = await desk.http.put("/v1/strategies/default", content=LADDER, headers={"if-match": '"1"'})
    assert answer.status_code == 200, answer.text
    customer = await desk.onboard()
    await desk.issue(customer, date(2026, 2, 1), "R/1")
    await desk.issue(customer, date(2026, 2, 1), "R/2")
    for name, value in book.items():
        setattr(desk.invoice_service, name, value)


async def test_the_invoices_and_the_statement_go_with_the_mail(desk: Desk) -> None:
    await overdue(desk, document=b"%PDF-1.7 of the test")
    await desk.until(date(2026, 2, 2))
    (mail,) = desk.mails()
    files = {part.get_filename(): part for part in mail.iter_attachments()}
    assert set(files) == {"R-1.pdf", "R-2.pdf", "statement-2026-02-02.pdf"}
    assert {part.get_content_type() for part in files.values()} == {"application/pdf"}
    assert files["R-1.pdf"].get_content() == b"%PDF-1.7 of the test"
    assert mail.get_body(("html",)) is not None


async def test_a_mail_waits_for_a_document_that_cannot_be_had_and_is_not_sent_without(desk: Desk) -> None:
    await overdue(desk, no_documents=True)
    await desk.until(date(2026, 2, 2), hour=10)
    assert desk.mails() == []
    (contact,) = await desk.contacts()
    assert contact["status"] == "planned"
    assert "documents to attach" in contact["reason"]
    desk.invoice_service.no_documents = False
    await desk.database.pool.execute("update contact set retry_at = null")
    await desk.tick()
    assert [len(list(mail.iter_attachments())) for mail in desk.mails()] == [3]


async def test_in_place_of_invoices_that_are_too_large_the_statement_would_go(desk: Desk) -> None:
    await overdue(desk, document=b"%PDF" + b"x" * DOCUMENT_BYTES_MAX)
    await desk.until(date(2026, 2, 2), hour=10)
    assert desk.mails() == []  # Here the statement is as large: nothing fits, and the mail waits.
    assert (await desk.contacts())[0]["status"] == "planned"
