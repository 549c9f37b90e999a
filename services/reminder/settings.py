"""What the reminder service reads from its environment, besides what every service does."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The mail server is the operator's own; mails are sent in the seller's name from `MAIL_FROM`."""

    http_port: int = Field(default=8002, ge=0, le=65_535)
    worker_port: int = Field(default=8102, ge=0, le=65_535)

    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["auto", "always", "never"] = "auto"
    """STARTTLS: where the server offers it, always, or never."""
    smtp_timeout_seconds: float = Field(default=10, gt=0, le=120)
    """How long the mail server may take for an answer. Four times as long, a crashed send counts as under way."""
    smtp_connections: int = Field(default=4, ge=1, le=50)
