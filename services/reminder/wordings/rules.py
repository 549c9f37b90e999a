"""Wordings: what a message says, part by part, in a small language that cannot do harm.

A part is text with `{{ names }}`, `{% if %}` and one `{% for row in rows %}` at a time: Jinja's syntax, cut down to
what a letter needs. No calls, no attributes but those of a row, no arithmetic, nothing that makes much of little: the
work and the length of the result are bounded by the part's own length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.reminder.texts.rules import plain, size
from shared.errors import Refused

Language = Literal["en", "de", "fr", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "fr", "es")
Tone = Literal["friendly", "firm", "formal"]
TONES: tuple[Tone, ...] = ("friendly", "firm", "formal")
Part = Literal["subject", "preview", "heading", "opening", "request", "closing", "sms"]
PARTS: tuple[Part, ...] = ("subject", "preview", "heading", "opening", "request", "closing", "sms")
Occasion = Literal["overdue", "before_due", "promise", "instalment"]

SHIPPED = (
    "due-soon",
    "first-reminder",
    "second-reminder",
    "firm-reminder",
    "urgent-reminder",
    "final-notice",
    "default-notice",
    "promise-reminder",
    "promise-broken",
    "instalment-reminder",
    "plan-offer",
)
"""The templates that come with the service, in the order in which they are shown."""

COMMON: Mapping[str, str] = {
    "seller": "who is owed",
    "customer": "the customer's name, empty where it is not known",
    "person": "the person written to, empty where nobody is named",
    "greeting": "the salutation as it stands at the head of the message",
    "rows": "the invoices, each with number, issued, due, overdue, amount and discount",
    "count": "how many invoices there are",
    "one": "true where there is one invoice only",
    "totals": "one sum a currency, as a list",
    "total": "the sums in one phrase",
    "first_number": "the number of the invoice that is due first",
    "pay_link": "the address of the customer's page",
    "written_on": "the day the message is written",
    "in_7_days": "that day and seven more",
    "in_10_days": "and ten more",
    "in_14_days": "and fourteen more",
    "oldest_days": "how many days the oldest invoice is overdue",
}
OWN: Mapping[Occasion, Mapping[str, str]] = {
    "overdue": {},
    "before_due": {
        "due_on": "the due date that the message is about",
        "discount": "what may be deducted for paying early, empty where nothing may",
        "discount_until": "the last day for it",
    },
    "promise": {"promised": "the amount that was promised", "promised_on": "the day it was promised for"},
    "instalment": {"instalment": "the amount of the instalment", "instalment_due_on": "the day it is due"},
}
"""What a wording may name besides, by what its template is about."""

ROW = frozenset({"number", "issued", "due", "overdue", "amount", "discount"})

SMS_SEGMENTS_MAX = 2
PART_CHARACTERS_MAX = 4_000
RESULT_CHARACTERS_MAX: Mapping[Part, int] = {
    "subject": 180,
    "preview": 250,
    "heading": 120,
    "opening": 4_000,
    "request": 4_000,
    "closing": 4_000,
    "sms": 1_000,
}
PIECES_MAX = 20_000
"""How many pieces a part may be put together from: a bound of its time."""

_LISTS = frozenset({"rows", "totals"})
_FILTERS = frozenset({"upper", "lower", "capitalize", "trim", "length", "first", "last", "default"})
_TESTS = frozenset({"defined", "none", "string", "number", "odd", "even"})
_LOOP = frozenset({"first", "last", "index", "length"})
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.CondExpr,
    nodes.If,
    nodes.For,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
)
_BLANKS = re.compile(r"[ \t\r\n]+")
_BEYOND_BASIC = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Wording:
    """A template's words in one language and tone: the source of each part."""

    language: Language
    tone: Tone
    parts: Mapping[Part, str]


@dataclass(frozen=True, slots=True)
class Words:
    """The parts filled in, each one line."""

    subject: str
    preview: str
    heading: str
    opening: str
    request: str
    closing: str
    sms: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a wording: which part, which of its lines (from 1), and why."""

    part: Part
    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A template: what it is about, and its wordings."""

    name: str
    occasion: Occasion
    wordings: tuple[Wording, ...]

    def exact(self, language: str, tone: str) -> Wording | None:
        return next((each for each in self.wordings if (each.language, each.tone) == (language, tone)), None)


class Unspeakable(Refused):
    """A wording cannot be filled in with these facts."""

    slug = "template-not-usable"
    title = "The template cannot be filled in"


class _Small(ImmutableSandboxedEnvironment):
    """The sandbox under the small language: what passes its grammar is still held in here."""

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, finalize=_shown, autoescape=False, cache_size=0)
        self.globals.clear()
        self.filters = {name: each for name, each in self.filters.items() if name in _FILTERS}
        self.tests = {name: each for name, each in self.tests.items() if name in _TESTS}


def _shown(value: Any) -> Any:
    if value is None:
        raise Unspeakable("it shows a value that is empty here: put it into {% if ... %}")
    if isinstance(value, bool) or not isinstance(value, str | int | Undefined):
        raise Unspeakable("it shows a value that is no text: name a part of it")
    return value


_SMALL = _Small()


def find_faults(part: Part, source: str, occasion: Occasion) -> list[Fault]:
    """What keeps a part from being used, without filling it in."""
    if not source.strip():
        return [Fault(part, 1, "it is empty")]
    if len(source) > PART_CHARACTERS_MAX:
        return [Fault(part, 1, f"it is longer than {PART_CHARACTERS_MAX} characters")]
    try:
        tree = _SMALL.parse(source)
    except TemplateSyntaxError as fault:
        return [Fault(part, fault.lineno or 1, fault.message or "it cannot be read")]
    except RecursionError:
        return [Fault(part, 1, "it is nested too deeply")]
    faults = [Fault(part, line, detail) for line, detail in _forbidden(tree, frozenset(), 0)]
    if faults:
        return sorted(faults, key=lambda fault: fault.line)
    known = COMMON.keys() | OWN[occasion].keys()
    for name in sorted(find_undeclared_variables(tree) - known):
        line = min(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
        faults.append(Fault(part, line, f"there is no {name!r} here; there are {', '.join(sorted(known))}"))
    return sorted(faults, key=lambda fault: fault.line)


def _forbidden(node: nodes.Node, loops: frozenset[str], depth: int) -> Iterator[tuple[int, str]]:
    """Whatever of the tree is not in the small language, with its line."""
    if depth > 50:
        yield node.lineno, "it is nested too deeply"
        return
    if not isinstance(node, _ALLOWED):
        yield node.lineno or 1, f"{_spoken(node)} cannot be used here"
        return
    match node:
        case nodes.Getattr():
            of = node.node.name if isinstance(node.node, nodes.Name) else ""
            names = _LOOP if of == "loop" else ROW if of in loops else frozenset[str]()
            if node.attr not in names:
                yield node.lineno, f"there is no {of}.{node.attr}" if of else f"there is no .{node.attr} of that"
        case nodes.Name(name="self"):
            yield node.lineno, "there is no 'self' here"
        case nodes.Filter() if node.name not in _FILTERS:
            yield node.lineno, f"there is no filter {node.name!r}; there are {', '.join(sorted(_FILTERS))}"
        case nodes.Test() if node.name not in _TESTS:
            yield node.lineno, f"there is no test {node.name!r}; there are {', '.join(sorted(_TESTS))}"
        case nodes.For():
            if loops:
                yield node.lineno, "a loop cannot stand in another one"
            if not (isinstance(node.iter, nodes.Name) and node.iter.name in _LISTS) or node.recursive:
                yield node.lineno, "a loop goes over rows or totals"
            if isinstance(node.target, nodes.Name):
                loops = loops | {node.target.name}
            else:
                yield node.lineno, "a loop has one name for what it goes over"
        case _:
            pass
    for child in node.iter_child_nodes():
        yield from _forbidden(child, loops, depth + 1)


def _spoken(node: nodes.Node) -> str:
    words: dict[type[nodes.Node], str] = {
        nodes.Call: "a call",
        nodes.Getitem: "[...]",
        nodes.Assign: "{% set %}",
        nodes.AssignBlock: "{% set %}",
        nodes.Include: "{% include %}",
        nodes.Import: "{% import %}",
        nodes.FromImport: "{% from %}",
        nodes.Extends: "{% extends %}",
        nodes.Block: "{% block %}",
        nodes.Macro: "{% macro %}",
    }
    found = next((word for kind, word in words.items() if isinstance(node, kind)), None)
    return found or ("arithmetic" if isinstance(node, nodes.BinExpr | nodes.UnaryExpr) else type(node).__name__.lower())


@lru_cache(maxsize=4_096)
def _compiled(source: str) -> Template:
    """Raises Unspeakable for what is not in the small language, whoever stored it."""
    if len(source) > PART_CHARACTERS_MAX:
        raise Unspeakable("a part is too long")
    try:
        tree = _SMALL.parse(source)
        for line, detail in _forbidden(tree, frozenset(), 0):
            raise Unspeakable(f"line {line}: {detail}")
        return _SMALL.from_string(source)
    except (TemplateError, RecursionError) as fault:
        raise Unspeakable(str(fault)) from None


def fill_in(part: Part, source: str, facts: Mapping[str, Any]) -> str:
    """One part as text on one line. Raises Unspeakable."""
    longest = RESULT_CHARACTERS_MAX[part]
    pieces: list[str] = []
    length = 0
    try:
        for piece in _compiled(source).generate(facts):
            pieces.append(piece)
            length += len(piece)
            if length > 4 * longest or len(pieces) > PIECES_MAX:
                raise Unspeakable(f"the {part} becomes too long")
    except (TemplateError, TypeError, ValueError) as fault:
        raise Unspeakable(f"the {part} cannot be written: {fault}") from None
    # Blanks that do not break (before a French colon, in amounts) stay.
    return _BLANKS.sub(" ", "".join(pieces)).strip()


def say(wording: Wording, facts: Mapping[str, Any]) -> Words:
    """All parts filled in. Raises Unspeakable."""
    said = {part: fill_in(part, wording.parts[part], facts) for part in PARTS if part != "sms"}
    return Words(**said, sms=short_message(wording.parts["sms"], facts))


def short_message(source: str, facts: Mapping[str, Any]) -> str:
    """The text message in the letters that a phone's short alphabet has, where that is possible: with others a message
    holds less than half. Names are cut, so that a long one does not cost another segment."""
    cut = {name: _cut(str(facts[name]), 30) for name in ("seller", "customer", "first_number") if facts.get(name)}
    text = plain(fill_in("sms", source, {**facts, **cut}))
    if size(text).encoding == "GSM-7":
        return text
    bare = _BEYOND_BASIC.sub(_bare, text)
    return bare if size(bare).encoding == "GSM-7" else text


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."


def _bare(letter: re.Match[str]) -> str:
    """A letter without its accent where the short alphabet does not have it: í is written i, but ü stays."""
    if size(letter[0]).encoding == "GSM-7":
        return letter[0]
    return "".join(each for each in unicodedata.normalize("NFD", letter[0]) if not unicodedata.combining(each))


def try_out(wording: Wording, occasion: Occasion, samples: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Fault]:
    """Every fault of a wording: by its grammar, and filled in for each of the named samples."""
    faults: list[Fault] = []
    for part in PARTS:
        source = wording.parts[part]
        found = find_faults(part, source, occasion)
        if not found:
            found = list(_faults_when_filled(part, source, samples))
        faults += found
    return faults


def _faults_when_filled(part: Part, source: str, samples: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Fault]:
    """The first sample's fault is enough."""
    for about, facts in samples:
        try:
            text = short_message(source, facts) if part == "sms" else fill_in(part, source, facts)
        except Unspeakable as fault:
            yield Fault(part, _line_of_empty(source, facts), f"{fault.detail} (account {about})")
            return
        if not text:
            yield Fault(part, 1, f"nothing is left of it (account {about})")
            return
        if part == "sms" and (segments := size(text).segments) > SMS_SEGMENTS_MAX:
            yield Fault(part, 1, f"it takes {segments} text messages, {SMS_SEGMENTS_MAX} at most (account {about})")
            return
        if len(text) > RESULT_CHARACTERS_MAX[part]:
            most = RESULT_CHARACTERS_MAX[part]
            yield Fault(part, 1, f"it comes to {len(text)} characters, {most} at most (account {about})")
            return


def _line_of_empty(source: str, facts: Mapping[str, Any]) -> int:
    """Where the first name stands that is empty with these facts."""
    lines = [node.lineno for node in _SMALL.parse(source).find_all(nodes.Name) if facts.get(node.name, "") is None]
    return min(lines, default=1)


# --- what comes with the service ---


@cache
def shipped() -> Mapping[str, Copy]:
    """The templates of the installation as it is delivered, by name."""
    return {name: _read(name, (_FOLDER / f"{name}.yaml").read_text()) for name in SHIPPED}


_FOLDER = Path(__file__).parent / "shipped"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read(name: str, document: str) -> Copy:
    given = yaml.load(document, _LOADER)
    return Copy(name, given["occasion"], tuple(wording_of(each) for each in given["variants"]))


def wording_of(given: Mapping[str, Any]) -> Wording:
    return Wording(given["language"], given["tone"], {part: given[part] for part in PARTS})


def choose(copies: Sequence[Copy], language: str, tone: str) -> Wording | None:
    """The words for a customer: of the copies, the entity's own first and the shipped one last, the first that has
    language and tone. Where none has, the language goes before the tone, and English stands in for the language."""
    wanted = language_of(language)
    for spoken in dict.fromkeys((wanted, LANGUAGES[0])):
        for nearest in _NEAREST[tone]:
            for copy in copies:
                if found := copy.exact(spoken, nearest):
                    return found
    return None


_NEAREST: Mapping[str, tuple[Tone, ...]] = {
    "friendly": ("friendly", "firm", "formal"),
    "firm": ("firm", "formal", "friendly"),
    "formal": ("formal", "firm", "friendly"),
}


def language_of(customer_language: str) -> Language:
    """The language a customer is written to in: theirs where there are words in it, else English."""
    return _SPOKEN.get(customer_language.replace("_", "-").partition("-")[0].lower(), LANGUAGES[0])


_SPOKEN: Mapping[str, Language] = {language: language for language in LANGUAGES}
