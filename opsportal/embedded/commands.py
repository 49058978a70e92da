"""The commands of every process, the same in the demo and in docker-compose.yml (a test compares them).

What differs between the two (addresses, numbers of workers) comes from the environment:
uvicorn reads UVICORN_HOST, UVICORN_PORT and WEB_CONCURRENCY.
"""

from __future__ import annotations

import sys

PREPARE = ("python", "manage.py", "prepare_database")
COLLECT_STATIC = ("python", "manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0")
SEED_DEMO = ("python", "manage.py", "seed_demo")

WEB = (
    *("python", "-m", "uvicorn", "opsportal.asgi:application"),
    # Event streams never end by themselves: without a limit a stop would wait for them.
    *("--timeout-graceful-shutdown", "5"),
    # One line per request is logged by our own middleware, with the request's id and without its query.
    *("--no-access-log", "--log-level", "warning", "--lifespan", "off", "--no-server-header"),
)
EXECUTOR = ("python", "manage.py", "executor")
WORKER = (
    *("python", "-m", "celery", "-q", "-A", "opsportal", "worker"),
    *("-Q", "sync,metrics,reports", "--concurrency", "3", "--loglevel", "WARNING"),
    *("--without-gossip", "--without-mingle"),
)
# The timetable is code, so beat needs no file to remember it.
BEAT = (
    *("python", "-m", "celery", "-q", "-A", "opsportal", "beat"),
    *("--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING"),
)

LONG_RUNNING = {"web": WEB, "executor": EXECUTOR, "worker": WORKER, "beat": BEAT}


def with_this_python(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command as run here, where `python` may be anything or nothing."""
    return (sys.executable, *command[1:]) if command[0] == "python" else command
