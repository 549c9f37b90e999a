"""A service's commands for operators: migrate, parked events, replay. The same doings as the HTTP operations API."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from shared import event_log, parked
from shared.clock import Clock
from shared.db import Database, Tx, transaction
from shared.errors import DomainError
from shared.migrate import MigrationFailed, migrate
from shared.service import Service
from shared.settings import ServiceSettings

T = TypeVar("T")

PARKED = ("id", "type", "customer", "attempts", "next try", "reason")


@dataclass(frozen=True)
class Operations:
    """What an operator may do to one service's database, each in a transaction of its own."""

    service: Service
    settings: Callable[[], ServiceSettings]

    def migrate_database(self) -> None:
        """Bring the database to this release's schema."""
        try:
            migrate(self.settings().database_url, self.service.name)
        except MigrationFailed as failed:
            typer.echo(str(failed), err=True)
            raise typer.Exit(1) from None

    def replay(
        self,
        first: Annotated[datetime, typer.Argument(help="from this moment on, UTC")],
        until: Annotated[datetime, typer.Argument(help="and before this one, UTC")],
        topic: Annotated[str | None, typer.Option(help="only events of this topic")] = None,
    ) -> None:
        """Publish again what was logged in a range of time; subscribers drop what they have."""
        count = self._do(lambda tx: event_log.replay(tx, event_log.utc(first), event_log.utc(until), topic))
        typer.echo(f"{count} events are published again")

    def list_parked(self, limit: int = 100) -> None:
        """Show parked events, oldest first."""
        table = Table(*(Column(name, overflow="fold") for name in PARKED))
        for row in self._do(lambda tx: parked.list_parked(tx, limit)):
            next_try = f"{row['next_retry_at']:%F %T}"
            cells = (row["id"], row["type"], row["key"], row["attempts"], next_try, row["reason"])
            table.add_row(*map(str, cells))
        Console().print(table)

    def retry(self, parked_id: int) -> None:
        """Have the worker try one at once."""
        self._do(lambda tx: parked.retry(tx, parked_id))
        typer.echo(f"event {parked_id} is tried again at once")

    def skip(self, parked_id: int, reason: Annotated[str, typer.Option(help="why, kept with the event")]) -> None:
        """Give one up for good, so that its customer's later events go on."""
        self._do(lambda tx: parked.skip(tx, parked_id, getpass.getuser(), reason))
        typer.echo(f"event {parked_id} is skipped")

    def _do(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        try:
            return asyncio.run(self._in_transaction(work))
        except DomainError as refused:
            typer.echo(refused.detail, err=True)
            raise typer.Exit(1) from None

    async def _in_transaction(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        database = await Database.open(self.settings().database_url, clock=Clock(), pool_max=1)
        try:
            async with transaction(database) as tx:
                return await work(tx)
        finally:
            await database.close()


def run(service: Service, settings: Callable[[], ServiceSettings], own_commands: Sequence[Callable[[], None]]) -> None:
    """Take the command line."""
    app = typer.Typer(
        help=f"{service.description} Besides these: `api` and `worker` run the two processes.", no_args_is_help=True
    )
    waiting = typer.Typer(help="Events that a handler failed on, and those waiting behind them.", no_args_is_help=True)
    app.add_typer(waiting, name="parked")

    operations = Operations(service, settings)
    app.command("migrate")(operations.migrate_database)
    app.command()(operations.replay)
    for command in own_commands:
        app.command()(command)
    waiting.command("list")(operations.list_parked)
    waiting.command()(operations.retry)
    waiting.command()(operations.skip)
    app()
