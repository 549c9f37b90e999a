"""What every service reads from its environment: twelve-factor settings, one variable a field.

A service adds its own: `class Settings(ServiceSettings)` in its `settings.py`, where it also gives its ports. Field
`kafka_bootstrap_servers` is the variable `KAFKA_BOOTSTRAP_SERVERS`; a variable set to nothing counts as not set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


class ServiceSettings(BaseSettings):
    """Ports, databases, brokers, keys. Whatever is secret is a SecretStr or a file, so that it is never printed."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: str
    database_pool_min: int = Field(default=1, ge=0)
    database_pool_max: int = Field(default=10, ge=1)

    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_ca_file: Path | None = None
    kafka_idempotence: bool = True
    """Off only for a broker that has no idempotent producer, such as the embedded one."""
    kafka_leaves_groups: bool = True
    """Off only for a broker whose groups do not bear it that a member leaves while another joins: the embedded one."""
    kafka_fetch_max_wait_ms: int = Field(default=500, ge=1)
    kafka_session_timeout_ms: int = Field(default=10_000, ge=1_000)
    topic_prefix: str = ""
    """Lets several installations share a cluster."""
    topic_partitions: int = Field(default=12, ge=1)
    topic_replication_factor: int = -1
    """-1 leaves it to the broker."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65_535)
    worker_port: int = Field(default=8100, ge=0, le=65_535)
    """Where the worker answers /healthz, /readyz and /metrics."""
    http_body_bytes_max: int = Field(default=MEBIBYTE, ge=1)
    public_url: str = "http://127.0.0.1:8001"
    """What a customer's browser calls the invoice service: the start of every pay link."""

    invoice_url: str = "http://127.0.0.1:8001"
    reminder_url: str = "http://127.0.0.1:8002"
    credit_url: str = "http://127.0.0.1:8003"
    reporting_url: str = "http://127.0.0.1:8004"

    jwks_file: Path | None = None
    jwks_url: str | None = None
    token_issuer: str = "https://dueward.local"
    service_token_file: Path | None = None
    """The bearer token this service calls the others with; read again when the file changes."""
    session_secret: SecretStr | None = None
    """Signs sessions, sign-in links and cursors. All replicas share it; without one, each process makes its own."""

    simulation: bool = False

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    trace_exporter: Literal["none", "console", "file"] = "none"
    trace_file: Path | None = None
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1)

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65_535)
    mail_from: str = "receivables@dueward.local"
