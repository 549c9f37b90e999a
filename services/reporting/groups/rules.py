"""The group of customers that figures are asked of: everybody, or one segment, country, selling entity, collector or
customer, by the names that ageing has for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.errors import Refused

Kind = Literal["all", "segment", "country", "entity", "collector", "customer"]
Key = Annotated[str, Field(min_length=1, max_length=200)]


class SeveralGroups(Refused):
    slug = "several-groups"
    title = "Figures are of one group at a time"


@dataclass(frozen=True, slots=True)
class Group:
    """`key` is what ageing has as `group`, empty for everybody. Customers are in the groups that they are in now."""

    kind: Kind
    key: str

    @property
    def is_everybody(self) -> bool:
        return self.kind == "all"


EVERYBODY = Group("all", "")


def asked_group(
    segment: Annotated[Key | None, Field(description="Of this segment alone")] = None,
    country: Annotated[Key | None, Field(description="Of customers of this country alone")] = None,
    entity: Annotated[Key | None, Field(description="In the name of this selling entity alone")] = None,
    collector: Annotated[Key | None, Field(description="Of whoever this collector looks after")] = None,
    customer: Annotated[UUID | None, Field(description="Of this customer alone")] = None,
) -> Group:
    """What a caller names of the groups, as a dependency of a door. Raises SeveralGroups."""
    named: list[tuple[Kind, str | None]] = [
        ("segment", segment),
        ("country", country),
        ("entity", entity),
        ("collector", collector),
        ("customer", str(customer) if customer else None),
    ]
    found = [Group(kind, key) for kind, key in named if key]
    if len(found) > 1:
        raise SeveralGroups(f"name one of {' and '.join(g.kind for g in found)}", field=f"query.{found[1].kind}")
    return found[0] if found else EVERYBODY
