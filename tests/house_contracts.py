"""Import contracts that the wildcards of import-linter cannot say."""

from __future__ import annotations

import fnmatch
from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class PrivateRoom(Contract):
    """A room, say `services.*.*.store`, is imported from within its own feature only."""

    type_name = "private_room"
    rooms: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Every direct import of a room by a module of another package is a breach."""
        breaches = [
            (importer, room)
            for room in sorted(graph.modules)
            if self._is_room(room)
            for importer in sorted(graph.find_modules_that_directly_import(room))
            if _package(importer) != _package(room)
        ]
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, room in check.metadata["breaches"]:
            output.print_error(f"{importer} reaches into {room}", bold=True)

    def _is_room(self, module: str) -> bool:
        # fnmatch's * also matches dots, so the depth is compared as well.
        return any(module.count(".") == str(r).count(".") and fnmatch.fnmatch(module, str(r)) for r in self.rooms)


def _package(module: str) -> str:
    return module.rpartition(".")[0]
