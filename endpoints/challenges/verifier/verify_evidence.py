#!/usr/bin/env python3
"""Check an evidence pack of opsportal: no portal, no database, no network, nothing but Python 3.8 or later.

    python3 verify_evidence.py PACK.zip --key PUBLIC.pem [--key ...] [--checkpoints FILE] [--json]

Exit codes: 0 everything is as it was signed and recorded; 1 something was altered; 2 nothing is wrong, but something
can't be checked; 3 signed with a key that you did not give. Each finding is one line that names the file.

Get the public key, and best this program too, from somewhere else than the pack: it can't vouch for itself.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256, sha512
from typing import Any, NamedTuple

FORMAT = "opsportal-evidence/1"
TAMPERED, INCOMPLETE, KEY = "TAMPERED", "INCOMPLETE", "KEY UNKNOWN"
EXITS = {TAMPERED: 1, KEY: 3, INCOMPLETE: 2}
VERDICTS = {0: "whole", 1: "tampered", 2: "incomplete", 3: "key unknown"}
LARGEST = 512 * 1024 * 1024
LATEST_LEDGER_DELAY = 15 * 60 * 1000000
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
CASE, PASSPORT = "case.json", "passport.json"
ENTRIES, PERSONAL, PROOFS = "ledger/entries.jsonl", "ledger/personal.jsonl", "ledger/proofs.jsonl"
CONSISTENCY, LINKS, CHECKPOINTS = "ledger/consistency.jsonl", "ledger/links.jsonl", "ledger/checkpoints/"
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}\Z")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")


class Malformed(Exception):
    """Something is not in the form that it should have; the text says what."""


class Finding(NamedTuple):
    """One thing that is wrong or can't be checked."""

    kind: str
    where: str
    words: str


def printable(text: str) -> str:
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


class Report:
    """What was found, and how much was looked at."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.checked: dict[str, int] = {}

    def tampered(self, where: str, words: str) -> None:
        self._add(TAMPERED, where, words)

    def incomplete(self, where: str, words: str) -> None:
        self._add(INCOMPLETE, where, words)

    def unknown_key(self, where: str, words: str) -> None:
        self._add(KEY, where, words)

    def _add(self, kind: str, where: str, words: str) -> None:
        """What a pack says of itself must not steer the console that shows it."""
        self.findings.append(Finding(kind, printable(where), printable(words)))

    def count(self, what: str, number: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + number

    @property
    def exit(self) -> int:
        kinds = {finding.kind for finding in self.findings}
        return next((EXITS[kind] for kind in EXITS if kind in kinds), 0)


# --- Ed25519: verification only, after RFC 8032, section 5.1 ---------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_NEUTRAL = (0, 1, 1, 0)


def _add(one: Any, other: Any) -> Any:
    """The sum of two points in extended coordinates (X, Y, Z, T), with x = X/Z, y = Y/Z, xy = T/Z."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(point: Any) -> Any:
    a, b, c = point[0] * point[0] % _P, point[1] * point[1] % _P, 2 * point[2] * point[2] % _P
    h = a + b
    e = h - (point[0] + point[1]) ** 2
    g = a - b
    f = c + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _decoded_point(raw: bytes) -> Any:
    """The point that 32 bytes name; None when they name none."""
    number = int.from_bytes(raw, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P == -u % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if v * x * x % _P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encoded_point(point: Any) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return int(y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _decoded_point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` was made with the key whose public half (32 bytes) this is."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, s = _decoded_point(public), int.from_bytes(signature[32:], "little")
    if key is None or s >= _L:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % _L
    minus_key = (-key[0] % _P, key[1], key[2], -key[3] % _P)
    terms = {(1, 0): _BASE, (0, 1): minus_key, (1, 1): _add(_BASE, minus_key)}
    total = _NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        total = _double(total)
        chosen = (s >> bit & 1, k >> bit & 1)
        if chosen != (0, 0):
            total = _add(total, terms[chosen])
    return _encoded_point(total) == signature[:32]


# --- Keys ------------------------------------------------------------------------------------------------------------

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----(.*?)-----END PUBLIC KEY-----", re.S)
_VKEY = re.compile(r"[^+\s]+\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)\Z")
_DER_BEFORE_ED25519 = bytes.fromhex("302a300506032b6570032100")


def public_keys(given: Iterable[str]) -> list[bytes]:
    """The 32 bytes of each key: a file, base64, or ORIGIN+ID+BASE64. ValueError with words for anything else."""
    return [_public_key(text.strip()) for text in given]


def _public_key(text: str) -> bytes:
    try:
        with open(text, encoding="ascii", errors="replace") as file:
            found = file.read(100000).strip()
    except (OSError, ValueError):
        found = text
    pem = _PEM.search(found)
    if pem:
        der = _unbase64("".join(pem.group(1).split()))
        if der.startswith(_DER_BEFORE_ED25519) and len(der) == 44:
            return der[12:]
        raise ValueError("the PEM file holds no public key for Ed25519")
    named = _VKEY.match(found)
    raw = _unbase64(named.group(1) if named else found)
    if len(raw) == 33 and raw[:1] == b"\x01":
        return raw[1:]
    if len(raw) == 32:
        return raw
    raise ValueError("a key is a PEM file, the base64 of 32 bytes, or ORIGIN+ID+BASE64")


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is not base64 of a key, nor a file that can be read") from None


def key_id(origin: str, public: bytes) -> str:
    """The eight hex digits by which signatures of that origin name the key."""
    return sha256(origin.encode("utf-8", "surrogatepass") + b"\n\x01" + public).hexdigest()[:8]


# --- The ZIP ---------------------------------------------------------------------------------------------------------

Files = Any  # dict of path and bytes, in the order of the ZIP

_LOCAL, _CENTRAL, _END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_FACTS = "<4H3L"
_LOCAL_SIZE, _CENTRAL_SIZE = 30, 46


def container(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The one ZIP that a pack of these files may be: uncompressed, undated, without comments or extras."""
    body, directory, count = bytearray(), bytearray(), 0
    for name, content in files:
        raw = name.encode("ascii")
        facts = struct.pack(_FACTS, 0, 0, 0, 0x21, zlib.crc32(content), len(content), len(content))
        directory += struct.pack("<4s2H", _CENTRAL, 0x0314, 20) + facts
        directory += struct.pack("<5H2L", len(raw), 0, 0, 0, 0, 0o100644 << 16, len(body)) + raw
        body += struct.pack("<4sH", _LOCAL, 20) + facts + struct.pack("<2H", len(raw), 0) + raw + content
        count += 1
    end = struct.pack("<4s4H2LH", _END, 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def read_files(data: bytes, report: Report) -> Files:
    """The pack's files. Whatever is not exactly as the portal writes it is a finding, and named."""
    walked, broken = _walk(data)
    files = dict(walked)
    if len(files) != len(walked) or not all(_NAME.match(name) for name in files):
        report.tampered("the ZIP", "it has names that no pack has, or one name more than once")
    elif broken is None and container(walked) == data:
        return files
    else:
        _say_where(data, walked, broken, report)
    return _read_leniently(data, files, report)


def _walk(data: bytes) -> tuple[list[tuple[str, bytes]], str | None]:
    """Files one behind the other, and the name of the one in which that breaks off: None when it comes to its end."""
    found: list[tuple[str, bytes]] = []
    at = 0
    while data[at : at + 4] == _LOCAL and len(data) >= at + _LOCAL_SIZE:
        size, length = struct.unpack_from("<L", data, at + 22)[0], struct.unpack_from("<H", data, at + 26)[0]
        start = at + _LOCAL_SIZE + length
        name, content = data[at + _LOCAL_SIZE : start].decode("ascii", "replace"), data[start : start + size]
        if len(content) < size or not _NAME.match(name):
            return found, name
        found.append((name, content))
        at = start + size
    if data[at : at + 4] == _CENTRAL:
        return found, None
    return found, found[-1][0] if found else ""


def _say_where(data: bytes, files: list[tuple[str, bytes]], broken: str | None, report: Report) -> None:
    """Name the place of the first byte that is not as it was written."""
    offset = _first_difference(data, container(files))
    at = 0
    for name, content in files:
        at += _LOCAL_SIZE + len(name) + len(content)
        if offset < at:
            report.tampered(
                name, f"the ZIP's header of this file, or its content, was altered (byte {offset})"
            )
            return
    if broken is not None and broken not in dict(files):
        where = broken if _NAME.match(broken) else "the ZIP"
        report.tampered(where, f"the ZIP breaks off in this file, or its header was altered (byte {offset})")
        return
    for name, _ in files:
        at += _CENTRAL_SIZE + len(name)
        if offset < at:
            report.tampered(
                name, f"the ZIP's directory line of this file was altered or cut off (byte {offset})"
            )
            return
    words = f"something was put in, put behind or cut off at byte {offset}: comments, extra bytes or files"
    report.tampered("the ZIP", words)


def _first_difference(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _read_leniently(data: bytes, walked: Files, report: Report) -> Files:
    """What a common unpacker would take out: that is what must be judged, because that is what people see."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except Exception as error:  # noqa: BLE001 - zipfile raises many kinds for what somebody damaged
        report.tampered("the ZIP", f"it can't be read to its end ({error}): cut off or damaged")
        return walked
    if not report.findings:
        report.tampered(
            "the ZIP", "it is not byte for byte as the portal writes it: packed again, or altered"
        )
    files: dict[str, bytes] = {}
    if sum(info.file_size for info in infos) > LARGEST:
        report.tampered("the ZIP", "unpacked it would be larger than any pack is")
        return files
    for info in infos:
        _take(archive, info, files, report)
    return files


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, files: Files, report: Report) -> None:
    name = info.filename
    if not _NAME.match(name):
        report.tampered(repr(name), "no pack has a file of such a name; unpacking it could write elsewhere")
    elif name in files:
        report.tampered(name, "the ZIP has this file twice")
    else:
        try:
            files[name] = archive.read(info)
        except Exception as error:  # noqa: BLE001
            report.tampered(name, f"it can't be read ({error})")


# --- JSON ------------------------------------------------------------------------------------------------------------


def parsed(raw: bytes) -> Any:
    """A JSON value. Malformed when it is none, or has a key twice, which readers take differently."""
    try:
        return json.loads(
            raw.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({error})") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def field(row: Any, name: str, kind: type) -> Any:
    """A field of an object; Malformed when it is not there or of another kind."""
    value = row.get(name) if isinstance(row, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(f"`{name}` is missing or not what it should be")
    return value


def digest(row: Any, name: str) -> bytes:
    """A field of 64 hex digits."""
    return _digest(field(row, name, str), name)


def digests(row: Any, name: str) -> list[bytes]:
    return [_digest(one, name) for one in field(row, name, list)]


def _digest(text: Any, name: str) -> bytes:
    if not isinstance(text, str) or not re.match(r"[0-9a-f]{64}\Z", text):
        raise Malformed(f"`{name}` is not 64 hex digits")
    return bytes.fromhex(text)


def lines(files: Files, path: str, report: Report, read: Callable[[Any], Any]) -> list[Any]:
    """What `read` makes of each line of a file; lines that it can't take are findings."""
    found = []
    for number, line in enumerate(files.get(path, b"").splitlines(), start=1):
        try:
            found.append(read(parsed(line)))
        except Malformed as error:
            report.tampered(path, f"line {number}: {error}")
    return found


# --- The manifest ----------------------------------------------------------------------------------------------------


def check_manifest(files: Files, keys: list[bytes], report: Report) -> Any:
    """Every file as it was listed, none more and none less, and the list signed. The manifest, or None."""
    if MANIFEST not in files:
        report.tampered(MANIFEST, "it is missing, so nothing says what belongs to this pack")
        return None
    try:
        manifest = parsed(files[MANIFEST])
        if field(manifest, "format", str) != FORMAT:
            raise Malformed(f"its format is not {FORMAT}")
        listed = [
            (field(one, "path", str), field(one, "size", int), digest(one, "sha256"))
            for one in field(manifest, "files", list)
        ]
        if not _ORIGIN.match(field(manifest, "origin", str)):
            raise Malformed("`origin` is no name of a ledger")
        _check_signature(files, manifest, keys, report)
    except Malformed as error:
        report.tampered(MANIFEST, str(error))
        return None
    _check_list(files, listed, report)
    return manifest


def _check_list(files: Files, listed: list[tuple[str, int, bytes]], report: Report) -> None:
    for path, size, hashed in listed:
        if path not in files:
            report.tampered(path, "it is missing")
        elif sha256(files[path]).digest() != hashed:
            report.tampered(
                path,
                f"its content is not what the manifest lists ({len(files[path])} bytes, listed {size})",
            )
        elif len(files[path]) != size:
            report.tampered(path, "the manifest lists another size")
        else:
            report.count("files")
    names = [path for path, _, _ in listed]
    if names != sorted(set(names)):
        report.tampered(MANIFEST, "it lists a file twice or out of order")
    for path in files:
        if path not in {*names, MANIFEST, SIGNATURE}:
            report.tampered(path, "the manifest does not list it: it was put in")
    expected = [path for path in [*names, MANIFEST, SIGNATURE] if path in files]
    actual = [path for path in files if path in expected]
    for wanted, found in ((one, other) for one, other in _pairs(expected, actual) if one != other):
        report.tampered(found, f"it stands where {wanted} belongs")
        break


def _pairs(one: list[str], other: list[str]) -> Iterator[tuple[str, str]]:
    return ((one[place], other[place]) for place in range(min(len(one), len(other))))


def _check_signature(files: Files, manifest: Any, keys: list[bytes], report: Report) -> None:
    if not field(manifest, "signed", bool):
        if SIGNATURE in files:
            report.tampered(SIGNATURE, "the manifest says that it is unsigned, and here is a signature")
        report.incomplete(
            MANIFEST, "it is unsigned: nothing shows who made this pack, or that it was not made anew"
        )
        return
    if SIGNATURE not in files:
        report.tampered(SIGNATURE, "it is missing, and the manifest says that it is signed")
        return
    found = re.match(rb"ed25519 ([0-9a-f]{8}) ([A-Za-z0-9+/]{86}==)\n\Z", files[SIGNATURE])
    if not found:
        report.tampered(SIGNATURE, "it is not in the form of a signature")
        return
    named, signature = found.group(1).decode(), base64.b64decode(found.group(2))
    if base64.b64encode(signature) != found.group(2):
        report.tampered(SIGNATURE, "it is not in the form of a signature")
    known = {key_id(manifest["origin"], key): key for key in keys}
    if named not in known:
        report.unknown_key(SIGNATURE, _which_key(named, known, manifest))
    elif not ed25519_verifies(known[named], files[MANIFEST], signature):
        report.tampered(
            SIGNATURE, f"it is no signature of this manifest by key {named}: one of the two was altered"
        )
    else:
        report.count("signatures")


def _which_key(named: str, known: Any, manifest: Any) -> str:
    given = f"you gave {', '.join(sorted(known))}" if known else "you gave none"
    said = manifest.get("key")
    public = said.get("public") if isinstance(said, dict) else None
    hint = f" The pack itself names {public}; compare it with the one you get elsewhere." if public else ""
    return f"signed with key {named} of {manifest['origin']}, and {given}.{hint}"


# --- The ledger ------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    seq: int
    at: int
    prev: bytes
    hash: bytes
    raw: bytes
    body: Any


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    head: bytes
    signed: bytes
    signatures: Any  # pairs of key id and signature


def leaf(body: bytes) -> bytes:
    return sha256(b"\x00" + body).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def link(prev: bytes, seq: int, at: int, leaf_hash: bytes) -> bytes:
    return sha256(b"\x02" + prev + struct.pack(">qq", seq, at) + leaf_hash).digest()


def root_of(index: int, size: int, leaf_hash: bytes, path: list[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2); None when the path does not fit the tree."""
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf_hash
    for step in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, step)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
    """Whether the tree of `new` leaves begins with the tree of `old` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node(step, first), node(step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def read_notes(text: str) -> Iterator[Checkpoint]:
    """Checkpoints, one after the other, whatever stands between them. Malformed for one that is no checkpoint."""
    rows = [row for line in text.split("\n") for row in _unwrapped(line)]
    for place, row in enumerate(rows):
        if row.startswith("\u2014 ") and (place == 0 or not rows[place - 1].startswith("\u2014 ")):
            yield _note(rows, place)


def _unwrapped(line: str) -> list[str]:
    """The lines of a note that stands in a line of JSON."""
    if not line.startswith("{"):
        return [line]
    try:
        said = parsed(line.encode())
    except Malformed:
        return [line]
    return [
        row
        for value in said.values()
        if isinstance(value, str) and "\u2014 " in value
        for row in value.split("\n")
    ]


def _note(rows: list[str], place: int) -> Checkpoint:
    text = rows[max(0, place - 5) : place]
    if len(text) != 5 or text[4] or not re.match(r"[1-9][0-9]{0,17}\Z", text[1]):
        raise Malformed("it is no checkpoint")
    head = re.match(r"head ([0-9a-f]{64})\Z", text[3])
    try:
        root = base64.b64decode(text[2], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if not head or len(root) != 32 or base64.b64encode(root).decode() != text[2]:
        raise Malformed("it is no checkpoint: its root or head is malformed")
    signatures = []
    while place < len(rows) and rows[place].startswith("\u2014 "):
        signatures.append(_note_signature(rows[place]))
        place += 1
    signed = ("\n".join(text[:4]) + "\n").encode()
    return Checkpoint(text[0], int(text[1]), root, bytes.fromhex(head.group(1)), signed, signatures)


def _note_signature(row: str) -> tuple[str, str, bytes]:
    parts = row.split(" ")
    try:
        raw = base64.b64decode(parts[2], validate=True) if len(parts) == 3 else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 68 or base64.b64encode(raw).decode() != parts[2]:
        raise Malformed("a signature of the checkpoint is malformed")
    return parts[1], raw[:4].hex(), raw[4:]


def check_note(note: Checkpoint, where: str, keys: list[bytes], report: Report) -> bool:
    """Whether one of the given keys signed it; findings say what is wrong otherwise."""
    known = {key_id(note.origin, key): key for key in keys}
    own = [(named, signature) for origin, named, signature in note.signatures if origin == note.origin]
    mine = [(known[named], signature) for named, signature in own if named in known]
    if not mine:
        ids = ", ".join(named for named, _ in own) or "nobody"
        report.unknown_key(where, f"the checkpoint is signed by {ids}, whose key you did not give")
        return False
    if not all(ed25519_verifies(key, note.signed, signature) for key, signature in mine):
        report.tampered(where, "the checkpoint's signature does not fit its text")
        return False
    report.count("checkpoints")
    return True


def _entry(row: Any) -> Entry:
    body = field(row, "body", str)
    try:
        raw = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("`body` is no base64") from None
    content = parsed(raw)
    if not isinstance(content, dict):
        raise Malformed("`body` is no object")
    return Entry(
        field(row, "seq", int),
        field(row, "at_us", int),
        digest(row, "prev"),
        digest(row, "hash"),
        raw,
        content,
    )


class Ledger:
    """The pack's part of the ledger, as far as it is well-formed."""

    def __init__(self, files: Files, origin: str, keys: list[bytes], report: Report) -> None:
        self.files, self.origin, self.keys, self.report = files, origin, keys, report
        self.entries: dict[int, Entry] = {}
        self.checkpoints: dict[int, Checkpoint] = {}

    def check(self) -> None:
        self._read_entries()
        self._read_checkpoints()
        self._check_inclusion()
        self._check_growth()
        self._check_links()
        self._check_personal()

    def _read_entries(self) -> None:
        last = 0
        for entry in lines(self.files, ENTRIES, self.report, _entry):
            where = f"entry {entry.seq}"
            if entry.seq <= last:
                self.report.tampered(ENTRIES, f"{where} stands twice or out of order")
                continue
            if not _fits(entry):
                self.report.tampered(ENTRIES, f"{where}: content, time or link do not give its hash")
            self.entries[entry.seq] = entry
            self.report.count("entries")
            last = entry.seq

    def _read_checkpoints(self) -> None:
        for path in [path for path in self.files if path.startswith(CHECKPOINTS)]:
            try:
                found = list(read_notes(self.files[path].decode("utf-8")))
                if len(found) != 1 or path != f"{CHECKPOINTS}{found[0].size}.txt":
                    raise Malformed("it is not the one checkpoint that its name says")
                if found[0].origin != self.origin:
                    raise Malformed(f"it is a checkpoint of another ledger, {found[0].origin}")
            except (Malformed, UnicodeDecodeError) as error:
                self.report.tampered(path, str(error))
                continue
            check_note(found[0], path, self.keys, self.report)
            self.checkpoints[found[0].size] = found[0]

    def _check_inclusion(self) -> None:
        proven = set()
        for seq, size, path in lines(
            self.files,
            PROOFS,
            self.report,
            lambda row: (field(row, "seq", int), field(row, "size", int), digests(row, "path")),
        ):
            entry, checkpoint = self.entries.get(seq), self.checkpoints.get(size)
            if entry is None or checkpoint is None:
                what = f"entry {seq} is" if entry is None else f"checkpoint {size} is"
                self.report.tampered(
                    PROOFS, f"{what} not in the pack, or not well-formed, but there is a proof for it"
                )
            elif root_of(seq - 1, size, leaf(entry.raw), path) != checkpoint.root:
                words = f"entry {seq} is not in the tree of checkpoint {size}: one of them, or the proof, was altered"
                self.report.tampered(PROOFS, words)
                proven.add(seq)
            else:
                proven.add(seq)
                self.report.count("inclusions")
        missing = sorted(set(self.entries) - proven)
        if missing:
            words = f"no checkpoint covers {_some(missing)}: only the chain and the portal's signature speak for it"
            self.report.incomplete(ENTRIES, words)

    def _check_growth(self) -> None:
        proofs = {}
        for old, new, path in lines(
            self.files,
            CONSISTENCY,
            self.report,
            lambda row: (field(row, "old", int), field(row, "new", int), digests(row, "path")),
        ):
            one, other = self.checkpoints.get(old), self.checkpoints.get(new)
            if not one or not other:
                self.report.tampered(
                    CONSISTENCY, f"there is a proof from {old} to {new}, and no such checkpoints"
                )
                continue
            proofs[old] = new
            if not is_consistent(old, new, one.root, other.root, path):
                words = f"checkpoint {new} does not begin with what checkpoint {old} had: the ledger was rewritten"
                self.report.tampered(CONSISTENCY, words)
        newest = max(self.checkpoints, default=0)
        for size in sorted(self.checkpoints):
            if size != newest and size not in proofs:
                self.report.incomplete(
                    CONSISTENCY, f"nothing shows that checkpoint {size} grew into a later one"
                )

    def _check_links(self) -> None:
        """Numbers and times: the chain is followed from the entries up to the heads that checkpoints name."""
        between: dict[int, tuple[int, bytes]] = {}
        for seq, at, hashed in lines(
            self.files,
            LINKS,
            self.report,
            lambda row: (field(row, "seq", int), field(row, "at_us", int), digest(row, "leaf")),
        ):
            if seq in self.entries or seq in between:
                self.report.tampered(LINKS, f"entry {seq} stands twice, or is in the pack itself")
            between[seq] = (at, hashed)
        untimed: list[int] = []
        walked: set[int] = set()
        for start in sorted(self.entries):
            if start not in walked:
                untimed += self._follow(start, between, walked)
        if untimed:
            words = f"the way from {_some(untimed)} to a checkpoint is missing: their times rest on the signature alone"
            self.report.incomplete(LINKS, words)
        for seq in sorted(set(between) - walked)[:5]:
            self.report.tampered(LINKS, f"entry {seq} is on no way from an entry of the pack to a checkpoint")

    def _follow(self, start: int, between: dict[int, tuple[int, bytes]], walked: set[int]) -> list[int]:
        """Walk on from an entry as far as the pack goes. The entries behind which no checkpoint was reached."""
        seq, pending = start, []
        found, last = self.entries[start].prev, self.entries[start].at
        while seq in self.entries or seq in between:
            entry = self.entries.get(seq)
            at, hashed = (entry.at, leaf(entry.raw)) if entry else between[seq]
            if entry:
                pending.append(seq)
            if entry and entry.prev != found:
                self.report.tampered(ENTRIES, f"entry {seq} does not follow what is before it")
                found = entry.prev
            if at < last:
                self.report.tampered(
                    ENTRIES if entry else LINKS, f"entry {seq} is dated before entry {seq - 1}"
                )
            found, last = link(found, seq, at, hashed) if abs(at) < 2**63 > abs(seq) else b"", at
            walked.add(seq)
            if seq in self.checkpoints:
                if self.checkpoints[seq].head != found:
                    words = "the chain from the entries here does not lead to its head: something was altered"
                    self.report.tampered(f"{CHECKPOINTS}{seq}.txt", words)
                pending = []
            seq += 1
        if seq - 1 in between and seq - 1 not in self.checkpoints:
            self.report.tampered(LINKS, f"the way breaks off after entry {seq - 1}")
        return pending

    def _check_personal(self) -> None:
        for seq, name, salt, text in lines(
            self.files,
            PERSONAL,
            self.report,
            lambda row: (
                field(row, "seq", int),
                field(row, "field", str),
                digest(row, "salt"),
                field(row, "text", str),
            ),
        ):
            entry = self.entries.get(seq)
            committed = entry.body.get("personal") if entry else None
            expected = committed.get(name) if isinstance(committed, dict) else None
            if expected != sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest():
                self.report.tampered(PERSONAL, f"the {name} of entry {seq} is not what the entry commits to")
            else:
                self.report.count("texts")


def _fits(entry: Entry) -> bool:
    inside = 0 < entry.seq < 2**63 and abs(entry.at) < 2**63
    return inside and entry.hash == link(entry.prev, entry.seq, entry.at, leaf(entry.raw))


def _some(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return (
        ("entry " if len(numbers) == 1 else "entries ")
        + shown
        + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
    )


# --- The case, as the ledger recorded it -----------------------------------------------------------------------------

ACTIONS = {
    "raised": "case.raised",
    "record chosen": "case.record_chosen",
    "evidence collected": "case.evidence_collected",
    "assigned": "case.assigned",
    "commented": "case.commented",
    "linked": "case.linked",
    "decided": "case.decided",
    "sent back": "case.sent_back",
    "confirmed": "case.confirmed",
    "re-opened": "case.reopened",
    "legal hold asked for": "case.hold_asked",
    "legal hold": "case.hold_agreed",
    "legal hold ended": "case.hold_ended",
    "erasure asked for": "case.erasure_asked",
    "erasure withdrawn": "case.erasure_withdrawn",
    "erased": "case.erased",
}
FIELD_OF_NOTE = {"claimant": "name", "question": "comment", "comment": "comment", "reason": "reason"}


class Case:
    """`case.json` against the ledger: nothing told that was not recorded, nothing recorded that is not told."""

    def __init__(self, files: Files, entries: dict[int, Entry], report: Report) -> None:
        self.files, self.report = files, report
        self.case = parsed(files[CASE])
        subject = f"case:{field(self.case, 'id', int)}"
        own = [entry for entry in entries.values() if entry.body.get("subject") == subject]
        self.recorded: dict[int, Entry] = {}
        for entry in own:
            after = entry.body.get("after")
            if (
                isinstance(after, dict)
                and isinstance(after.get("version"), int)
                and entry.body.get("action") in ACTIONS.values()
            ):
                self.recorded[after["version"]] = entry

    def check(self) -> None:
        moves = field(self.case, "moves", list)
        told = {field(move, "version", int): move for move in moves}
        if sorted(told) != list(range(1, len(moves) + 1)) or len(moves) != field(self.case, "version", int):
            self.report.tampered(CASE, "its moves are not numbered from 1 to its version")
        for version in sorted(told):
            self._check_move(version, told[version])
        for version in sorted(set(self.recorded) - set(told)):
            seq = self.recorded[version].seq
            self.report.tampered(
                CASE, f"it does not tell what entry {seq} of the ledger recorded (version {version})"
            )
        self._check_end([told[version] for version in sorted(told)])
        self._check_notes()
        self._check_evidence()

    def _check_move(self, version: int, move: Any) -> None:
        entry = self.recorded.get(version)
        if entry is None:
            self.report.incomplete(CASE, f"the pack has no entry of the ledger for move {version}")
            return
        body, before = entry.body, field(move, "before", str)
        after = body["after"]
        expected = {"state": field(move, "after", str), "version": version}
        expected.update(field(move, "data", dict))
        same = (
            body.get("action") == ACTIONS.get(field(move, "kind", str))
            and body.get("actor") == field(move, "by", str)
            and body.get("before") == ({"state": before} if before else None)
            and after == expected
            and move.get("entry") == entry.seq
            and abs(microseconds(field(move, "at", str)) - entry.at) <= LATEST_LEDGER_DELAY
        )
        if same:
            self.report.count("moves")
        else:
            self.report.tampered(CASE, f"move {version} is not what entry {entry.seq} of the ledger recorded")

    def _check_end(self, moves: list[Any]) -> None:
        """State, outcome and deciders are what the moves lead to."""
        outcome = decided = confirmed = state = ""
        for move in moves:
            kind, state = move["kind"], move["after"]
            if kind == "decided":
                outcome, decided = str(move["data"].get("outcome", "")), move["by"]
            elif kind == "confirmed":
                confirmed = move["by"]
            elif kind in ("sent back", "re-opened"):
                outcome = decided = confirmed = ""
        ends = {"state": state, "outcome": outcome, "decided_by": decided, "confirmed_by": confirmed}
        for name in sorted(ends):
            if self.case.get(name) != ends[name]:
                self.report.tampered(CASE, f"its {name.replace('_', ' ')} is not what its moves lead to")

    def _check_notes(self) -> None:
        """Each text of a person is the one that its entry commits to."""
        given = {(row["seq"], row["field"]): row["text"] for row in self._personal()}
        for note in field(self.case, "notes", list):
            version, text = field(note, "version", int), field(note, "text", str)
            kind, entry = field(note, "kind", str), self.recorded.get(version)
            if not text:
                continue
            committed = entry and given.get((entry.seq, FIELD_OF_NOTE.get(kind, "")))
            if committed is None:
                self.report.incomplete(
                    CASE, f"nothing shows that the {kind} of version {version} is as it was written"
                )
            elif committed != text:
                self.report.tampered(
                    CASE, f"the {kind} of version {version} is not the text that the ledger commits to"
                )

    def _personal(self) -> list[Any]:
        def read(row: Any) -> Any:
            field(row, "seq", int), field(row, "field", str), field(row, "text", str)
            return row

        return lines(self.files, PERSONAL, Report(), read)

    def _check_evidence(self) -> None:
        recorded = {
            entry.body["after"].get("number"): entry.body["after"].get("sha256")
            for entry in self.recorded.values()
            if entry.body.get("action") == "case.evidence_collected"
        }
        listed = {}
        for one in field(self.case, "evidence", list):
            number, path = field(one, "number", int), field(one, "path", str)
            listed[number] = one
            hashed = sha256(self.files.get(path, b"")).hexdigest()
            if hashed != digest(one, "sha256").hex():
                self.report.tampered(path, f"it is not evidence {number} that case.json names")
            if number not in recorded:
                self.report.incomplete(path, f"the pack has no entry of the ledger for evidence {number}")
            elif recorded[number] != hashed:
                self.report.tampered(path, f"it is not what the ledger recorded as evidence {number}")
            else:
                self.report.count("evidence")
        for number in sorted(set(recorded) - set(listed), key=str):
            self.report.tampered(CASE, f"it does not name evidence {number}, which the ledger recorded")
        newest = listed.get(max(listed, default=0))
        if newest and newest["path"] != PASSPORT:
            self.report.tampered(CASE, f"{PASSPORT} is not the evidence that was collected last")


_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z\Z")


def microseconds(text: str) -> int:
    """Since 1970, of a UTC time as packs write it."""
    found = _TIME.match(text)
    if not found:
        raise Malformed(f"{text!r} is no UTC time")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    # Days since 1970 by the civil calendar, March first so that leap days come last.
    year, month = (year - 1, month + 9) if month < 3 else (year, month - 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1 - 719468
    return (
        ((days * 24 + hour) * 60 + minute) * 60000000
        + second * 1000000
        + int((found.group(7) or "0").ljust(6, "0"))
    )


# --- What you were sent earlier --------------------------------------------------------------------------------------


def check_anchors(text: str, where: str, ledger: Ledger, report: Report) -> None:
    """Compare checkpoints from outside with those of the pack: a ledger that was rewritten has other ones."""
    try:
        anchors = [note for note in read_notes(text) if note.origin == ledger.origin]
    except Malformed as error:
        report.tampered(where, str(error))
        return
    roots: dict[int, bytes] = {}
    compared = 0
    for anchor in anchors:
        said = f"checkpoint {anchor.size} in {where}"
        if not check_note(anchor, said, ledger.keys, report):
            continue
        if roots.setdefault(anchor.size, anchor.root) != anchor.root:
            report.tampered(
                said, "two different ledgers were signed with this size: somebody was shown another one"
            )
        own = ledger.checkpoints.get(anchor.size)
        if own and (own.root, own.head) != (anchor.root, anchor.head):
            report.tampered(
                f"{CHECKPOINTS}{anchor.size}.txt",
                f"it is not the checkpoint in {where}: the ledger was rewritten",
            )
        compared += own is not None
    report.count("anchors", compared)
    if not compared:
        sizes = ", ".join(str(size) for size in sorted(ledger.checkpoints)[-5:]) or "none"
        words = f"none of its {len(anchors)} checkpoints of {ledger.origin} is in the pack (it has {sizes})"
        report.incomplete(where, words)


# --- Everything together ---------------------------------------------------------------------------------------------


def verify(data: bytes, keys: list[bytes], anchors: Iterable[tuple[str, str]] = ()) -> Report:
    """Check a pack's bytes. `anchors`: name and text of each file with checkpoints from elsewhere."""
    report = Report()
    try:
        _verify(data, keys, anchors, report)
    except Exception as error:  # noqa: BLE001 - whatever a pack does to this program is no pass
        report.tampered(
            "the pack", f"something in it is in no form that a pack has ({error!r}); the rest was not checked"
        )
    return report


def _verify(data: bytes, keys: list[bytes], anchors: Iterable[tuple[str, str]], report: Report) -> None:
    files = read_files(data, report)
    manifest = check_manifest(files, keys, report)
    if manifest is None:
        return
    ledger = Ledger(files, manifest["origin"], keys, report)
    ledger.check()
    if CASE in files:
        _check_case(files, ledger, report)
    if not ledger.checkpoints:
        report.incomplete(
            "ledger/", "there is no checkpoint: nothing outside the portal's database vouches for entries"
        )
    for name, text in anchors:
        check_anchors(text, name, ledger, report)


def _check_case(files: Files, ledger: Ledger, report: Report) -> None:
    try:
        Case(files, ledger.entries, report).check()
    except (Malformed, KeyError, TypeError, AttributeError, ValueError) as error:
        report.tampered(CASE, f"it is not in the form of a case ({error})")


def told(report: Report, data: bytes) -> str:
    """The report as lines for people."""
    rows = [f"{one.kind}  {one.where}: {one.words}" for one in report.findings]
    rows += [f"note  {note}" for note in report.notes]
    checked = ", ".join(f"{number} {what}" for what, number in report.checked.items()) or "nothing"
    rows.append(f"checked: {checked}; SHA-256 of the pack {sha256(data).hexdigest()}")
    verdict = {
        0: "WHOLE: everything is as it was signed and recorded.",
        1: "TAMPERED: do not rely on this pack.",
        2: "INCOMPLETE: nothing is wrong, but not everything can be checked.",
        3: "KEY UNKNOWN: get the public key from the portal's operator by another way, and check again.",
    }
    return "\n".join([*rows, verdict[report.exit]]) + "\n"


def as_json(report: Report, data: bytes) -> str:
    document = {
        "verdict": VERDICTS[report.exit],
        "exit": report.exit,
        "sha256": sha256(data).hexdigest(),
        "findings": [finding._asdict() for finding in report.findings],
        "notes": report.notes,
        "checked": report.checked,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an evidence pack of opsportal, offline.")
    parser.add_argument("pack", help="the ZIP")
    parser.add_argument(
        "--key", action="append", default=[], help="public key: PEM file, base64, or ORIGIN+ID+BASE64"
    )
    parser.add_argument(
        "--checkpoints", action="append", default=[], help="file of checkpoints noted earlier"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    given = parser.parse_args(arguments)
    try:
        keys = public_keys(given.key)
        with open(given.pack, "rb") as file:
            data = file.read(LARGEST + 1)
        anchors = []
        for name in given.checkpoints:
            with open(name, encoding="utf-8", errors="replace") as file_of_notes:
                anchors.append((name, file_of_notes.read(LARGEST)))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"Could not be checked: {error}\n")
        return 2
    report = verify(data, keys, anchors)
    shown = as_json(report, data) if given.json else told(report, data)
    # Whatever the console can't show must not stop the verdict.
    sys.stdout.buffer.write(shown.encode("utf-8"))
    return report.exit


if __name__ == "__main__":
    sys.exit(main())
