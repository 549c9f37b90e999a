"""Identifiers: UUIDs of version 7, whose time order keeps index pages warm (RFC 9562)."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()
