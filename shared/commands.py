"""A service's commands for operators: migrate, parked events, replay. The same doings as the HTTP operations API."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from shared import event_log, parked
from shared.clock import Clock
from shared.db import Database, Tx, transaction
from shared.errors import DomainError
from shared.migrate import MigrationFailed, migrate
from shared.service import Service
from shared.settings import ServiceSettings

T = TypeVar("T")


def run(service: Service, settings: Callable[[], ServiceSettings]) -> None:
    """Take the command line."""
    app = typer.Typer(
        help=f"{service.description} Besides these: `api` and `worker` run the two processes.", no_args_is_help=True
    )
    parked_app = typer.Typer(
        help="Events that a handler failed on, and those waiting behind them.", no_args_is_help=True
    )
    app.add_typer(parked_app, name="parked")

    def in_transaction(work: Callable[[Tx], Awaitable[T]]) -> T:
        async def open_and_work() -> T:
            database = await Database.open(settings().database_url, clock=Clock(), pool_max=1)
            try:
                async with transaction(database) as tx:
                    return await work(tx)
            finally:
                await database.close()

        try:
            return asyncio.run(open_and_work())
        except DomainError as refused:
            typer.echo(refused.detail, err=True)
            raise typer.Exit(1) from None

    @app.command("migrate")
    def migrate_database() -> None:
        """Bring the database to this release's schema."""
        try:
            migrate(settings().database_url, service.name)
        except MigrationFailed as failed:
            typer.echo(str(failed), err=True)
            raise typer.Exit(1) from None

    @app.command()
    def replay(
        first: Annotated[datetime, typer.Argument(help="from this moment on, UTC")],
        until: Annotated[datetime, typer.Argument(help="and before this one, UTC")],
        topic: Annotated[str | None, typer.Option(help="only events of this topic")] = None,
    ) -> None:
        """Publish again what was logged in a range of time; subscribers drop what they have."""
        count = in_transaction(lambda tx: event_log.replay(tx, event_log.utc(first), event_log.utc(until), topic))
        typer.echo(f"{count} events are published again")

    @parked_app.command("list")
    def list_parked(limit: int = 100) -> None:
        """Show parked events, oldest first."""
        table = Table("id", "type", "customer", "attempts", "next try", "reason")
        for row in in_transaction(lambda tx: parked.list_parked(tx, limit)):
            cells = (
                row["id"],
                row["type"],
                row["key"],
                row["attempts"],
                f"{row['next_retry_at']:%F %T}",
                row["reason"],
            )
            table.add_row(*map(str, cells))
        Console().print(table)

    @parked_app.command("retry")
    def retry(parked_id: int) -> None:
        """Have the worker try one at once."""
        in_transaction(lambda tx: parked.retry(tx, parked_id))
        typer.echo(f"event {parked_id} is tried again at once")

    @parked_app.command("skip")
    def skip(parked_id: int, reason: Annotated[str, typer.Option(help="why, kept with the event")]) -> None:
        """Give one up for good, so that its customer's later events go on."""
        in_transaction(lambda tx: parked.skip(tx, parked_id, getpass.getuser(), reason))
        typer.echo(f"event {parked_id} is skipped")

    app()
