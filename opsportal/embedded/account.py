"""Under whose account PostgreSQL runs: it refuses to be root, and to be a number without a name.

An ordinary user: as we are. Root: as `nobody`, when that user can reach the programs and the data. Else, and for
users that have no name (containers often run as some number), inside a user namespace where we are `nobody`.
Otherwise one sentence says what to do.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """How to start a process: as another user, behind a prefix, or plainly."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def own(self, folder: Path) -> None:
        """Give a folder to this account, for itself alone."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a short command to its end, in a neutral folder: ours may be closed to this account."""
        return subprocess.run(  # noqa: S603 - our own programs
            [*self.prefix, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )


DIRECT = Account()


class NoAccount(RuntimeError):
    """PostgreSQL can't run here; the text says why and what to do."""


def unprivileged(*, program: Path, data_parent: Path) -> Account:
    """The account for a program that refuses root and keeps its data below `data_parent`."""
    is_root = os.geteuid() == 0
    if not is_root and _has_name(os.geteuid()):
        return DIRECT
    nobody = _nobody()
    reachable = _traversable(program.parent) and _traversable(data_parent)
    if is_root and nobody and reachable and _runs(nobody, program):
        return nobody
    namespace = _namespace(nobody)
    if namespace and _runs(namespace, program):
        return namespace
    raise NoAccount(
        "PostgreSQL does not run as root or as a user without a name, and nobody else can reach this folder. Run "
        "as a normal user, move the checkout out of a private folder, or set DATABASE_URL to a server of your own."
    )


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return False


def _nobody() -> Account | None:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _namespace(known: Account | None) -> Account | None:
    """Where we are somebody with a name, and our files are theirs."""
    unshare = shutil.which("unshare")
    if not unshare or known is None:
        return None
    return Account(prefix=(unshare, "--user", f"--map-user={known.uid}", f"--map-group={known.gid}"))


def _traversable(folder: Path) -> bool:
    """Whether others may pass through every folder on the way."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def _runs(account: Account, program: Path) -> bool:
    try:
        return account.run(str(program), "--version").returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
