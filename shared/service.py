"""What a service is made of: read by its two processes, its API document and its event document."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from shared.delivery import Subscriptions
from shared.ticks import Ticks


@dataclass(frozen=True)
class Service:
    """`routers` are mounted under `/v1`, `pages` at the root; `publishes` names the topics it writes to."""

    name: str
    description: str
    subscriptions: Subscriptions
    ticks: Ticks
    routers: tuple[APIRouter, ...] = ()
    pages: tuple[APIRouter, ...] = ()
    publishes: tuple[str, ...] = ()
