"""Structured logs: one event a line, with the correlation id of the work at hand."""

from __future__ import annotations

import structlog


def get(name: str) -> structlog.stdlib.BoundLogger:
    return structlog.get_logger(name)
