"""docker-compose.yml and Dockerfile can't run where tests run, so they are read, and compared with the demo."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from plotly.offline import get_plotlyjs_version

from emulator.cli import parser
from opsportal.config import Config, environment_name
from opsportal.embedded import commands
from opsportal.embedded.fingerprint import ROOT
from opsportal.grants import OWNER_ROLE, RUNTIME_ROLE
from opsportal.staticfiles import BUNDLE

PORTAL = ("migrate", *commands.LONG_RUNNING)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return told


@pytest.fixture(scope="module")
def stages() -> dict[str, list[tuple[str, str]]]:
    """The Dockerfile's instructions by stage, continued lines joined."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        verb, _, rest = line.strip().partition(" ")
        if verb == "FROM":
            name = rest.split(" AS ")[1]
            found[name] = []
        found[name].append((verb, rest.strip()))
    return found


@pytest.mark.parametrize(("service", "command"), commands.LONG_RUNNING.items())
def test_a_service__in_compose__runs_the_same_command_as_the_demo(
    compose: dict[str, Any], service: str, command: tuple[str, ...]
) -> None:
    assert tuple(compose["services"][service]["command"]) == command


def test_the_migration__in_compose__runs_the_same_command_as_the_demo_but_as_the_owner(
    compose: dict[str, Any],
) -> None:
    migrate = compose["services"]["migrate"]
    assert tuple(migrate["command"]) == commands.PREPARE
    assert f"//{OWNER_ROLE}:" in migrate["environment"]["DATABASE_URL"]


@pytest.mark.parametrize("service", commands.LONG_RUNNING)
def test_a_process_of_the_portal__in_compose__is_the_runtime_role_and_waits_for_the_migration(
    compose: dict[str, Any], service: str
) -> None:
    told = compose["services"][service]
    assert f"//{RUNTIME_ROLE}:" in told["environment"]["DATABASE_URL"]
    assert told["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_executor__in_compose__does_not_wait_for_the_broker(compose: dict[str, Any]) -> None:
    assert "redis" not in compose["services"]["executor"]["depends_on"]


@pytest.mark.parametrize("service", PORTAL)
def test_a_process_of_the_portal__in_compose__has_no_rights_that_it_does_not_need(
    compose: dict[str, Any], service: str
) -> None:
    told = compose["services"][service]
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", PORTAL)
def test_a_setting__in_compose__exists(compose: dict[str, Any], service: str) -> None:
    known = {environment_name(field) for field in Config.model_fields}
    foreign = {"DJANGO_SETTINGS_MODULE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
    foreign |= {"UVICORN_HOST", "UVICORN_PORT", "WEB_CONCURRENCY"}
    assert set(compose["services"][service]["environment"]) <= known | foreign


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "OWNER_PASSWORD", "RUNTIME_PASSWORD"])
def test_a_secret__in_compose__has_no_default(name: str) -> None:
    used = re.findall(r"(?<!\$)\$\{" + name + r"([^}]*)\}", (ROOT / "docker-compose.yml").read_text())
    assert used
    assert all(rest.startswith(":?") for rest in used)


def test_the_ports__in_compose__open_to_this_host_only(compose: dict[str, Any]) -> None:
    published = [port for told in compose["services"].values() for port in told.get("ports", [])]
    assert published == ["127.0.0.1:${PORT:-8000}:8000"]


def test_the_image__as_built__runs_the_web_process_as_an_ordinary_user(
    stages: dict[str, list[tuple[str, str]]],
) -> None:
    portal = stages["portal"]
    assert ("USER", "10001:10001") in portal
    started = next(rest for verb, rest in portal if verb == "CMD")
    assert tuple(yaml.safe_load(started)) == commands.WEB


def test_the_image__as_built__installs_only_what_the_lock_names(
    stages: dict[str, list[tuple[str, str]]],
) -> None:
    installs = [rest for told in stages.values() for verb, rest in told if verb == "RUN" and "pip" in rest]
    assert installs == ["pip install --require-hashes --no-deps -r requirements.lock"]


def test_the_image__as_built__has_charts_of_the_version_that_the_lock_has(
    stages: dict[str, list[tuple[str, str]]],
) -> None:
    fetched = " ".join(rest for _, rest in stages["charts"])
    assert f"plotly.js-cartesian-dist-min@{get_plotlyjs_version()} " in fetched
    assert "sha512sum --check" in fetched
    (copied,) = [rest for verb, rest in stages["build"] if verb == "COPY" and "--from=charts" in rest]
    assert copied.endswith(f" static-build/{BUNDLE}")


def test_the_image__as_built__copies_only_what_exists(stages: dict[str, list[tuple[str, str]]]) -> None:
    sources = [
        source
        for told in stages.values()
        for verb, rest in told
        if verb == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert ".env" not in sources


def test_the_portals_image__as_built__holds_no_emulator(stages: dict[str, list[tuple[str, str]]]) -> None:
    before = [rest for name in ("build", "portal") for verb, rest in stages[name] if verb == "COPY"]
    assert not any("emulator" in rest for rest in before)


def test_the_emulators_options__in_compose__exist(compose: dict[str, Any]) -> None:
    command = compose["services"]["emulator"]["command"]
    assert command[:3] == ["python", "-m", "emulator"]
    told = parser().parse_args([option.replace("${IDENTITY_HEADER:-}", "x") for option in command[3:]])
    assert (told.host, told.dns_name) == ("0.0.0.0", ["emulator"])
