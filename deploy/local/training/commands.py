"""The training in a terminal: step by step as commands, or all of it as `play`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, NoReturn

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from deploy.local import stack
from deploy.local.embedded import EmbeddedPartFailed
from deploy.local.layout import BadOptions, Layout
from deploy.local.replay import Progress, ReplayFailed
from deploy.local.training import sample
from deploy.local.training.scenario import Finding, Page, Scenario
from deploy.local.training.scenarios import SCENARIOS
from deploy.local.training.world import ONE_DAY, Begun, NoTraining, World
from shared.tokens import make_link

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)

Slug = Annotated[str, typer.Argument(help="such as broken-promise")]
LINES_SHOWN = 12
KEYS = "[b]c[/]heck  [b]h[/]ints  next [b]d[/]ay  next [b]m[/]oment  [b]s[/]tory  [b]p[/]ages  [b]l[/]eave it"


@app.command()
def start(customers: Annotated[int, typer.Option(min=0, max=90)] = sample.CUSTOMERS) -> World:
    """Start the stack afresh with the sample book, as it stands on the first morning."""
    try:
        layout = Layout.from_environment("demo")
        began = time.monotonic()
        stack.up(layout, _say)
        _say("replaying half a year of the sample book")
        world = sample.set_up(layout, customers, _progress)
    except (BadOptions, stack.StackFailed, EmbeddedPartFailed, ReplayFailed, httpx.HTTPError) as error:
        _fail(str(error))
    console.print(f"ready after {time.monotonic() - began:.0f} s: it is {_day(world.now)}. make down stops it")
    return world


@app.command(name="list")
def list_all() -> None:
    """What there is to practise, and what has begun."""
    _list(_resume())


@app.command()
def begin(scenario: Slug) -> None:
    """Let a scenario begin, or tell its story again."""
    _begin(_resume(), _named(scenario))


@app.command()
def check(
    scenario: Annotated[str, typer.Argument(help="one of them; all when left out")] = "",
    hints: Annotated[bool, typer.Option("--hints", help="also how to get there")] = False,
) -> None:
    """Look at what was done. Exit code 0 when the goal is reached, else 1."""
    world = _resume()
    chosen = [_named(scenario)] if scenario else list(SCENARIOS.values())
    reached = []
    for each in chosen:
        if not scenario:
            console.print(f"[b]{each.title}[/]")
        reached.append(_check(world, each, hints=hints))
    raise typer.Exit(0 if all(reached) else 1)


@app.command(name="next")
def go_on(
    days: Annotated[int, typer.Option(min=1, max=60, help="how many")] = 1,
    moment: Annotated[bool, typer.Option("--moment", help="only to the next moment at which something is due")] = False,
) -> None:
    """Let time go by, for everybody, and say what happened."""
    _go_on(_resume(), days, moment=moment)


@app.command()
def links() -> None:
    """Print where the pages are, and a sign-in link."""
    world = _resume()
    _pages(world, [Page("reminder", "/", "the worklist"), Page("invoice", "/", "what waits at the finance desk")])


@app.command()
def play(scenario: Annotated[str, typer.Argument(help="one of them; all in turn when left out")] = "") -> None:
    """Start what is not running, and go through the scenarios. Without a terminal: begin, and leave it there."""
    chosen = [_named(scenario)] if scenario else list(SCENARIOS.values())
    try:
        world = World.resume(Layout.from_environment())
    except NoTraining:
        world = start(sample.CUSTOMERS)
    except BadOptions as error:
        _fail(str(error))
    if not sys.stdin.isatty():
        _list(world)
        if scenario:
            _begin(world, chosen[0])
        return
    try:
        for each in chosen:
            _play(world, each)
    except (KeyboardInterrupt, EOFError):
        console.print()
    except (ReplayFailed, httpx.HTTPError) as error:
        _fail(f"{error}\nThe stack is still up: make logs shows more, make down stops it")
    console.print("[dim]make training goes on where you are; make down stops the stack")


def main() -> None:
    try:
        app(prog_name="python -m deploy.local.training")
    except (ReplayFailed, httpx.HTTPError) as error:
        console.print(f"[red]{escape(str(error))}")
        sys.exit(1)


def _play(world: World, scenario: Scenario) -> None:
    _begin(world, scenario)
    while True:
        console.print(f"\n[dim]{_day(world.now)}[/]  {KEYS}")
        match input("> ").strip().lower()[:1]:
            case "c":
                _check(world, scenario)
            case "h":
                _check(world, scenario, hints=True)
            case "d":
                _go_on(world, 1)
            case "m":
                _go_on(world, 1, moment=True)
            case "s":
                _begin(world, scenario)
            case "p":
                _pages(world, scenario.pages(world.state.begun[scenario.slug].facts))
            case "l":
                return
            case _:
                pass


def _list(world: World) -> None:
    console.print(f"It is {_day(world.now)}.")
    for scenario in SCENARIOS.values():
        begun = world.state.begun.get(scenario.slug)
        word = f"begun on {begun.at[:10]}" if begun else ""
        console.print(f"  [b]{scenario.slug:24}[/]{scenario.title}  [dim]{word}")


def _begin(world: World, scenario: Scenario) -> None:
    begun = world.state.begun.get(scenario.slug)
    if begun is None:
        world.settle()
        begun = Begun(world.state.now, scenario.begin(world))
        world.state.begun[scenario.slug] = begun
        world.keep()
        world.settle()
    story = "\n\n".join(scenario.story(begun.facts))
    console.print(Panel(escape(story), title=scenario.title, title_align="left", width=100))
    console.print(f"[b]Goal.[/] {escape(scenario.goal)}", width=100)
    console.print("[b]You may use[/]")
    for each in scenario.may_use:
        console.print(f"  {escape(each)}", soft_wrap=True)
    _pages(world, scenario.pages(begun.facts))


def _pages(world: World, shown: Sequence[Page]) -> None:
    console.print("[b]Pages[/]")
    for page in shown:
        console.print(f"  {world.layout.url(page.service)}{page.path}  [dim]{escape(page.shows)}", soft_wrap=True)
    first = shown[0]
    link = make_link(world.layout.folder, world.layout.url(first.service), to=first.path)
    # As it is, however long: a wrapped link cannot be clicked.
    print(f"  sign in there, once for all of them: {link}")
    console.print(
        f"[dim]  token for the APIs: {world.layout.token}; make token SUB=maya prints a colleague's", soft_wrap=True
    )


def _check(world: World, scenario: Scenario, *, hints: bool = False) -> bool:
    """Say what of a goal is reached; the debrief when all of it is."""
    begun = world.state.begun.get(scenario.slug)
    if begun is None:
        console.print(f"[yellow]○[/] it has not begun; `begin {scenario.slug}` tells its story.")
        return False
    world.settle()
    findings = scenario.check(world, begun.facts)
    for finding in findings:
        _print_finding(finding, hints=hints)
    done = all(finding.done for finding in findings)
    if done:
        text = "\n\n".join(scenario.debrief)
        console.print(Panel(escape(text), title="Goal reached", title_align="left", border_style="green", width=100))
        console.print("[dim]next day shows what follows; leave it for the next one")
    else:
        left = sum(not finding.done for finding in findings)
        console.print(f"{left} of {len(findings)} still to do." + ("" if hints else " Hints say how."))
    return done


def _print_finding(finding: Finding, *, hints: bool) -> None:
    mark = "[green]●[/]" if finding.done else "[yellow]○[/]"
    console.print(f"{mark} {escape(finding.said)}", soft_wrap=True)
    if hints and not finding.done and finding.hint:
        console.print(f"  [dim]{escape(finding.hint)}", soft_wrap=True)


def _go_on(world: World, days: int, *, moment: bool = False) -> None:
    if moment:
        due = world.settle()
        since = world.now
        world.walk(due or since + ONE_DAY)
        world.keep()
        _tell(world, since)
        return
    for _ in range(days):
        since = world.now
        next_day(world)
        _tell(world, since)


def next_day(world: World) -> None:
    """Go to the next morning, when the scenarios' customers act as well."""
    world.walk(_next_morning(world.now))
    for slug, begun in world.state.begun.items():
        SCENARIOS[slug].meanwhile(world, begun.facts)
    world.settle()
    world.keep()


def _next_morning(now: datetime) -> datetime:
    morning = datetime.combine(now.date(), sample.MORNING.timetz())
    return morning if morning > now else morning + timedelta(days=1)


def _tell(world: World, since: datetime) -> None:
    """What happened with the customers of the scenarios that have begun."""
    console.print(f"[b]{_day(world.now)}")
    facts = [begun.facts for begun in world.state.begun.values()]
    customers = {each[who] for each in facts for who in ("customer_id", "other_id") if who in each}
    lines = 0
    for customer in sorted(customers):
        name = world.get("credit", f"/v1/customers/{customer}")["name"]
        for line in reversed(world.get("reporting", f"/v1/customers/{customer}/timeline", limit=50)["items"]):
            if datetime.fromisoformat(line["time"]) > since and lines < LINES_SHOWN * len(customers):
                console.print(
                    f"  {escape(name)}: {escape(line['title'])} [dim]{escape(line['detail'])}", soft_wrap=True
                )
                lines += 1
    if not lines:
        console.print("  [dim]nothing happened with the customers of your scenarios")


def _resume() -> World:
    try:
        return World.resume(Layout.from_environment())
    except (NoTraining, BadOptions) as error:
        _fail(str(error))


def _named(slug: str) -> Scenario:
    if slug not in SCENARIOS:
        _fail(f"there is no scenario {slug}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[slug]


def _progress(seen: Progress) -> None:
    if seen.days_done % 30 == 0:
        _say(f"{seen.day}: {seen.invoices} invoices, {seen.payments} payments")


def _day(now: datetime) -> str:
    return f"{now:%A} {now.day} {now:%B %Y, %H:%M} UTC"


def _say(text: str) -> None:
    console.print(f"[dim]{escape(text)}")


def _fail(text: str) -> NoReturn:
    console.print(f"[red]{escape(text)}", soft_wrap=True)
    raise typer.Exit(1)
