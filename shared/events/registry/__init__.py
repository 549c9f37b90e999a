"""The released schemas, frozen (`schemas/`), and one golden example of each type (`examples/`).

A schema file is what the world was promised; `freeze` writes it, and only a compatible change gets through. An example
is written by hand, and stays readable for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.events import catalogue
from shared.events.compatibility import breaks
from shared.events.event import Event
from shared.events.schemas import schema_of

FOLDER = Path(__file__).parent


def schema(type: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """The frozen schema of a type, None while it is not released."""
    return _read(folder / "schemas" / f"{type}.json")


def example(type: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """The golden example's data, None while there is none."""
    return _read(folder / "examples" / f"{type}.json")


def check(kinds: Iterable[type[Event]] = catalogue.EVENTS, folder: Path = FOLDER) -> list[str]:
    """Every way in which the code and the registry disagree, a sentence each."""
    kinds = tuple(kinds)
    faults = _incompatible(kinds, folder)
    for kind in kinds:
        if (frozen := schema(kind.type, folder)) is None:
            faults.append(f"{kind.type} has no frozen schema: run `python -m shared.events.registry freeze`")
        elif frozen != schema_of(kind) and not breaks(frozen, schema_of(kind)):
            faults.append(f"{kind.type} grew since it was frozen: run `python -m shared.events.registry freeze`")
        faults.extend(_example_faults(kind, folder))
    return faults


def freeze(kinds: Iterable[type[Event]] = catalogue.EVENTS, folder: Path = FOLDER) -> list[str]:
    """Write the schemas of all types. When one would break a reader, nothing is written and the reasons come back."""
    kinds = tuple(kinds)
    if faults := _incompatible(kinds, folder):
        return faults
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        text = json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"
        (folder / "schemas" / f"{kind.type}.json").write_text(text, encoding="utf-8")
    return []


def _incompatible(kinds: tuple[type[Event], ...], folder: Path) -> list[str]:
    by_type = {kind.type: kind for kind in kinds}
    faults = []
    for path in sorted((folder / "schemas").glob("*.json")):
        kind = by_type.get(path.stem)
        if kind is None:
            faults.append(f"{path.stem} was released and is gone: events of it are still kept and replayed")
            continue
        found = breaks(schema(path.stem, folder) or {}, schema_of(kind))
        faults.extend(f"{path.stem} {fault}; a break is a new type, {_next_major(path.stem)}" for fault in found)
    return faults


def _example_faults(kind: type[Event], folder: Path) -> list[str]:
    data = example(kind.type, folder)
    if data is None:
        return [f"{kind.type} has no golden example: write examples/{kind.type}.json"]
    try:
        event = kind.model_validate_json(json.dumps(data))
    except ValidationError as fault:
        return [f"{kind.type} no longer reads its golden example: {fault}"]
    if json.loads(event.model_dump_json(exclude_unset=True)) != data:
        return [f"{kind.type} does not write its golden example back as it was"]
    return []


def _next_major(type: str) -> str:
    stem, _, major = type.rpartition(".v")
    return f"{stem}.v{int(major) + 1}"


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
