"""What a service is made of: read by its two processes, its API document and its event document."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from shared.db import Database
from shared.delivery import Subscriptions
from shared.ticks import Ticks

Job = Callable[[asyncio.Event, Database, Any], Coroutine[Any, Any, None]]
"""Runs in the worker until the event is set, with the service's database and outside clients."""


@dataclass(frozen=True)
class Service:
    """`routers` are mounted under `/v1`, `pages` at the root; `publishes` names the topics it writes to. `jobs` are
    what the worker does on real time, beside the ticks: nobody who moves the clock waits for them."""

    name: str
    description: str
    subscriptions: Subscriptions
    ticks: Ticks
    routers: tuple[APIRouter, ...] = ()
    pages: tuple[APIRouter, ...] = ()
    publishes: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
