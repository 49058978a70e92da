"""A thousand random changes to a pack, by people of growing power: each is found, and its file named.

bytes    somebody alters the ZIP as it lies
files    somebody takes the files out, alters them and packs them again
list     they write a new manifest over it, too, but can't sign it
forger   they sign it with a key of their own, under that key's name or under the portal's
insider  they hold the portal's key: what the ledger committed to shows all the same
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from hashlib import sha256

import pytest

from endpoints.audit.chain import leaf, link
from endpoints.challenges.pack.assemble import key_id
from endpoints.challenges.verifier import verify_evidence as verifier
from endpoints.core.container import container
from tests.challenges import packs

KEYS = [packs.public()]
EACH = 200
Files = dict[str, bytes]
UNSIGNED_FILES = {"manifest.json", "manifest.json.sig"}


def files_of(pack: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def flipped(raw: bytes, dice: random.Random) -> bytes:
    if not raw:
        return b"x"
    at = dice.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << dice.randrange(8))]) + raw[at + 1 :]


def shortened(raw: bytes, dice: random.Random) -> bytes:
    return raw[: dice.randrange(len(raw))] if raw else b"\n"


def lengthened(raw: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(raw) + 1)
    return raw[:at] + dice.randbytes(dice.randint(1, 9)) + raw[at:]


def altered(files: Files, dice: random.Random, names: list[str]) -> tuple[Files, str]:
    """One file changed, taken away, put in, renamed, or put into another's place; and its name."""
    name = dice.choice(names)
    kind = dice.randrange(7)
    if kind <= 2:
        return files | {name: (flipped, shortened, lengthened)[kind](files[name], dice)}, name
    if kind == 3:
        return {one: raw for one, raw in files.items() if one != name}, name
    if kind == 4:
        return files | {f"changes/CR-{dice.randint(500, 999)}.json": b"{}\n"}, "changes/CR-"
    if kind == 5:
        return {(f"{one}.old" if one == name else one): raw for one, raw in files.items()}, name
    other = dice.choice([one for one in names if files[one] != files[name] and one not in UNSIGNED_FILES])
    return files | {name: files[other], other: files[name]}, name


def judged(data: bytes) -> verifier.Report:
    return verifier.verify(data, KEYS)


def names_it(report: verifier.Report, where: str) -> bool:
    return any(finding.where.startswith(where) for finding in report.findings)


@pytest.mark.parametrize("seed", range(EACH))
def test_bytes__anything_altered_in_the_zip_as_it_lies__is_found(seed: int) -> None:
    dice, data = random.Random(seed), packs.whole_pack()
    kind, at = seed % 5, random.Random(seed).randrange(len(data))
    mutated = [
        lambda: flipped(data, dice),
        lambda: data[:at],
        lambda: data[:at] + dice.randbytes(dice.randint(1, 40)) + data[at:],
        lambda: data[:-2] + b"\x07\x00comment",
        lambda: dice.randbytes(20) + data,
    ][kind]()
    report = judged(mutated)
    assert report.exit == 1, report.findings


def test_bytes__a_bit_flipped_in_any_header__names_the_file() -> None:
    """Both headers of every file, at places that are other ones from file to file."""
    data, dice = packs.whole_pack(), random.Random(7)
    files = files_of(data)
    at, directory = 0, sum(30 + len(name) + len(raw) for name, raw in files.items())
    for number, (name, raw) in enumerate(files.items()):
        header, line = 30 + len(name), 46 + len(name)
        for place in (
            *range(at + number % 7, at + header, 7),
            *range(directory + number % 9, directory + line, 9),
        ):
            report = judged(
                data[:place] + bytes([data[place] ^ (1 << dice.randrange(8))]) + data[place + 1 :]
            )
            assert report.exit == 1
            # A name in a header is what is altered itself.
            in_name = place - at in range(30, header) or place - directory in range(46, line)
            assert in_name or any(name == finding.where for finding in report.findings), (
                place,
                report.findings,
            )
        at, directory = at + header + len(raw), directory + line


@pytest.mark.parametrize("seed", range(EACH))
def test_files__one_altered_and_packed_again__is_found_and_named(seed: int) -> None:
    dice, files = random.Random(seed), files_of(packs.whole_pack())
    mutated, where = altered(files, dice, list(files))
    report = judged(container(mutated.items()))
    assert report.exit == 1, report.findings
    assert names_it(report, where), (where, report.findings)


@pytest.mark.parametrize("seed", range(EACH // 2))
def test_list__a_new_manifest_that_nobody_signed__is_found(seed: int) -> None:
    dice, files = random.Random(seed), files_of(packs.whole_pack())
    mutated, _ = altered(files, dice, [name for name in files if name not in UNSIGNED_FILES])
    report = judged(packs.remade(mutated, None))
    assert report.exit == 1
    assert names_it(report, "manifest.json.sig")


@pytest.mark.parametrize("seed", range(EACH // 2))
def test_list__made_to_look_unsigned__is_never_whole(seed: int) -> None:
    """Nothing can prove that a pack was signed once; whoever gives a key and gets this asks for another pack."""
    dice, files = random.Random(seed), files_of(packs.whole_pack())
    mutated, _ = altered(files, dice, ["evidence.pdf", "charts/p95.svg", "people.json", "README.txt"])
    manifest = json.loads(files_of(packs.remade(mutated, None))["manifest.json"])
    manifest |= {"signed": False, "key": None}
    own = {name: raw for name, raw in mutated.items() if name not in UNSIGNED_FILES}
    report = judged(container([*sorted(own.items()), ("manifest.json", json.dumps(manifest).encode())]))
    assert report.exit == 2
    assert names_it(report, "manifest.json")


@pytest.mark.parametrize("seed", range(EACH))
def test_forger__signed_with_another_key__is_found(seed: int) -> None:
    dice, files = random.Random(seed), files_of(packs.whole_pack())
    mutated, _ = altered(files, dice, [name for name in files if name not in UNSIGNED_FILES])
    ours, theirs = key_id(packs.ORIGIN, packs.public()), key_id(packs.ORIGIN, packs.public(packs.OTHER_KEY))
    claimed = ours if seed % 2 else theirs
    report = judged(packs.remade(mutated, packs.OTHER_KEY, named=claimed))
    assert names_it(report, "manifest.json.sig")
    assert report.exit == 1 if claimed == ours else report.exit in (1, 3)


INSIDE = {
    "ledger/entries.jsonl": ("ledger/",),
    "ledger/proofs.jsonl": ("ledger/",),
    "ledger/links.jsonl": ("ledger/",),
    "ledger/personal.jsonl": ("ledger/personal.jsonl", "case.json"),
    "ledger/consistency.jsonl": ("ledger/",),
    "ledger/checkpoints/40.txt": ("ledger/",),
    "ledger/checkpoints/130.txt": ("ledger/",),
    "passport.json": ("passport.json",),
    "passports/1.json": ("passports/1.json",),
    "case.json": ("case.json", "passport"),
}


@pytest.mark.parametrize("seed", range(EACH))
def test_insider__signed_with_the_portals_own_key__shows_against_the_ledger(seed: int) -> None:
    dice, files = random.Random(seed), files_of(packs.whole_pack())
    name = list(INSIDE)[seed % len(INSIDE)]
    if name == "case.json":
        files[name] = another_case(files[name], dice)
    elif name.startswith("passport") or name.endswith(".txt"):
        files[name] = flipped(files[name], dice)
    else:
        files[name] = other_lines(files[name], dice)
    report = judged(packs.remade(files, packs.KEY))
    assert report.exit in (1, 2, 3), (name, files[name])
    assert any(names_it(report, where) for where in INSIDE[name]), (name, report.findings)


def other_lines(raw: bytes, dice: random.Random) -> bytes:
    """A line taken away, doubled, exchanged, or with a character of a value replaced."""
    lines = raw.splitlines(keepends=True)
    at = dice.randrange(len(lines))
    kind = dice.randrange(3)
    if kind == 0:
        return b"".join(lines[:at] + lines[at + 1 :])
    if kind == 1 and b'"path"' not in raw and b'"salt"' not in raw and b'"leaf"' not in raw:
        return b"".join([*lines[: at + 1], *lines[at:]])
    line = bytearray(lines[at])
    values = [place for place in range(len(line)) if chr(line[place]) in "0123456789abcdef" and place > 20]
    place = dice.choice(values)
    line[place] = ord(dice.choice([one for one in "0123456789abcdef" if ord(one) != line[place]]))
    return b"".join([*lines[:at], bytes(line), *lines[at + 1 :]])


def another_case(raw: bytes, dice: random.Random) -> bytes:
    """One thing that the ledger committed to, told otherwise."""
    case = json.loads(raw)
    move = dice.choice(case["moves"])
    note = dice.choice(case["notes"])
    evidence = dice.choice(case["evidence"])
    acts: list[Callable[[], object]] = [
        lambda: move.update(by="user:99"),
        lambda: move.update(kind="commented"),
        lambda: move.update(at="2026-11-25T07:00:00.000000Z"),
        lambda: move.update(entry=3),
        lambda: move["data"].update(more="x"),
        lambda: move.update(after="decided" if move["after"] != "decided" else "open"),
        lambda: case["moves"].remove(move),
        lambda: note.update(text=note["text"] + "!"),
        lambda: case.update(outcome="overturned"),
        lambda: case.update(state="open"),
        lambda: case.update(decided_by="user:3"),
        lambda: case.update(confirmed_by=""),
        lambda: case.update(version=case["version"] + 1),
        lambda: evidence.update(sha256="00" * 32),
        lambda: case["evidence"].remove(evidence),
        lambda: case.update(id=8),
    ]
    dice.choice(acts)()
    return json.dumps(case).encode()


def test_insider__an_entry_rewritten_with_hash_and_link__is_not_in_the_tree() -> None:
    files = files_of(packs.whole_pack())
    rows = [json.loads(line) for line in files["ledger/entries.jsonl"].splitlines()]
    body = packs.base64.b64decode(rows[3]["body"]).replace(b"user:3", b"user:8")
    prev = bytes.fromhex(rows[3]["prev"])
    rows[3] |= {
        "body": packs.base64.b64encode(body).decode(),
        "hash": link(prev, rows[3]["seq"], rows[3]["at_us"], leaf(body)).hex(),
    }
    files["ledger/entries.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    report = judged(packs.remade(files, packs.KEY))
    assert report.exit == 1
    assert names_it(report, "ledger/proofs.jsonl")


def test_insider__an_entry_dated_otherwise_with_its_own_hash__does_not_lead_to_the_checkpoint() -> None:
    files = files_of(packs.whole_pack())
    rows = [json.loads(line) for line in files["ledger/entries.jsonl"].splitlines()]
    last = rows[-1]
    body = packs.base64.b64decode(last["body"])
    at = last["at_us"] - 1_000_000
    last |= {"at_us": at, "hash": link(bytes.fromhex(last["prev"]), last["seq"], at, leaf(body)).hex()}
    files["ledger/entries.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    report = judged(packs.remade(files, packs.KEY))
    assert report.exit == 1
    assert names_it(report, "ledger/checkpoints/130.txt")


def test_insider__the_whole_ledger_written_anew_and_signed__shows_only_against_checkpoints_from_elsewhere() -> (
    None
):
    """What a pack alone can't show, and why checkpoints are sent out."""
    forged = [packs.body("change:1", "change.approved", after={"n": -n}) for n in range(140)]
    old, new = packs.ledger().entries, list(forged)
    for seq in (*packs.AT, 52):
        new[seq - 1] = json.loads(old[seq - 1].body)
    ledger = packs.ledger_of(new)
    numbers = sorted({*packs.AT, *packs.WINDOW})
    part = ledger.part(numbers, personal=packs.pack_input().ledger.personal)
    data = packs.assemble(packs.pack_input(ledger=part), packs.signer())
    assert verifier.verify(data, KEYS).exit == 0
    noted = packs.ledger().checkpoint(40)
    report = verifier.verify(data, KEYS, [("mailed.txt", noted)])
    assert report.exit == 1
    assert names_it(report, "ledger/checkpoints/40.txt")


def test_mutations__all_together__are_at_least_a_thousand() -> None:
    assert EACH + EACH + EACH // 2 + EACH // 2 + EACH + EACH >= 1000
    assert (
        sha256(packs.whole_pack()).digest()
        == sha256(packs.assemble(packs.pack_input(), packs.signer())).digest()
    )


STRANGE: tuple[object, ...] = (
    None, True, -1, 0, 2**70, 1.5, "", "x", "\ud800", "\x1b[2J", [], {}, [[]], {"a": 1}, "9" * 400,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(300))
def test_insider__any_value_of_another_kind__is_a_finding_and_no_crash(seed: int) -> None:
    """Whoever holds the key may write anything into the parts that are read: the program says so and goes on."""
    dice, files = random.Random(seed), files_of(packs.whole_pack())
    name = dice.choice([one for one in files if one == "case.json" or one.endswith(".jsonl")])
    if name == "case.json":
        files[name] = json.dumps(strange(json.loads(files[name]), dice)).encode()
    else:
        rows = [json.loads(line) for line in files[name].splitlines()]
        at = dice.randrange(len(rows))
        rows[at] = strange(rows[at], dice)
        files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    report = judged(packs.remade(files, packs.KEY))
    said = verifier.told(report, b"")
    assert not [finding for finding in report.findings if finding.where == "the pack"], report.findings
    assert all(line.isprintable() for line in said.splitlines())


def strange(value: object, dice: random.Random) -> object:
    """One value somewhere in it becomes something else."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        return value | {key: strange(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], strange(value[at], dice), *value[at + 1 :]]
    return dice.choice(STRANGE)


@pytest.mark.parametrize("origin", ["", "\x1b[2J", "a\nb", "\ud800", 5, None])
def test_insider__origin_that_is_no_name__is_found(origin: object) -> None:
    files = files_of(packs.whole_pack())
    manifest = json.loads(files["manifest.json"]) | {"origin": origin}
    files["manifest.json"] = json.dumps(manifest).encode()
    report = judged(container(files.items()))
    assert (report.exit, report.findings[0].where) == (1, "manifest.json")
