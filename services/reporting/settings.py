"""What the reporting service reads from its environment."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from shared.sealing import read_keys
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    http_port: int = 8004
    worker_port: int = 8104

    dso_target_days: Decimal | None = Field(default=None, gt=0)
    """What the first page holds days sales outstanding against."""

    secrets_key: SecretStr = Field(default=SecretStr(""), validate_default=True)
    """Seals the secrets of webhooks and chats in the database: 32 bytes in base64, the newest first of several."""

    webhooks_private: bool = False
    """Whether webhooks may lead into private networks, and over plain HTTP: for systems next door, and local use."""
    webhook_timeout_seconds: float = Field(default=15, gt=0, le=60)

    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["auto", "always", "never"] = "auto"
    """STARTTLS: where the server offers it, always, or never."""
    smtp_timeout_seconds: float = Field(default=10, gt=0, le=120)

    @field_validator("secrets_key")
    @classmethod
    def _has_keys(cls, given: SecretStr) -> SecretStr:
        read_keys(given.get_secret_value())
        return given


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # From the environment.
