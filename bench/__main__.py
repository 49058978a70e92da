"""`python -m bench NAME`: one line per figure and one for the machine; 1 when a bar falls short."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from inspect import Signature, signature
from pathlib import Path
from pkgutil import resolve_name

from bench.figures import Figure, table

_OURS = {"__init__", "__main__", "figures"}


def main(arguments: Sequence[str]) -> int:
    names = known()
    if not arguments or arguments[0] not in names:
        return _usage(f"NAME is one of: {', '.join(names)}")
    measure = resolve_name(f"bench.{arguments[0]}:measure")
    options = _options(arguments[1:], signature(measure))
    if options is None:
        return _usage(
            f"{arguments[0]} takes {', '.join(map(_flag, signature(measure).parameters)) or 'no option'}"
        )
    return report(list(measure(**options)))


def _usage(told: str) -> int:
    sys.stderr.write(f"usage: python3 dev.py bench NAME [--OPTION N], where {told}\n")
    return 2


def _options(given: Sequence[str], takes: Signature) -> dict[str, float] | None:
    """`--runs 20` for a measurement that has a parameter `runs`; None for what can't be understood."""
    known_flags = {_flag(name): name for name in takes.parameters}
    flags, values = given[::2], given[1::2]
    if len(flags) != len(values) or not set(flags) <= set(known_flags):
        return None
    try:
        told = {known_flags[flag]: float(value) for flag, value in zip(flags, values, strict=True)}
    except ValueError:
        return None
    return {name: int(value) if value == int(value) else value for name, value in told.items()}


def _flag(name: str) -> str:
    return f"--{name}"


def known() -> list[str]:
    """The measurements that there are: modules that define `measure`."""
    modules = (path for path in Path(__file__).parent.glob("*.py") if path.stem not in _OURS)
    return sorted(path.stem for path in modules if "\ndef measure(" in path.read_text())


def report(figures: Sequence[Figure]) -> int:
    for line in [*table(figures), "", machine()]:
        sys.stdout.write(line + "\n")
    # A measurement that measured nothing has not reached its bars.
    return 0 if figures and all(figure.ok for figure in figures) else 1


def machine() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"machine: {_processor()}, {os.cpu_count()} cores{load}; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
