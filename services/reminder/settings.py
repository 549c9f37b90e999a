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
    contact_url: str | None = None
    """What a customer's browser calls this service: the start of the link for the wrong person. `REMINDER_URL` itself
    without one."""
    replies_to: str | None = None
    """Where answers to reminders come in; each mail's has its case's token in it (`replies+<token>@example.com`).
    Without one, answers go to the person who signs."""

    sms_url: str = "https://api.twilio.com"
    """The SMS gateway, of Twilio's shape; with account, token and sender there are text messages."""
    sms_account: str | None = None
    sms_token: SecretStr | None = None
    sms_sender: str | None = None
    """A number, a name of letters, or a messaging service (`MG...`)."""
    sms_callback_url: str | None = None
    """This service's `/callbacks/twilio` as the gateway calls it from outside; its signature covers this address."""
    chat_kind: Literal["slack", "teams"] = "slack"
    chat_url: SecretStr | None = None
    """The incoming webhook of the account team's channel; whoever knows it can post there."""
    webhook_url: str | None = None
    """Where steps on the channel `webhook` are told, signed with `WEBHOOK_SECRETS` (Standard Webhooks)."""
    webhook_secrets: SecretStr | None = None
    """`whsec_...`, several with blanks between them while one takes over from another."""
    gateway_timeout_seconds: float = Field(default=10, gt=0, le=60)
    callback_secrets: SecretStr | None = None
    """What mail providers sign their calls to `/callbacks/` with (Standard Webhooks); without, they are refused."""

    imap_host: str | None = None
    """With user and password, the folder that replies come to is read; mails in it are never changed."""
    imap_port: int = Field(default=993, ge=1, le=65_535)
    imap_username: str | None = None
    imap_password: SecretStr | None = None
    imap_folder: str = "INBOX"
    imap_tls: Literal["always", "starttls", "never"] = "always"
    imap_poll_seconds: float = Field(default=60, ge=1, le=3_600)
    imap_timeout_seconds: float = Field(default=20, gt=0, le=120)
