"""Credit's settings: the common ones, with its own ports."""

from __future__ import annotations

from typing import Literal

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

    application_url: str | None = None
    """What an applicant's browser calls this service: the start of every link to an application. `CREDIT_URL` itself
    without one."""
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["auto", "always", "never"] = "auto"
    """STARTTLS: where the server offers it, always, or never."""
    smtp_timeout_seconds: float = Field(default=10, gt=0, le=120)
    """How long the mail server may take for an answer. Four times as long, a crashed send counts as under way."""
