"""The command line: `python -m emulator`. Prints one JSON line when it listens, then runs until ended."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from emulator.build import build
from emulator.certificates import ensure_ca
from emulator.cloud import Cloud
from emulator.fleet import FleetSize, generate
from emulator.reading import ScenarioError
from emulator.scenario import Scenario, load
from emulator.server import LOOPBACK, Listen, Server
from emulator.settings import SettingError
from emulator.values import Json
from emulator.worldlog import StateInUse

SCENARIOS = Path(__file__).parent / "scenarios"


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    p.add_argument("--host", default=LOOPBACK, help="address of the Azure and identity listeners")
    p.add_argument("--port", type=int, default=8643, help="Azure: ARM, metadata, scoring; 0 takes a free one")
    p.add_argument("--identity-port", type=int, default=8644, help="managed identity over plain HTTP")
    p.add_argument("--admin-port", type=int, default=8645, help="faults and ground truth, loopback only")
    p.add_argument(
        "--cert", type=Path, help="server certificate (PEM); without it the Azure port is plain HTTP"
    )
    p.add_argument("--key", type=Path, help="the certificate's key (PEM)")
    p.add_argument("--certificates", type=Path, metavar="DIR", help="make or reuse a development CA here")
    p.add_argument("--dns-name", action="append", default=[], help="further name in that certificate")
    p.add_argument(
        "--state", type=Path, metavar="DIR", help="keep the world log here; without it in memory only"
    )
    p.add_argument("--scenario", metavar="FILE", help="a scenario file, or the name of one that comes along")
    p.add_argument(
        "--fleet", metavar="NxM", help="instead of a scenario: N endpoints with M deployments each"
    )
    p.add_argument("--workspaces", type=int, default=4, help="workspaces of a --fleet")
    p.add_argument("--subscriptions", type=int, default=2, help="subscriptions of a --fleet")
    p.add_argument("--seed", type=int, help="everything made up follows from this number")
    p.add_argument("--latency-ms", type=float, help="wait this long before every ARM answer")
    p.add_argument("--arm-buckets", action="store_true", default=None, help="enforce ARM's token buckets")
    p.add_argument(
        "--identity-header", help="the secret of the App Service identity endpoint; random if absent"
    )
    p.add_argument("--ports-file", type=Path, help="also write the JSON line to this file")
    p.add_argument("--until-stdin-closes", action="store_true", help="end when the starting process is gone")
    return p


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        cloud = _cloud(options)
    except (ScenarioError, SettingError, StateInUse, ValueError, OSError) as error:
        return _refused(error)
    try:
        asyncio.run(_run(cloud, options))
    except OSError as error:  # a port in use, a certificate that is none, a full disk
        return _refused(error)
    return 0


def _refused(error: Exception) -> int:
    sys.stderr.write(f"emulator: {error}\n")
    return 2


def _cloud(options: argparse.Namespace) -> Cloud:
    if bool(options.cert) != bool(options.key):
        raise SettingError("--cert and --key belong together.")
    if options.certificates and options.cert:
        raise SettingError("Either --certificates or --cert and --key.")
    if options.certificates:
        made = ensure_ca(options.certificates, options.dns_name)
        options.cert, options.key = made.cert, made.key
    return build(
        _scenario(options),
        overrides=_overrides(options),
        state=options.state,
        identity_header=options.identity_header,
    )


def _scenario(options: argparse.Namespace) -> Scenario:
    if options.fleet:
        size = FleetSize.parse(
            options.fleet, workspaces=options.workspaces, subscriptions=options.subscriptions
        )
        return generate(size, options.seed or 1)
    name = options.scenario or "demo"
    own = SCENARIOS / f"{name}.yaml"
    return load(own if own.is_file() else Path(name))


def _overrides(options: argparse.Namespace) -> Json:
    told = {"seed": options.seed, "latency_ms": options.latency_ms, "arm_buckets": options.arm_buckets}
    return {name: value for name, value in told.items() if value is not None}


async def _run(cloud: Cloud, options: argparse.Namespace) -> None:
    listen = Listen(
        host=options.host,
        port=options.port,
        identity_port=options.identity_port,
        admin_port=options.admin_port,
        cert=options.cert,
        key=options.key,
    )
    server = Server(cloud, listen)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if options.until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _end_at_eof, ended)
    try:
        _announce(await server.start(), options.ports_file)
        await ended.wait()
    finally:
        await server.stop()


def _end_at_eof(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()


def _announce(where: Json, ports_file: Path | None) -> None:
    line = json.dumps(where)
    if ports_file is not None:
        staged = ports_file.with_suffix(".new")
        staged.write_text(line + "\n", encoding="utf-8")
        staged.replace(ports_file)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
