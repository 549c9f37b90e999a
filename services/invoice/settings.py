"""The invoice service's settings: the common ones, with its own ports."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    http_port: int = Field(default=8001, ge=0, le=65_535)
    worker_port: int = Field(default=8101, ge=0, le=65_535)

    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["auto", "always", "never"] = "auto"
    """STARTTLS: where the server offers it, always, or never."""
    smtp_timeout_seconds: float = Field(default=10, gt=0, le=120)
    """How long the mail server may take for an answer. Four times as long, a crashed send counts as under way."""
    smtp_connections: int = Field(default=4, ge=1, le=50)
    delivery_webhook_secret: SecretStr | None = None
    """What the mail provider signs its calls with; without one they are refused."""

    stripe_secret_key: SecretStr | None = None
    """With one, customers pay by card and bank debit on their page; without, by bank transfer."""
    stripe_webhook_secret: SecretStr | None = None
    stripe_url: str = "https://api.stripe.com"
