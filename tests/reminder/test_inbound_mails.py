"""Mails that come in, read: what a person wrote, what a program did, what came back."""

from __future__ import annotations

from email.message import EmailMessage
from textwrap import dedent
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.inbound.rules import BYTES_MAX, Unreadable, read, written

CONTACT, CASE = UUID("018f0000-0000-7000-8000-000000000001"), UUID("018f0000-0000-7000-8000-000000000002")


def mail(body: str = "We pay on Friday.", **headers: str) -> bytes:
    given = {
        "From": "Ada Lang <Ada@Acme.example>",
        "To": "replies@northwind.example",
        "Subject": "Re: R-1",
        "Message-ID": f"<{uuid4()}@acme.example>",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "\r\n".join(f"{name}: {value}" for name, value in given.items() if value is not None)
    return f"{lines}\r\n\r\n{body}\r\n".encode()


def report(action: str = "failed", status: str = "5.1.1", *, kind: str = "delivery-status") -> bytes:
    """As in RFC 3464, appendix E."""
    return dedent(
        f"""\
        From: Mail Delivery Subsystem <MAILER-DAEMON@acme.example>
        To: receivables@northwind.example
        Subject: Returned mail
        Message-ID: <r1@acme.example>
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type={kind}; boundary="b"

        --b
        Content-Type: text/plain

        The mail could not be delivered.

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; acme.example

        Final-Recipient: rfc822; Ada@Acme.example
        Action: {action}
        Status: {status}
        Diagnostic-Code: smtp; 550 5.1.1 no such user

        --b
        Content-Type: message/rfc822

        From: receivables@northwind.example
        Message-ID: <{CONTACT}@northwind.example>
        X-Dueward-Contact: {CONTACT}
        Subject: Invoice R-1

        Please pay.
        --b--
        """
    ).encode()


def test_a_reply_names_what_it_answers() -> None:
    found = read(
        mail(
            In_Reply_To=f"<{CONTACT}@northwind.example>",
            References=f"<case-{CASE}-1@northwind.example> <{CONTACT}@northwind.example> <other@acme.example>",
            To="Northwind <replies+abc@northwind.example>, x@acme.example",
        )
    )
    assert (found.kind, found.sender, found.sender_name) == ("reply", "ada@acme.example", "Ada Lang")
    assert (found.contacts, found.cases) == ((CONTACT,), (CASE,))
    assert found.recipients == ("replies+abc@northwind.example", "x@acme.example")
    assert found.text == "We pay on Friday."


def test_a_repeat_is_told_by_its_message_id_and_sender_whatever_way_it_came() -> None:
    raw = mail(Message_ID="<1@acme.example>")
    assert read(b"Received: by one\r\n" + raw).identity == read(b"Received: by another\r\n" + raw).identity
    assert read(raw).identity != read(mail(Message_ID="<2@acme.example>")).identity
    assert read(raw).identity != read(mail(Message_ID="<1@acme.example>", From="eve@evil.example")).identity


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "reply"),
        ({"Auto_Submitted": "no"}, "reply"),
        ({"Auto_Submitted": "auto-replied"}, "out_of_office"),
        ({"Auto_Submitted": "auto-replied (vacation)"}, "out_of_office"),
        ({"Auto_Submitted": "auto-generated; type=x"}, "auto_reply"),
        ({"Auto_Submitted": "auto-generated", "Subject": "Abwesenheitsnotiz"}, "out_of_office"),
        ({"Precedence": "bulk"}, "auto_reply"),
        ({"Precedence": "list"}, "auto_reply"),
        ({"Precedence": "first-class"}, "reply"),
        ({"X_Autoreply": "yes"}, "out_of_office"),
        ({"List_Id": "<news.acme.example>"}, "auto_reply"),
        ({"Return_Path": "<>"}, "auto_reply"),
        ({"Return_Path": "<ada@acme.example>"}, "reply"),
        ({"From": "MAILER-DAEMON@acme.example"}, "auto_reply"),
        ({"Subject": "Out of office on Friday, so we pay today"}, "reply"),
        ({"X_Dueward_Contact": str(CONTACT)}, "own"),
        ({"X_Dueward_Contact": str(CONTACT), "Auto_Submitted": "auto-generated"}, "own"),
    ],
)
def test_who_wrote_it(headers: dict[str, str], kind: str) -> None:
    assert read(mail(**headers)).kind == kind


@pytest.mark.parametrize(
    ("action", "status", "kind", "lasting"),
    [
        ("failed", "5.1.1", "bounce", True),
        ("failed", "5.1.10", "bounce", True),
        ("failed", "5.2.1", "bounce", True),
        ("failed", "5.2.2", "bounce", False),
        ("failed", "5.7.1", "bounce", True),
        ("failed", "4.4.7", "bounce", False),
        ("delayed", "4.4.7", "delayed", False),
    ],
)
def test_a_message_that_came_back(action: str, status: str, kind: str, lasting: bool) -> None:
    found = read(report(action, status))
    assert found.kind == kind
    assert found.contacts == (CONTACT,)
    assert found.bounce
    assert (found.bounce.recipient, found.bounce.lasting) == ("ada@acme.example", lasting)
    assert found.bounce.reason == f"{status} 550 5.1.1 no such user"


def test_a_report_of_success_is_no_bounce() -> None:
    assert read(report("delivered", "2.0.0")).bounce is None


def test_a_complaint_is_told_from_a_bounce() -> None:
    found = read(report(kind="feedback-report"))
    assert (found.kind, found.contacts) == ("complaint", (CONTACT,))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Paid.\n\nOn Mon, 2 Mar 2026 at 10:00, Northwind <x@n.example> wrote:\n> Please pay\n", "Paid."),
        ("Paid.\n\nOn Mon, 2 Mar 2026 at 10:00, Northwind\n<x@n.example> wrote:\n> Please pay\n", "Paid."),
        ("Bezahlt.\n\nAm 02.03.2026 um 10:00 schrieb Northwind:\n> Bitte zahlen\n", "Bezahlt."),
        ("Payé.\n\nLe lun. 2 mars 2026 à 10:00, Northwind a écrit :\n> Merci\n", "Payé."),
        ("Pagado.\n\nEl lun, 2 mar 2026 a las 10:00, Northwind escribió:\n> Gracias\n", "Pagado."),
        ("Paid.\n\n-----Original Message-----\nFrom: Northwind\nPlease pay", "Paid."),
        ("Paid.\n\n________________________________\nFrom: Northwind\nSent: Monday\n", "Paid."),
        ("Paid.\n\nVon: Northwind <x@n.example>\nGesendet: Montag\nAn: Ada\n\nBitte", "Paid."),
        ("From: now on we pay monthly.\nRegards", "From: now on we pay monthly.\nRegards"),
        ("Paid.\n-- \nAda Lang\nAcme", "Paid."),
        ("> Did you pay R-1?\nYes, on Monday.\n> And R-2?\nDisputed.\n", "Yes, on Monday.\nDisputed."),
        ("> Please pay\n", "> Please pay"),
        ("On Friday we pay.\nThanks", "On Friday we pay.\nThanks"),
        ("a\x00b", "ab"),
        ("", ""),
    ],
)
def test_what_the_person_wrote_without_what_they_answer_to(text: str, left: str) -> None:
    assert written(text) == left


def test_html_is_read_as_text_and_files_are_counted() -> None:
    message = EmailMessage()
    message["From"], message["Message-ID"] = "ada@acme.example", "<1@a>"
    message.set_content("<p>We <b>dispute</b> R-1.</p><script>x()</script><blockquote>Please pay</blockquote>", "html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="claim.pdf")
    message.add_attachment("notes", filename="notes.txt")
    found = read(message.as_bytes())
    assert found.text == "We dispute R-1."
    assert found.attachment_count == 2
    assert [(a.media_type, a.size) for a in found.attachments] == [("application/pdf", 8), ("text/plain", 6)]


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "no-such-charset"])
def test_any_character_set_can_be_read(charset: str) -> None:
    body = "Zahlung läuft".encode("utf-8" if charset.startswith("no") else charset)
    raw = b"From: a@b.example\r\nContent-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n" + body
    assert read(raw).text == "Zahlung läuft"


def nested(depth: int) -> bytes:
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(depth))
    return f"From: a@b.example\r\n{opened}\r\nHello".encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"\x00\xff\xfe",
        nested(30),
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 300,
        b"From: a@b.example\r\n\r\n" + b"x" * BYTES_MAX,
    ],
)
def test_what_is_no_mail_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw)


@given(st.binary(max_size=400), st.booleans())
def test_whatever_comes_in_is_read_or_refused(noise: bytes, is_mail: bool) -> None:
    try:
        found = read(b"From: " + noise if is_mail else noise)
    except Unreadable:
        return
    assert "\0" not in found.text + found.subject + found.sender + found.sender_name
