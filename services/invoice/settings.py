"""The invoice service's settings: the common ones, with its own ports."""

from __future__ import annotations

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    http_port: int = Field(default=8001, ge=0, le=65_535)
    worker_port: int = Field(default=8101, ge=0, le=65_535)
