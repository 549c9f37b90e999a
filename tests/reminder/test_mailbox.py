"""The folder that replies come to, on a real IMAP server: nothing in it is read twice, lost, or changed."""

from __future__ import annotations

import asyncio
import imaplib
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from deploy.local import embedded
from services.reminder.imap import ImapMailbox, ImapServer
from services.reminder.replies.rules import MailboxUnusable
from services.reminder.ticks import poll_replies
from shared.ticks import TickContext
from tests.reminder.desk import Desk
from tests.reminder.test_inbound_mails import mail, report
from tests.reminder.test_replies import kinds_of_tasks, reminded

USER, PASSWORD = "replies", "a-password"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ImapServer]:
    """pymap, in a process of its own, with one user and an empty INBOX beside its demonstration folders."""
    port = embedded.free_port()
    command = [
        *(str(Path(sys.executable).with_name("pymap")), "--host", "127.0.0.1", "--port", str(port), "--no-tls"),
        *("--no-service", "managesieve", "dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    made = ImapServer("127.0.0.1", port, USER, PASSWORD, "Replies", tls="never", timeout_seconds=20)
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_make_folder, made):  # It has no word for being ready.
                await asyncio.sleep(0.05)
        yield made
    finally:
        process.terminate()
        await process.wait()


def _make_folder(server: ImapServer) -> bool:
    try:
        with imaplib.IMAP4(server.host, server.port) as connection:
            connection.login(USER, PASSWORD)
            connection.create(server.folder)
            return True
    except OSError:
        return False


async def put(server: ImapServer, *mails: bytes) -> None:
    def append() -> None:
        with imaplib.IMAP4(server.host, server.port) as connection:
            connection.login(USER, PASSWORD)
            for each in mails:
                assert connection.append(server.folder, "", None, each)[0] == "OK"  # type: ignore[arg-type]

    await asyncio.to_thread(append)


async def again(server: ImapServer, *words: str) -> list[bytes]:
    """What the server answers to a command on the folder."""

    def ask() -> list[bytes]:
        with imaplib.IMAP4(server.host, server.port) as connection:
            connection.login(USER, PASSWORD)
            connection.select(server.folder)
            return connection.uid(*words)[1]

    return await asyncio.to_thread(ask)


async def poll(desk: Desk, server: ImapServer) -> None:
    """Look into the folder now, as the worker does by the clock."""
    resources = replace(desk.resources, mailbox=ImapMailbox(server))
    await desk.database.pool.execute("update mailbox set poll_at = now()")
    assert await poll_replies(TickContext(desk.database, await desk.now(), resources))


async def bodies(desk: Desk) -> list[str]:
    return sorted(reply["body"] for reply in (await desk.get("/v1/replies", limit=500))["items"])


async def test_replies_are_fetched_once_and_stay_unread_in_the_folder(desk: Desk, server: ImapServer) -> None:
    contact = await reminded(desk)
    answers = f"<{contact['id']}@n.example>"
    await put(server, mail("First.", In_Reply_To=answers), mail("Second.", In_Reply_To=answers))
    await poll(desk, server)
    assert await bodies(desk) == ["First.", "Second."]
    await poll(desk, server)
    await put(server, mail("Third.", In_Reply_To=answers))
    await poll(desk, server)
    assert await bodies(desk) == ["First.", "Second.", "Third."]
    assert (await desk.types()).count("reply.received") == 3
    assert b"\\Seen" not in b"".join(await again(server, "FETCH", "1:*", "(FLAGS)"))
    await desk.until(date(2026, 2, 10))
    assert len(desk.mails()) == 1


async def test_a_full_folder_is_read_in_rounds_until_nothing_is_left(desk: Desk, server: ImapServer) -> None:
    await put(server, *(mail(f"Mail {n:02}.", From=f"a{n}@else.example") for n in range(45)))
    for _ in range(3):
        await poll(desk, server)
    assert await bodies(desk) == [f"Mail {n:02}." for n in range(45)]


async def test_a_look_comes_at_once_while_there_is_more_and_else_after_the_pause(
    desk: Desk, server: ImapServer
) -> None:
    await put(server, *(mail(From=f"a{n}@else.example") for n in range(21)))
    waits = "select poll_at - now() > interval '30 seconds' from mailbox"
    await poll(desk, server)
    assert await desk.database.pool.fetchval(waits) is False
    await poll(desk, server)
    assert await desk.database.pool.fetchval(waits) is True


async def test_a_folder_that_was_made_anew_is_read_from_its_start_and_repeats_are_told(
    desk: Desk, server: ImapServer
) -> None:
    raw = mail("Kept.")
    await put(server, raw)
    await poll(desk, server)
    await desk.database.pool.execute("update mailbox set uid_validity = 1, last_uid = 999999")
    await put(server, mail("New."))
    await poll(desk, server)
    assert await bodies(desk) == ["Kept.", "New."]


async def test_a_bounce_in_the_folder_settles_its_message(desk: Desk, server: ImapServer) -> None:
    contact = await reminded(desk)
    await put(server, report().replace(b"018f0000-0000-7000-8000-000000000001", contact["id"].encode()))
    await poll(desk, server)
    assert (await desk.types()).count("reminder.bounced") == 1
    assert await kinds_of_tasks(desk) == ["unreachable"]


async def test_a_mail_that_is_too_large_is_kept_as_unreadable_by_its_header_lines(
    desk: Desk, server: ImapServer
) -> None:
    contact = await reminded(desk)
    await put(server, mail("x" * 5_000, In_Reply_To=f"<{contact['id']}@n.example>"))
    await poll(desk, replace(server, bytes_max=4_000))
    [reply] = (await desk.get("/v1/replies"))["items"]
    assert (reply["kind"], reply["status"], reply["body"]) == ("unreadable", "open", "the mail is too large to be read")
    assert await kinds_of_tasks(desk) == ["reply"]


async def test_two_workers_do_not_look_at_the_same_time(desk: Desk, server: ImapServer) -> None:
    await put(server, mail())
    await poll(desk, server)
    resources = replace(desk.resources, mailbox=ImapMailbox(server))
    assert not await poll_replies(TickContext(desk.database, await desk.now(), resources))


async def test_trouble_with_the_server_is_kept_and_tried_again_later(desk: Desk, server: ImapServer) -> None:
    for broken in (
        replace(server, password="wrong"),
        replace(server, folder="Nowhere"),
        replace(server, port=embedded.free_port()),
    ):
        with pytest.raises(MailboxUnusable):
            await ImapMailbox(broken).fetch_new(None, 0)
        await poll(desk, broken)
        trouble = await desk.database.pool.fetchval("select trouble from mailbox")
        assert trouble.startswith("the mail")
        assert "wrong" not in trouble
    await put(server, mail("Late."))
    await poll(desk, server)
    assert await bodies(desk) == ["Late."]
    assert await desk.database.pool.fetchval("select trouble from mailbox") is None


async def test_without_a_mailbox_it_is_looked_for_one_now_and_then(desk: Desk) -> None:
    await desk.database.pool.execute("update mailbox set poll_at = now()")
    assert await poll_replies(TickContext(desk.database, await desk.now(), desk.resources))
    assert not await poll_replies(TickContext(desk.database, await desk.now(), desk.resources))
