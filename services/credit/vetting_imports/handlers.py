"""Take in a file of what was learned about customers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.credit.intake import handlers as intake
from services.credit.vetting import handlers as vetting
from services.credit.vetting.handlers import AddInput
from services.credit.vetting_imports import rules
from services.credit.vetting_imports.rules import Line, RefusedLine
from shared.db import Tx
from shared.errors import DomainError


@dataclass(frozen=True, slots=True)
class Imported:
    taken: tuple[UUID, ...]
    refused: tuple[RefusedLine, ...]


async def import_inputs(tx: Tx, text: str, received_from: str) -> Imported:
    """What can be taken is taken. Raises UnusableFile."""
    lines = rules.read(text)
    known = await vetting.by_external_id(tx, [line.external_id for line in lines if isinstance(line, Line)])
    taken: list[UUID] = []
    refused: list[RefusedLine] = []
    for line in lines:
        if isinstance(line, RefusedLine):
            refused.append(line)
        elif line.external_id not in known:
            refused.append(RefusedLine(line.number, "external_id", f"there is no customer {line.external_id!r}"))
        else:
            command = AddInput(
                known[line.external_id], line.source, line.dated_on, line.expires_on, line.particulars, received_from
            )
            try:
                taken.append((await intake.take_in(tx, command)).id)
            except DomainError as refusal:
                field = (refusal.field or "").removeprefix("/particulars").strip("/").partition("/")[0] or None
                refused.append(RefusedLine(line.number, field, refusal.detail))
    return Imported(tuple(taken), tuple(refused))
