"""What `pip install .` puts on a machine is enough to run a service, with no checkout in sight."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from deploy.local.layout import ROOT
from shared.migrate import SERVICES, folders
from tests.conftest import with_database

PACKAGES = ("services", "shared", "deploy")
CREATE_EACH_API = """
import importlib, sys
for name in sys.argv[1:]:
    app = importlib.import_module(f"services.{name}.app").create_api()
    assert app.openapi()["paths"], name
print(importlib.import_module("shared").__file__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The packages as the wheel of this checkout has them."""
    if find_spec("setuptools") is None:
        pytest.skip("this virtual environment has no setuptools to build with")
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    build = ("-c", "import setuptools; setuptools.setup()", "--quiet", "build_py", "--build-lib", str(folder / "site"))
    subprocess.run([sys.executable, *build], cwd=source, check=True, capture_output=True)
    yield folder / "site"
    shutil.rmtree(folder)


def run(installed: Path, *command: str, **environment: str) -> str:
    told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "KAFKA_BOOTSTRAP_SERVERS": "unused:9092"}
    done = subprocess.run(
        [sys.executable, *command], env=told | environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_of_the_packages_is_installed(installed: Path) -> None:
    missing = [
        path.relative_to(ROOT)
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not (installed / path.relative_to(ROOT)).is_file()
    ]
    assert missing == []


async def test_an_installed_service_migrates_its_database(installed: Path, postgres_url: str) -> None:
    url = with_database(postgres_url, f"installed_{uuid.uuid4().hex[:8]}")
    run(installed, "-m", "services.invoice", "migrate", DATABASE_URL=url)
    connection = await asyncpg.connect(url)
    applied = await connection.fetchval("select count(*) from schema_migrations")
    await connection.close()
    assert applied == sum(len(list(folder.glob("*.sql"))) for folder in folders("invoice"))


def test_each_installed_service_starts_from_outside_the_checkout(installed: Path) -> None:
    unused = {"DATABASE_URL": "postgres://unused", "SESSION_SECRET": "unused", "SECRETS_KEY": "A" * 43 + "="}
    said = run(installed, "-c", CREATE_EACH_API, *SERVICES, **unused)
    assert said.strip() == str(installed / "shared" / "__init__.py")
