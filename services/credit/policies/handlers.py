"""The versions of the credit policy beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from services.credit.limits import handlers as limits
from services.credit.limits.handlers import PolicyInForce
from services.credit.policies import rules
from services.credit.policies.rules import Change
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Version:
    """A version, and what it changed of the one before it."""

    found: PolicyInForce
    changes: tuple[Change, ...]


async def list_versions(tx: Tx, before: int | None, count_max: int) -> list[Version]:
    """Newest first."""
    found = await limits.list_policies(tx, before, count_max + 1)
    older = [*found[1:], None]
    return [
        Version(each, rules.changes(earlier.policy, each.policy) if earlier else ())
        for each, earlier in zip(found, older, strict=True)
    ][:count_max]


async def compare_versions(tx: Tx, version: int, since: int | None) -> Version:
    """A version, and all that changed since an earlier one, the one before it unless another is named. Raises
    PolicyNotFound."""
    found = await limits.get_policy(tx, version)
    if version == 1 and since is None:
        return Version(found, ())
    earlier = await limits.get_policy(tx, version - 1 if since is None else since)
    return Version(found, rules.changes(earlier.policy, found.policy))
