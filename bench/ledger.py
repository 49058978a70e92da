"""The ledger: checking a long one, appending with eight writers at once, and proofs beside a million entries.

Every 100 entries there is a checkpoint, which is more than any portal makes. Yardsticks: only reading the rows, and
inserting the same rows into a table without trigger.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from bench import stage
from bench.figures import Figure
from bench.ledger_fill import EVERY, fill, key

if TYPE_CHECKING:
    from tests.support.databases import Database

WRITERS = 8


def measure(entries: float = 1e6, appends: float = 8_000, runs: float = 200) -> list[Figure]:
    stage.prepare()
    with stage.database() as database, key():
        appended = _appending(database, int(appends))
    with stage.database() as database, key():
        began = time.perf_counter()
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            fill(owner, int(entries))
        sys.stdout.write(f"wrote {int(entries):,} entries in {time.perf_counter() - began:.0f} s\n")
        return [*_checking(int(entries)), *appended, *_proving(int(entries), int(runs))]


def _checking(entries: int) -> list[Figure]:
    from django.db import transaction

    from endpoints.audit import signing, verification
    from endpoints.audit.seals import Seal, stored_seal
    from endpoints.audit.verification import batches, verify_stored

    def read() -> None:
        with transaction.atomic():
            for _ in batches():
                pass

    rows = verification.stored_checkpoints()
    known = signing.keys().known
    began = time.perf_counter()
    seals = [seal for row in rows if isinstance(seal := stored_seal(row, known), Seal)]
    signatures = len(seals) / (time.perf_counter() - began)
    assert len(seals) == len(rows) == entries // EVERY

    def follow() -> None:
        with transaction.atomic():
            chain, walk = verification.follow(None, seals)
        assert (chain.ok, chain.count, walk.agreed) == (True, entries, len(seals)), chain

    def everything() -> None:
        found = verify_stored()
        assert (found.ok, found.checkpoints, found.unchecked) == (True, len(seals), ()), found

    reading = _rate(entries, read)
    return [
        _more("chain and tree checked", _rate(entries, follow), 200_000, "entries/s", reading),
        _more("all of it checked", _rate(entries, everything, times=1), 30_000, "entries/s", reading),
        _more("checkpoints and signatures checked", signatures, 2_000, "/s"),
    ]  # fmt: skip


def _rate(entries: int, work: Callable[[], None], times: int = 3) -> float:
    """Of the best of three: others use this machine too."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return entries / min(spent)


def _appending(database: Database, appends: int) -> list[Figure]:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE plain (LIKE audit_entry)")
        owner.execute("ALTER TABLE plain ALTER seq SET DEFAULT 1")
        for column in ("event_id", "at", "app_at", "actor", "on_behalf", "auth", "subject", "endpoint", "action",
                       "request_id", "azure_request_id", "prev_hash", "hash"):  # fmt: skip
            owner.execute(f"ALTER TABLE plain ALTER {column} DROP NOT NULL")
        owner.execute("GRANT INSERT ON plain TO opsportal_runtime")
    plain, _ = _written(_write_plain, appends)
    rate, p95 = _written(_record, appends)
    return [
        _more(f"appended by {WRITERS} writers", rate, 1_500, "entries/s", plain),
        Figure(name="one append, p95", value=p95, bar=10, unit="ms"),
    ]


def _written(write: Callable[[int], None], appends: int) -> tuple[float, float]:
    """Entries a second, and the slow end of one, in milliseconds."""
    from django.db import connections

    connections.close_all()
    with ProcessPoolExecutor(WRITERS) as pool:
        each = partial(_one_writer, write, appends // WRITERS, time.time() + 2)
        told = list(pool.map(each, range(WRITERS)))
    began, ended = min(one[0] for one in told), max(one[1] for one in told)
    spent = sorted(ms for one in told for ms in one[2])
    return len(spent) / (ended - began), statistics.quantiles(spent, n=20)[-1]


def _one_writer(
    write: Callable[[int], None], count: int, at: float, writer: int
) -> tuple[float, float, list[float]]:
    from django.db import connections

    connections.close_all()
    write(writer)  # connects
    time.sleep(max(0.0, at - time.time()))
    spent: list[float] = []
    first = time.time()
    for _ in range(count):
        began = time.perf_counter()
        write(writer)
        spent.append((time.perf_counter() - began) * 1000)
    return first, time.time(), spent


def _record(writer: int) -> None:
    from django.db import transaction

    from endpoints.audit.actors import Actor
    from endpoints.audit.services import record

    with transaction.atomic():
        record(
            actor=Actor(f"user:{writer}", "session"),
            action="change.approved",
            subject="change:7",
            workspace_id=1,
            endpoint="endpoint:5",
            before={"state": "in_review", "version": 3},
            after={"state": "approved", "version": 4},
        )


def _write_plain(writer: int) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO plain (body) VALUES (%s)", [b"x" * 400])


def _proving(entries: int, runs: int) -> list[Figure]:
    from endpoints.audit.actors import SYSTEM_COMMAND
    from endpoints.audit.selectors import consistency_proof, inclusion_proof, inclusion_proofs
    from endpoints.audit.services import make_checkpoint, note_anchoring

    note_anchoring(size=entries, place="log", ok=True)  # the older ones would be put out first
    draw = random.Random(1)
    sealed = entries // EVERY

    def inclusion() -> None:
        inclusion_proof(draw.randint(1, entries), entries)

    def consistency() -> None:
        consistency_proof(draw.randint(1, sealed) * EVERY, entries)

    def seal() -> None:
        for _ in range(EVERY):
            _record(1)
        began = time.perf_counter()
        assert make_checkpoint(actor=SYSTEM_COMMAND)
        sealing.append((time.perf_counter() - began) * 1000)

    sealing: list[float] = []
    together = _p95(
        lambda: inclusion_proofs(draw.sample(range(1, entries + 1), 100), entries), max(runs // 20, 2)
    )
    figures = [
        Figure(name=f"proof of one of {entries:,}, p95", value=_p95(inclusion, runs), bar=20, unit="ms"),
        Figure(name="proofs of 100 of them, p95", value=together, bar=500, unit="ms"),
        Figure(name="proof that it only grew, p95", value=_p95(consistency, runs), bar=40, unit="ms"),
    ]
    for _ in range(10):
        seal()
    return [*figures, Figure(name=f"sealing {EVERY} more, worst", value=max(sealing), bar=100, unit="ms")]


def _p95(work: Callable[[], Any], runs: int) -> float:
    spent: list[float] = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    return _upper(spent)


def _upper(spent: Sequence[float]) -> float:
    return statistics.quantiles(spent, n=20)[-1]


def _more(name: str, value: float, bar: float, unit: str, yardstick: float | None = None) -> Figure:
    return Figure(name=name, value=value, bar=bar, unit=unit, yardstick=yardstick, more_is_better=True)
