"""Save, find and preview templates, and give letters their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.reminder.mails.rules import Letter
from services.reminder.templates import rules, store
from services.reminder.templates.rules import ANY_ENTITY, Saved, Template, TemplateNotFound
from services.reminder.wordings.rules import Copy, Occasion, Wording, choose
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class SaveTemplate:
    """`expected_version` is the version the writer saw, 0 where the entity has none of its own yet; `entity_id` empty
    stands for the installation. Without an `occasion` it is that of the template as it is."""

    name: str
    entity_id: str
    occasion: Occasion | None
    wordings: tuple[Wording, ...]
    expected_version: int
    saved_by: str


async def save_template(tx: Tx, command: SaveTemplate) -> Template:
    """Make the next version; the same again makes none. Raises InvalidTemplate, OtherOccasion and
    PreconditionFailed."""
    saved = await _saved_of(tx, command.name, command.entity_id)
    own = saved.get(command.entity_id)
    below = rules.template_of(
        command.name, command.entity_id, {id: each for id, each in saved.items() if id != command.entity_id}
    )
    was = below.occasion if below else own.copy.occasion if own else "overdue"
    copy = Copy(command.name, command.occasion or was, command.wordings)
    version = own.version if own else 0
    if version != command.expected_version:
        raise PreconditionFailed(f"{command.name} is at version {version}, you changed {command.expected_version}")
    if own is None or own.copy != copy:
        rules.check(copy, below)
        own = Saved(copy, command.entity_id, version + 1, command.saved_by)
        if not await store.add(tx, own):
            raise PreconditionFailed(f"{command.name} got version {own.version} from somebody else just now")
    template = rules.template_of(command.name, command.entity_id, {**saved, command.entity_id: own})
    assert template is not None
    return template


async def find_template(tx: Tx, name: str, entity_id: str = ANY_ENTITY, version: int | None = None) -> Template:
    """What holds for an entity now, or held when it was at an earlier version. Raises TemplateNotFound."""
    saved = await _saved_of(tx, name, entity_id)
    if version:
        earlier = await store.find(tx, name, entity_id, version)
        if earlier is None:
            raise TemplateNotFound(f"there is no version {version} of {name!r}")
        saved[entity_id] = earlier
    template = rules.template_of(name, entity_id, saved)
    if template is None:
        raise TemplateNotFound(f"there is no template {name!r}")
    return template


async def list_templates(tx: Tx, entity_id: str = ANY_ENTITY) -> list[Template]:
    """The shipped ones first, in the order of a case's life."""
    found = await store.newest(tx, [entity_id])
    templates = []
    for name in rules.listed_names(sorted({each.copy.name for each in found})):
        saved = {each.entity_id: each for each in found if each.copy.name == name}
        if template := rules.template_of(name, entity_id, saved):
            templates.append(template)
    return templates


async def names(tx: Tx) -> list[str]:
    """The templates that a strategy may ask for."""
    return rules.listed_names(await store.names(tx))


async def dress(tx: Tx, letters: Sequence[Letter]) -> list[Letter]:
    """Give letters the words that their entity, or the installation, has for them; where nothing was changed they keep
    the shipped ones. One look for all of them."""
    if not letters:
        return []
    saved = await store.newest(tx, sorted({letter.entity_id for letter in letters}))
    return [_dressed(letter, saved) for letter in letters] if saved else list(letters)


def _dressed(letter: Letter, saved: Sequence[Saved]) -> Letter:
    own = {each.entity_id: each for each in saved if each.copy.name == letter.template}
    template = rules.template_of(letter.template, letter.entity_id, own) if own else None
    return replace(letter, wording=choose(template.copies, letter.language, letter.tone)) if template else letter


async def _saved_of(tx: Tx, name: str, entity_id: str) -> dict[str, Saved]:
    found: Mapping[str, Saved | None] = {
        id: await store.find(tx, name, id, None) for id in dict.fromkeys((ANY_ENTITY, entity_id))
    }
    return {id: each for id, each in found.items() if each}
