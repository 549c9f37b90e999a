"""The commands of the local stack, as a terminal shows them."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import httpx
import typer
import uvloop
from rich import progress
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from deploy.local import generate, replay, stack, summary
from deploy.local import ledger as ledgers
from deploy.local.embedded import EmbeddedPartFailed
from deploy.local.layout import SERVICE_PORTS, BadOptions, Layout, Mode
from deploy.local.ledger import BadLedger, Row
from deploy.local.profiles import SELLER
from deploy.local.replay import Progress, ReplayFailed, Summary, Target
from shared.tokens import make_link, make_token

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)

FAULTS_SHOWN = 20


@app.command()
def up() -> None:
    """Start the stack on real time, with data of its own that stay from one `up` to the next."""
    layout = _layout("up")
    _start(layout)
    _print_addresses(layout)


@app.command()
def demo(
    ledger: Annotated[Path | None, typer.Argument(help="a ledger file; a generated one by default")] = None,
) -> None:
    """Start the stack afresh on simulated time and replay a ledger through it, day by day."""
    layout = _layout("demo")
    rows = _read_ledger(ledger or _generated_ledger(layout))
    _start(layout)
    target = Target({service: layout.url(service) for service in SERVICE_PORTS}, layout.token.read_text())
    try:
        asyncio.run(_describe_seller(target, min(row.invoice_date for row in rows)))
        replayed = _replay(target, rows)
        summary.show(console, replayed, asyncio.run(summary.ask(target, replayed.last)))
    except (ReplayFailed, httpx.HTTPError) as error:
        _fail(f"{error}\nThe stack is still up: make logs shows more, make down stops it")
    except KeyboardInterrupt:
        _fail("interrupted; the stack is still up, make down stops it")
    _print_addresses(layout)


@app.command()
def down() -> None:
    """Stop the stack of this checkout."""
    stopped = stack.down(_layout("up"), _say)
    console.print("stopped" if stopped else "nothing was running")


@app.command()
def status() -> None:
    """Say what runs. Exit code 1 when something that should run does not."""
    layout, state = _running()
    answers = stack.ready(layout)
    table = Table("process", "state", "pid", "port", "up", "restarts", box=None, pad_edge=False)
    healthy = state["supervisor"]["alive"] and state["phase"] == "running"
    for name, process in state["processes"].items():
        fine = process["alive"] and answers.get(name, True)
        healthy = healthy and fine
        word = "ready" if fine else "not ready" if process["alive"] else "down"
        table.add_row(
            name,
            f"[{'green' if fine else 'red'}]{word}",
            str(process["pid"] or ""),
            str(process["port"] or ""),
            _age(process["created"]) if process["alive"] else "",
            str(process["restarts"]),
        )
    console.print(f"mode {state['mode']}, broker {state['broker']}, {state['phase']}")
    console.print(table)
    if not state["supervisor"]["alive"]:
        console.print("[red]nobody watches over these processes; `make down` clears them away")
    raise typer.Exit(0 if healthy else 1)


@app.command()
def logs(
    names: Annotated[list[str] | None, typer.Argument(help="such as invoice-api; all by default")] = None,
    lines: Annotated[int, typer.Option("-n", help="how many lines of each to begin with")] = 10,
    follow: Annotated[bool, typer.Option(help="go on until Ctrl-C")] = True,
) -> None:
    """Show the logs of the stack's processes."""
    folder = _layout("up").folder / "log"
    files = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if unknown := [name for name in names or () if name not in files]:
        _fail(f"no log called {', '.join(unknown)}; there are {', '.join(files) or 'none yet'}")
    _follow({name: file for name, file in files.items() if not names or name in names}, lines, follow)


@app.command()
def token(
    sub: Annotated[str, typer.Option(help="who it is for")] = "local",
    scopes: Annotated[str, typer.Option(help="blank-separated, or all")] = "all",
    hours: Annotated[float, typer.Option(help="how long it is valid")] = 24 * 30,
) -> None:
    """Print an access token of the local stack."""
    layout = _layout("up")
    layout.make_secrets()
    try:
        print(make_token(layout.folder, sub, scopes, life=timedelta(hours=hours)))
    except ValueError as error:
        _fail(str(error))


@app.command()
def link() -> None:
    """Print a one-time sign-in link to the dashboard."""
    layout = _layout("up")
    layout.make_secrets()
    print(make_link(layout.folder, layout.url("reporting")))


@app.command(hidden=True)
def supervise(mode: Annotated[str, typer.Option()], run: Annotated[str, typer.Option()]) -> None:
    """Watch over the stack; `up` and `demo` start this in the background."""
    from deploy.local.supervisor import Supervisor

    raise typer.Exit(Supervisor(_layout(cast("Mode", mode), run)).run())


def main() -> None:
    app(prog_name="python -m deploy.local")


def _layout(mode: Mode, run: str | None = None) -> Layout:
    try:
        return Layout.from_environment(mode, run)
    except BadOptions as error:
        _fail(str(error))


def _running() -> tuple[Layout, dict[str, Any]]:
    """The layout of the stack that is there, whatever PORT_OFFSET says now."""
    layout = _layout("up")
    state = stack.read_state(layout)
    if state is None:
        _fail("no stack has been started here; `make up` or `make demo` starts one")
    return Layout(layout.folder, state["offset"], state["mode"], state["broker"], run=state["run"]), state


def _start(layout: Layout) -> None:
    started = time.monotonic()
    try:
        stack.up(layout, _say)
    except (stack.StackFailed, EmbeddedPartFailed) as error:
        _fail(str(error))
    console.print(f"the stack is up after {time.monotonic() - started:.1f} s")


def _generated_ledger(layout: Layout) -> Path:
    path = layout.folder / "ledger.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        generate.write(generate.ledger(generate.DEFAULT), file)
    return path


def _read_ledger(path: Path) -> list[Row]:
    try:
        rows = ledgers.load(path)
    except BadLedger as error:
        console.print(f"[red]{path} cannot be replayed:")
        for fault in error.faults[:FAULTS_SHOWN]:
            console.print(f"  {fault}", markup=False)
        if len(error.faults) > FAULTS_SHOWN:
            console.print(f"  and {len(error.faults) - FAULTS_SHOWN} more")
        raise typer.Exit(1) from None
    except OSError as error:
        _fail(f"{path} cannot be read: {error.strerror}")
    console.print(f"{_short(path)}: {len(rows):,} invoices of {len({row.customer_ref for row in rows}):,} customers")
    return rows


async def _describe_seller(target: Target, on: date) -> None:
    headers = {"Authorization": f"Bearer {target.token}", "If-Match": '"1"'}
    url = target.base_urls["invoice"]
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        # Without a clock, a service that simulates answers nothing.
        clock = await client.put("/simulation/clock", json={"now": f"{on}T00:00:00Z"})
        clock.raise_for_status()
        answer = await client.patch("/v1/entities/default", json=SELLER)
        answer.raise_for_status()


def _replay(target: Target, rows: list[Row]) -> Summary:
    """Replay with a progress bar; ten lines where there is no terminal."""
    columns = (
        TextColumn("{task.fields[day]}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[invoices]:,} invoices, {task.fields[payments]:,} payments"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("replay", total=None, day="", invoices=0, payments=0)

        def on_progress(seen: Progress) -> None:
            bar.update(
                task,
                completed=seen.days_done,
                total=seen.days_total,
                day=seen.day.isoformat(),
                invoices=seen.invoices,
                payments=seen.payments,
            )
            tenth = seen.days_total // 10 or 1
            if not console.is_terminal and seen.days_done % tenth == 0:
                console.print(f"{seen.day}: {seen.invoices:,} invoices, {seen.payments:,} payments")

        return uvloop.run(replay.run(target, rows, on_progress))


def _print_addresses(layout: Layout) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for service in ("invoice", "reminder", "credit", "reporting"):
        table.add_row(service, layout.url(service), "pages; the API at /docs")
    table.add_row("token", str(_short(layout.token)))
    table.add_row("mails", str(_short(layout.mails)))
    console.print(table)
    # As it is, however long: a wrapped link cannot be clicked.
    print(f"\nThe dashboard, signed in (the link works once): {make_link(layout.folder, layout.url('reporting'))}")
    console.print("[dim]make link prints another; make status, make logs and make down do what they say")


def _follow(files: dict[str, Path], lines: int, follow: bool) -> None:
    width = max(map(len, files), default=0)
    places: dict[str, int] = {}
    for name, file in files.items():
        text = file.read_text(errors="replace")
        places[name] = file.stat().st_size
        for line in text.splitlines()[-lines:]:
            print(f"{name:{width}}  {line}")
    try:
        while follow:
            sys.stdout.flush()
            time.sleep(0.3)
            for name, file in files.items():
                if file.exists() and file.stat().st_size != places[name]:
                    with file.open(errors="replace") as handle:
                        handle.seek(places[name] if file.stat().st_size > places[name] else 0)
                        for line in handle:
                            print(f"{name:{width}}  {line.rstrip()}")
                        places[name] = handle.tell()
    except KeyboardInterrupt:
        pass


def _age(created: float) -> str:
    return str(timedelta(seconds=int(time.time() - created)))


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _say(text: str) -> None:
    console.print(f"[dim]{text}")


def _fail(text: str) -> NoReturn:
    console.print(f"[red]{text}", soft_wrap=True)
    raise typer.Exit(1)
