"""What the reporting service reads from its environment."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    http_port: int = 8004
    worker_port: int = 8104

    dso_target_days: Decimal | None = Field(default=None, gt=0)
    """What the first page holds days sales outstanding against."""

    webhooks_private: bool = False
    """Whether webhooks may lead into private networks, and over plain HTTP: for systems next door, and local use."""
    webhook_timeout_seconds: float = Field(default=15, gt=0, le=60)

    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["auto", "always", "never"] = "auto"
    """STARTTLS: where the server offers it, always, or never."""
    smtp_timeout_seconds: float = Field(default=10, gt=0, le=120)


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # From the environment.
