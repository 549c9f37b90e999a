"""Brings a service's database to its newest schema with dbmate: the plumbing's migrations, then the service's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK_TIMEOUT = "5s"
"""A migration that cannot have its lock gives up, rather than make everybody queue behind it."""
CONNECT_TIMEOUT_SECONDS = "15"
"""A server that takes the connection and says nothing would otherwise be waited for without end."""
SERVICES = ("credit", "invoice", "reminder", "reporting")


class MigrationFailed(Exception):
    """dbmate refused; the message is what it said."""


def folders(service: str | None) -> list[Path]:
    """Where the migrations of a service stand, the plumbing's first; only those for None."""
    shared = ROOT / "shared" / "migrations"
    return [shared, ROOT / "services" / service / "migrations"] if service else [shared]


def migrate(url: str, service: str | None, command: str = "up") -> None:
    """Run a dbmate command on one database, creating it for `up` when it is not there.

    Raises:
        MigrationFailed: with dbmate's own words.
    """
    places = [part for folder in folders(service) if any(folder.glob("*.sql")) for part in ("-d", str(folder))]
    done = subprocess.run(
        [dbmate(), "--no-dump-schema", *places, command],
        env={
            "PGOPTIONS": f"-c lock_timeout={LOCK_TIMEOUT}",
            "PGCONNECT_TIMEOUT": CONNECT_TIMEOUT_SECONDS,
            **os.environ,
            "DATABASE_URL": url,
        },
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise MigrationFailed(f"{service or 'plumbing'}: {(done.stderr or done.stdout).strip()}")


def dbmate() -> str:
    """The program that the wheel put beside this interpreter, else the one on PATH."""
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if not found:
        raise MigrationFailed("dbmate is not installed; it comes with the locked requirements")
    return found
