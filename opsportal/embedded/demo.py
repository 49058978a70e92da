"""`python3 dev.py demo`: everything on this machine, from nothing to a fleet that has been read."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from opsportal.embedded.account import NoAccount
from opsportal.embedded.console import Console
from opsportal.embedded.fingerprint import ROOT
from opsportal.embedded.postgres import ServerUnavailable
from opsportal.embedded.processes import free_port, port_is_free
from opsportal.embedded.stack import NotStarted, Stack
from opsportal.embedded.state import AlreadyRunning, State
from opsportal.embedded.supervisor import stop_leftovers

DEFAULT_PORT = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console()
    for order in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, signal.default_int_handler)
    # A user's wish for no .pyc files would make each start compile everything in every process.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder = f"demo-{options.fleet}" if options.fleet else "demo"
    state = State(Path(os.environ.get("OPSPORTAL_VAR") or ROOT / ".var") / folder)
    try:
        state.acquire()
        return _run(state, console, options)
    except (AlreadyRunning, NotStarted, ServerUnavailable, NoAccount) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(state: State, console: Console, options: argparse.Namespace) -> int:
    os.environ["OPSPORTAL_VAR"] = str(state.folder)
    left = stop_leftovers(state.run_dir, mark=f"OPSPORTAL_VAR={state.folder}")
    if left:
        console.say(f"          stopped what a killed run had left: {', '.join(left)}")
    if options.fresh:
        state.wipe()
        console.say("          starting over: the demo's data is deleted")
    stack = Stack(state, console, _choose_port(options.port), options.fleet or "")
    state.announce(f"process {os.getpid()}, {stack.url}")
    try:
        stack.start()
        _greet(stack)
        first_changes = threading.Thread(target=_make_first_changes, args=(stack,), daemon=True)
        first_changes.start()
        until = (lambda: not first_changes.is_alive()) if options.exit_when_ready else (lambda: False)
        stack.supervisor.watch(until=until)
    except KeyboardInterrupt:
        console.say("\nStopping …")
    finally:
        stack.supervisor.stop()
    console.say(f"Stopped. The data stays in {state.folder}; --fresh starts over.")
    return 0


def _make_first_changes(stack: Stack) -> None:
    """Beside the running portal: nobody need wait for the executor's own pace."""
    try:
        stack.make_first_changes()
    except NotStarted as error:
        stack.console.say(f"The demo's first changes were not all made. {error}")


def _greet(stack: Stack) -> None:
    logins = stack.state.folder / "logins.txt"
    told = logins.read_text().strip() if logins.exists() else ""
    stack.console.say(f"\n  The portal is ready:  {stack.url}\n")
    for line in told.splitlines():
        stack.console.say(f"  {line}")
    stack.console.say("\n  Ctrl-C stops everything.\n")


def _choose_port(wanted: int | None) -> int:
    if wanted is not None:
        if not port_is_free(wanted):
            raise NotStarted(f"Port {wanted} is in use by another program. Nothing was started.")
        return wanted
    return DEFAULT_PORT if port_is_free(DEFAULT_PORT) else free_port()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: it must be a number from 1 to 65535.")
    return int(text)


def _fleet(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,4}x([1-9]|1\d|20)", text):
        raise argparse.ArgumentTypeError("a fleet is written as endpoints x deployments, such as 2000x3")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py demo", description="Run everything on this machine.")
    parser.add_argument("--fresh", action="store_true", help="delete the demo's data and start over")
    parser.add_argument(
        "--fleet",
        type=_fleet,
        help="a made-up fleet instead, such as 2000x3, with data of its own",
    )
    parser.add_argument(
        "--port", type=_port, help=f"where the portal listens (default {DEFAULT_PORT} if free)"
    )
    parser.add_argument(
        "--exit-when-ready", action="store_true", help="stop again as soon as the fleet has been read"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
