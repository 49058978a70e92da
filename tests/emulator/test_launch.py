"""The emulator as a process: ports, restarts, sudden ends, wrong starts."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from emulator.launch import ROOT, Emulator, EmulatorFailed, launch
from tests.emulator.arm import CHECKOUT, EMPTY

pytestmark = pytest.mark.processes


def token(emulator: Emulator) -> str:
    url = f"{emulator.identity_endpoint}?resource={emulator.arm}"
    request = urllib.request.Request(url, headers={"X-IDENTITY-HEADER": emulator.identity_header})
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(json.load(response)["access_token"])


def call(emulator: Emulator, method: str, path: str, body: Any = None, *, bearer: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {bearer or token(emulator)}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{emulator.arm}{path}", data, headers, method=method)
    context = ssl.create_default_context(cafile=str(emulator.ca_file)) if emulator.tls else None
    with urllib.request.urlopen(request, timeout=10, context=context) as response:
        return json.loads(response.read() or b"null")


def put_traffic(emulator: Emulator, traffic: dict[str, int]) -> None:
    document = call(emulator, "GET", CHECKOUT)
    document["properties"]["traffic"] = traffic
    call(emulator, "PUT", CHECKOUT, document)


def test_restart__same_ports_and_state__is_no_drift(tmp_path: Path) -> None:
    with launch(tmp_path) as emulator:
        put_traffic(emulator, {"blue": 90, "green": 10})
        time.sleep(0.3)
        bearer = token(emulator)
        before = call(emulator, "GET", CHECKOUT)
        arm = emulator.arm
        emulator.restart()

        assert emulator.arm == arm
        assert call(emulator, "GET", CHECKOUT, bearer=bearer) == before


def test_kill__right_after_the_answer__loses_nothing(tmp_path: Path) -> None:
    with launch(tmp_path) as emulator:
        put_traffic(emulator, {"blue": 90, "green": 10})
        emulator.kill()
        emulator.start()
        time.sleep(0.3)

        assert call(emulator, "GET", CHECKOUT)["properties"]["traffic"] == {"blue": 90, "green": 10}


def test_starter__gone__takes_the_emulator_with_it(tmp_path: Path) -> None:
    with launch(tmp_path) as emulator:
        process = emulator.process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(timeout=10) == 0


def test_state__in_use__is_refused(tmp_path: Path) -> None:
    with (
        launch(tmp_path, tls=False),
        pytest.raises(EmulatorFailed, match="Another emulator uses"),
        launch(tmp_path / "second", tls=False, keep_state=False, state=tmp_path / "state"),
    ):
        pytest.fail("It started.")


def test_start__on_a_port_in_use__ends_with_a_sentence(running: Emulator) -> None:
    port = running.where["ports"]["arm"]
    ended = subprocess.run(
        [sys.executable, "-m", "emulator", "--scenario", "small", "--port", str(port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_certificates__made_by_the_command_line__are_trusted(tmp_path: Path) -> None:
    with launch(tmp_path, tls=False, certificates=tmp_path, dns_name="emulator") as emulator:
        context = ssl.create_default_context(cafile=str(emulator.ca_file))
        with urllib.request.urlopen(
            f"{emulator.arm}/metadata/endpoints", timeout=10, context=context
        ) as answer:
            assert json.load(answer)[0]["resourceManager"] == emulator.arm


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "missing.yaml"], "can't be read"),
        (["--fleet", "10"], "emulator:"),
        (["--cert", "cert.pem"], "--cert and --key belong together"),
        (["--cert", "c", "--key", "k", "--certificates", "d"], "Either --certificates or --cert and --key"),
    ],
)
def test_start__that_can_not_work__ends_with_a_sentence(arguments: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "emulator", "--port", "0", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_client__without_the_ca__does_not_trust_it(running: Emulator) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{running.arm}/metadata/endpoints", timeout=10)


def test_latency__by_command_line__delays_every_arm_answer(tmp_path: Path) -> None:
    with launch(tmp_path, tls=False, latency_ms=150) as emulator:
        bearer = token(emulator)
        begun = time.monotonic()
        call(emulator, "GET", EMPTY, bearer=bearer)

        assert time.monotonic() - begun >= 0.1
