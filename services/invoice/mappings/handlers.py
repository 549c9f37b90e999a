"""Import profiles: saved by name, each change a version of its own."""

from __future__ import annotations

from services.invoice.mappings import rules, store
from services.invoice.mappings.rules import Kind, Profile, ProfileNotFound, ProfileRefused, Saved
from shared.db import Tx
from shared.errors import PreconditionFailed


async def save_profile(tx: Tx, name: str, profile: Profile, expected_version: int, by: str) -> Saved:
    """Save a version; 0 expected is the first. Raises PreconditionFailed, ProfileRefused."""
    if name == rules.STANDARD:
        raise ProfileRefused("the standard profile is built in; choose another name", field="/name")
    await store.lock(tx, name)
    latest = await store.find(tx, name, None)
    version = latest.version if latest else 0
    if version != expected_version:
        seen = f"at version {version}" if version else "not there yet"
        raise PreconditionFailed(f"the profile is {seen}: look again, then decide", current_version=version)
    if latest and latest.profile.kind != profile.kind:
        raise ProfileRefused(f"the profile is for {latest.profile.kind}; give one for {profile.kind} its own name")
    saved = Saved(name, version + 1, profile, tx.now, by)
    await store.insert(tx, saved)
    return saved


async def get_profile(tx: Tx, name: str, version: int | None = None, kind: Kind = "invoices") -> Saved:
    """A profile as it is, or as a version was; `kind` says which of the standard ones. Raises ProfileNotFound."""
    if name == rules.STANDARD:
        return Saved(name, 1, rules.standard(kind), tx.now, "dueward")
    found = await store.find(tx, name, version)
    if found is None:
        raise ProfileNotFound(f"there is no import profile {name!r}" + (f" in version {version}" if version else ""))
    return found


async def list_profiles(tx: Tx, after: str | None, limit: int) -> list[Saved]:
    """The latest version of each, by name."""
    return await store.page(tx, after, limit)
