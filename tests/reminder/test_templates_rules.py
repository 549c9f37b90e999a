"""The small language of templates: what a letter needs can be said in it, and nothing else can be done with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reminder.mails.rules import facts_of
from services.reminder.templates.rules import InvalidTemplate, OtherOccasion, Template, check, samples_of, template_of
from services.reminder.texts.rules import size
from services.reminder.wordings.rules import (
    PART_CHARACTERS_MAX,
    PARTS,
    Copy,
    Part,
    Unspeakable,
    Wording,
    fill_in,
    find_faults,
    say,
    shipped,
    short_message,
    try_out,
)

GOOD = "{{ total }} is open."


def wording(**parts: str) -> Wording:
    given: dict[Part, str] = dict.fromkeys(PARTS, "{{ total }} is open.")
    given |= {part: parts[part] for part in PARTS if part in parts}
    return Wording("en", "friendly", given)


def facts(number: int = 0) -> dict[str, Any]:
    return facts_of(samples_of("overdue", "en", "friendly")[number][1])


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("", 1, "it is empty"),
        ("x" * (PART_CHARACTERS_MAX + 1), 1, "longer than"),
        ("{{ totl }}", 1, "there is no 'totl' here; there are"),
        ("fine\n\n{{ totl }}", 3, "there is no 'totl'"),
        ("{{ due_on }}", 1, "there is no 'due_on'"),
        ("{{ total ", 1, "unexpected end"),
        ("{% if one %}", 1, "endif"),
        ("{{ total | nosuch }}", 1, "there is no filter 'nosuch'"),
        ("{{ rows | map(attribute='number') }}", 1, "there is no filter 'map'"),
        ("{% if total is callable %}x{% endif %}", 1, "there is no test 'callable'"),
        ("{{ total.__class__ }}", 1, "there is no total.__class__"),
        ("{{ ''.__class__.__mro__ }}", 1, "there is no .__mro__"),
        ("{{ total['__class__'] }}", 1, "[...] cannot be used"),
        ("{{ total | attr('__class__') }}", 1, "there is no filter 'attr'"),
        ("{% for row in rows %}{{ row.__class__ }}{% endfor %}", 1, "there is no row.__class__"),
        ("{% for row in rows %}{{ row.price }}{% endfor %}", 1, "there is no row.price"),
        ("{{ rows.append(1) }}", 1, "a call cannot be used"),
        ("{{ range(10) }}", 1, "a call cannot be used"),
        ("{{ cycler('a').__init__.__globals__ }}", 1, "there is no .__globals__"),
        ("{{ lipsum.__globals__.os.popen('id').read() }}", 1, "a call cannot be used"),
        ("{{ self }}", 1, "there is no 'self' here"),
        ("{{ self._TemplateReference__context }}", 1, "there is no self._"),
        ("{{ config }}", 1, "there is no 'config'"),
        ("{% set x = total ~ total %}{{ x ~ x }}", 1, "{% set %} cannot be used"),
        ("{% include 'mail.html.j2' %}", 1, "{% include %} cannot be used"),
        ("{% import 'x' as y %}", 1, "{% import %} cannot be used"),
        ("{% extends 'x' %}", 1, "{% extends %} cannot be used"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", 1, "{% macro %} cannot be used"),
        ("{{ 10 ** 10 ** 10 }}", 1, "arithmetic cannot be used"),
        ("{{ 'a' * 1000000000 }}", 1, "arithmetic cannot be used"),
        ("{{ '%999999999d' % 1 }}", 1, "arithmetic cannot be used"),
        ("{{ '%999999999d' | format(1) }}", 1, "there is no filter 'format'"),
        ("{% for a in rows %}{% for b in rows %}x{% endfor %}{% endfor %}", 1, "a loop cannot stand in another"),
        ("{% for a in 'abc' %}x{% endfor %}", 1, "a loop goes over rows or totals"),
        ("{% for a in rows recursive %}x{% endfor %}", 1, "a loop goes over rows or totals"),
        ("{{ " + "(" * 1_500 + " }}", 1, ""),
        ("{% if " + "not " * 500 + "one %}x{% endif %}", 1, "nested too deeply"),
    ],
)
def test_what_is_not_in_the_small_language_is_refused_with_line_and_reason(source: str, line: int, said: str) -> None:
    faults = find_faults("opening", source, "overdue")
    assert faults
    assert faults[0].line == line
    assert any(said in fault.detail for fault in faults), faults


@pytest.mark.parametrize("source", ["{{ total.__class__ }}", "{{ 9 ** 9 }}", "{{ range(3) }}"])
def test_what_was_stored_past_the_check_is_not_carried_out_either(source: str) -> None:
    with pytest.raises(Unspeakable):
        fill_in("opening", source, facts())


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}% _.|()[]'\"*~+-ab01forinrowstalenduxself", max_size=80))
def test_whatever_is_written_it_is_refused_or_harmless(source: str) -> None:
    if not find_faults("opening", source, "overdue"):
        with suppress(Unspeakable):
            assert len(fill_in("opening", source, facts(2))) <= 4 * 4_000


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ seller }}", "Northwind Trading"),
        ("{% if one %}an invoice{% else %}{{ count }} invoices{% endif %}", "an invoice"),
        ("{% for row in rows %}{{ row.number }}{{ '' if loop.last else ', ' }}{% endfor %}", "DW-000042"),
        ("{{ person or 'you' }}", "Alex Martin"),
        ("{{ seller | upper }}", "NORTHWIND TRADING"),
        ("{{ total ~ ' of ' ~ seller }}", "€1,250.50 of Northwind Trading"),
        ("late since {{ oldest_days }} days", "late since 17 days"),
        ("  many \n lines\n\n in one ", "many lines in one"),
    ],
)
def test_what_a_letter_needs_can_be_said(source: str, text: str) -> None:
    assert find_faults("opening", source, "overdue") == []
    assert fill_in("opening", source, facts()) == text


def test_a_wording_that_fits_one_account_but_not_another_is_refused_by_that_account() -> None:
    samples = [(about, facts_of(letter)) for about, letter in samples_of("overdue", "en", "friendly")]
    (fault,) = try_out(wording(opening="Dear\n{{ person }}, pay."), "overdue", samples)
    assert (fault.part, fault.line) == ("opening", 2)
    assert "empty" in fault.detail
    assert "nobody named" in fault.detail
    assert try_out(wording(opening="Dear {{ person or 'all' }}, pay."), "overdue", samples) == []


def test_a_message_before_due_may_have_a_discount_and_may_have_none() -> None:
    samples = [(about, facts_of(letter)) for about, letter in samples_of("before_due", "en", "friendly")]
    bare = wording(opening="Save {{ discount }} until {{ discount_until }}.")
    asked = wording(opening="Due.{% if discount %} Save {{ discount }} until {{ discount_until }}.{% endif %}")
    assert [fault.part for fault in try_out(bare, "before_due", samples)] == ["opening"]
    assert try_out(asked, "before_due", samples) == []


@pytest.mark.parametrize(("characters", "segments"), [(160, 1), (161, 2), (306, 2), (307, 3)])
def test_a_text_message_of_more_than_two_segments_is_refused(characters: int, segments: int) -> None:
    text = "a" * characters
    assert size(short_message(text, facts())).segments == segments
    found = try_out(wording(sms=text), "overdue", [("of the test", facts())])
    assert [fault.part for fault in found] == (["sms"] if segments > 2 else [])


def test_accents_that_would_double_the_price_of_a_text_are_left_out_and_others_stay() -> None:
    assert short_message("Último aviso, señor Müller: ¿está usted ahí? … «ça»", facts()) == (
        'Ultimo aviso, señor Müller: ¿esta usted ahi? ... "ca"'
    )
    assert short_message("Привет", facts()) == "Привет"


def test_each_shipped_template_stands_its_own_check() -> None:
    for copy in shipped().values():
        check(copy, None)


def test_a_new_template_needs_english_words_and_each_variant_once() -> None:
    german = replace(wording(), language="de")
    with pytest.raises(InvalidTemplate, match="needs an English wording"):
        check(Copy("our-own", "overdue", (german,)), None)
    with pytest.raises(InvalidTemplate, match="twice"):
        check(Copy("our-own", "overdue", (wording(), wording())), None)
    check(Copy("our-own", "overdue", (wording(), german)), None)


def test_a_shipped_template_keeps_what_it_is_about() -> None:
    below = template_of("due-soon", "", {})
    assert isinstance(below, Template)
    with pytest.raises(OtherOccasion):
        check(Copy("due-soon", "overdue", (wording(),)), below)


def test_words_with_template_signs_in_a_name_stay_words() -> None:
    nasty = {**facts(), "seller": "{{ 7 * 7 }} {% raw %}"}
    assert fill_in("opening", "From {{ seller }}", nasty) == "From {{ 7 * 7 }} {% raw %}"
    assert say(wording(), nasty).opening == "€1,250.50 is open."
