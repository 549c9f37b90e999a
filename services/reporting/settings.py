"""What the reporting service reads from its environment."""

from __future__ import annotations

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    http_port: int = 8004
    worker_port: int = 8104


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # From the environment.
