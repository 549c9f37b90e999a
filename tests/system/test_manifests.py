"""The image and the manifests name what there is: settings, commands, doors, files and packages."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from deploy.local.layout import ROOT
from shared.http.health import health_router, worker_app
from shared.migrate import SERVICES, folders
from shared.settings import ServiceSettings

IMAGE = ROOT / "deploy" / "image"
COMPOSE = ROOT / "deploy" / "compose"
KUBERNETES = ROOT / "deploy" / "kubernetes"

DOCKERFILE = (IMAGE / "Dockerfile").read_text().replace("\\\n", " ")
ASKED_FOR = re.compile(r"\$\{(\w+)(:[?-][^}]*)?\}")
PROBED = re.compile(r"http://127\.0\.0\.1:(\d+)(/\w+)'")

NEEDED = {
    "DATABASE_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "HTTP_HOST",
    "TOKEN_ISSUER",
    "SERVICE_TOKEN_FILE",
    "SESSION_SECRET",
    "PUBLIC_URL",
    "INVOICE_URL",
    "REMINDER_URL",
    "CREDIT_URL",
    "REPORTING_URL",
    "SMTP_HOST",
    "MAIL_FROM",
}
"""What has no default, or one that only suits a process among others on one machine."""
NEEDED_BY = {"reporting": {"SECRETS_KEY"}}
LIKELY = {"SECRETS_KEY": "A" * 43 + "=", "SMTP_PORT": "587", "DATABASE_URL": "postgres://host/name"}
"""Values of the right form for what an operator fills in."""

LOAD_EACH_AND_SAY_THE_COMMANDS = """
import importlib, runpy, sys
services = sys.argv[1:]
for name in services:
    importlib.import_module(f"services.{name}.app")
sys.argv = [services[0], "--help"]
runpy.run_module(f"services.{services[0]}", run_name="__main__")
"""
IMPORTED = re.compile(r"^\s*(?:from (?=\S+ import)|import )(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Process:
    """A container: what it runs, what it is told, and where it is asked whether it is well: (port, path)."""

    where: str
    service: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    probes: tuple[tuple[str, str], ...]

    @property
    def settings(self) -> ServiceSettings:
        told = {name.lower(): value for name, value in self.environment.items() if value}
        return import_module(f"services.{self.service}.settings").Settings(**told)


def image_environment() -> dict[str, str]:
    (told,) = re.findall(r"^ENV (.+)$", DOCKERFILE, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in told.split())


def variables(file: Path) -> dict[str, str]:
    """The variables of an example, those to be filled in with a value of their form."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value or LIKELY.get(name, "") for name, value in (line.split("=", 1) for line in lines)}


def in_compose() -> Iterator[Process]:
    given = {name: value or LIKELY.get(name, "something") for name, value in variables(COMPOSE / "env.example").items()}
    for name, container in compose()["services"].items():
        if not container["image"].startswith("${IMAGE"):  # The database and the broker are others' images.
            continue
        told = {key: ASKED_FOR.sub(lambda m: given[m[1]], value) for key, value in container["environment"].items()}
        probes = PROBED.findall(str(container.get("healthcheck")).replace('\\"', '"'))
        service = name.partition("-")[0]
        yield Process(
            f"compose {name}", service, tuple(container["command"]), image_environment() | told, tuple(probes)
        )


def compose() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


def kustomization(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "kustomization.yaml").read_text())


def literals(folder: Path) -> dict[str, str]:
    (generated,) = kustomization(folder)["configMapGenerator"]
    return dict(pair.split("=", 1) for pair in generated["literals"])


def deployments() -> dict[str, dict[str, Any]]:
    found = {}
    for part in ("api", "worker"):
        documents = list(yaml.safe_load_all((KUBERNETES / "base" / f"{part}.yaml").read_text()))
        found |= {each["metadata"]["name"]: each for each in documents if each["kind"] == "Deployment"}
    return found


def in_kubernetes() -> Iterator[Process]:
    for service in SERVICES:
        example = variables(KUBERNETES / service / "secrets.env.example")
        told = literals(KUBERNETES) | literals(KUBERNETES / service) | example | {"SESSION_SECRET": "something"}
        for name, deployment in deployments().items():
            pod = deployment["spec"]["template"]["spec"]
            for container in [*pod["initContainers"], *pod["containers"]]:
                named = {port["name"]: str(port["containerPort"]) for port in container.get("ports", ())}
                asked = [kind["httpGet"] for kind in map(container.get, PROBES) if kind]
                command = tuple(part.replace("$(SERVICE)", told["SERVICE"]) for part in container["args"])
                yield Process(
                    f"kubernetes {service}-{name} {container['name']}",
                    service,
                    command,
                    image_environment() | {key: value for key, value in told.items() if key != "SERVICE"},
                    tuple((named[probe["port"]], probe["path"]) for probe in asked),
                )


PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
PROCESSES = [*in_compose(), *in_kubernetes()]
LONG_RUNNING = [process for process in PROCESSES if process.command[1] != "migrate"]
DOORS = {
    "api": {getattr(route, "path", None) for route in health_router().routes},
    "worker": {getattr(route, "path", None) for route in worker_app(lambda: True).routes},
}


def test_each_service_is_migrated_and_has_both_its_processes() -> None:
    for place in ("compose", "kubernetes"):
        run = {process.command for process in PROCESSES if process.where.startswith(place)}
        assert run == {(f"services.{name}", verb) for name in SERVICES for verb in ("api", "worker", "migrate")}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.where)
def test_a_process_is_told_all_that_it_needs_and_nothing_that_is_no_setting(process: Process) -> None:
    told = {name for name, value in process.environment.items() if value}
    assert told >= NEEDED | NEEDED_BY.get(process.service, set())
    assert told & {"JWKS_URL", "JWKS_FILE"}
    known = {name.upper() for name in type(process.settings).model_fields}
    images_own = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    assert set(process.environment) - images_own <= known
    assert process.settings.simulation is False


@pytest.mark.parametrize("process", LONG_RUNNING, ids=lambda process: process.where)
def test_a_process_is_asked_at_a_door_it_has(process: Process) -> None:
    _, part = process.command
    port = process.settings.http_port if part == "api" else process.settings.worker_port
    assert process.probes
    assert {int(asked) for asked, _ in process.probes} == {port}
    assert {path for _, path in process.probes} <= DOORS[part]


def test_compose_asks_for_the_variables_of_its_example_and_no_secret_has_a_value_there() -> None:
    example = variables(COMPOSE / "env.example")
    assert {name for name, _ in ASKED_FOR.findall((COMPOSE / "compose.yaml").read_text())} == set(example)
    for file in (COMPOSE / "env.example", *KUBERNETES.glob("*/secrets.env.example")):
        given = dict(line.split("=", 1) for line in file.read_text().splitlines() if line and line[0] != "#")
        assert not [name for name, value in given.items() if value and re.search("PASSWORD|SECRET|KEY|TOKEN", name)]


def test_compose_runs_the_broker_that_the_tests_run_on() -> None:
    project = ElementTree.parse(ROOT / "deploy/local/kafka/pom.xml")
    version = project.findtext(".//{*}dependency[{*}artifactId='kafka_2.13']/{*}version")
    assert compose()["services"]["kafka"]["image"] == f"apache/kafka:{version}"


def test_the_files_that_kustomizations_name_are_there_and_each_service_is_named() -> None:
    named = kustomization(KUBERNETES)["resources"]
    assert set(SERVICES) <= set(named)
    for folder in (KUBERNETES, KUBERNETES / "base", *(KUBERNETES / service for service in SERVICES)):
        assert all((folder / resource).exists() for resource in kustomization(folder)["resources"])
    for service in SERVICES:
        overlay = kustomization(KUBERNETES / service)
        assert overlay["namePrefix"] == f"{service}-"
        assert literals(KUBERNETES / service)["SERVICE"] == service


def test_pods_are_confined_and_measured_where_they_answer() -> None:
    for part, deployment in deployments().items():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in DOCKERFILE
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]
        told = deployment["spec"]["template"]["metadata"]["annotations"]
        (port,) = pod["containers"][0]["ports"]
        assert told["prometheus.io/port"] == str(port["containerPort"])
        assert told["prometheus.io/path"] in DOORS[part]


# The image.


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Dockerfile copies from the checkout, and nothing beside it."""
    folder = tmp_path_factory.mktemp("image")
    allowed = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    for source, target in re.findall(r"^COPY (?!--from)(\S+) (\S+)$", DOCKERFILE, re.MULTILINE):
        assert f"!{source}" in allowed
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_every_service_loads_from_what_is_copied_and_has_the_commands(image: Path) -> None:
    command = [sys.executable, "-c", LOAD_EACH_AND_SAY_THE_COMMANDS, *SERVICES]
    done = subprocess.run(command, cwd=image, env=image_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"api", "worker", "migrate"} <= set(re.findall(r"\w+", done.stdout))


def test_the_image_starts_modules_that_can_be_run_and_has_their_migrations(image: Path) -> None:
    assert 'ENTRYPOINT ["python", "-m"]' in DOCKERFILE
    for module in {process.command[0] for process in PROCESSES}:
        assert (image / module.replace(".", "/") / "__main__.py").is_file()
    for service in SERVICES:
        assert all(list((image / folder.relative_to(ROOT)).glob("*.sql")) for folder in folders(service))


def test_what_is_imported_is_locked(image: Path) -> None:
    locked = {
        canonical(name) for name in re.findall(r"^(\S+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    }
    packages = packages_distributions()
    imported = {name for file in image.rglob("*.py") for name in IMPORTED.findall(file.read_text())} & packages.keys()
    assert {"aiokafka", "typst"} <= imported
    assert [name for name in imported if not {canonical(each) for each in packages[name]} & locked] == []


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
