"""Credit's settings: the common ones, with its own ports."""

from __future__ import annotations

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    http_port: int = Field(default=8003, ge=0, le=65_535)
    worker_port: int = Field(default=8103, ge=0, le=65_535)

    bureau_url: str | None = None
    """Where credit reports are asked for, of the shape that docs/credit.md describes; without one, they are added by
    hand or by another system."""
    bureau_name: str = "bureau"
    """The source that its reports bear."""
    bureau_token: SecretStr | None = None
    bureau_timeout_seconds: float = Field(default=10, gt=0, le=60)
