"""A pack's bytes: the same input gives the same bytes. Files by path, then the manifest, then its signature. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from endpoints.audit import note
from endpoints.challenges.pack.charts import svg
from endpoints.challenges.pack.ledger_files import ledger_files
from endpoints.challenges.pack.parts import PackInput, Signer
from endpoints.challenges.pack.pdf import readable
from endpoints.challenges.pack.readme import README
from endpoints.challenges.words import moment
from endpoints.core.container import container

FORMAT = "opsportal-evidence/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
VERIFIER = Path(__file__).parent.parent / "verifier" / "verify_evidence.py"


def assemble(pack: PackInput, signer: Signer | None) -> bytes:
    """The ZIP. Without a signer it says that it is unsigned, and the verifier calls it incomplete."""
    files = pack_files(pack)
    manifest = _manifest(pack, files, signer)
    signed = [*sorted(files.items()), (MANIFEST, manifest)]
    if signer:
        signed.append((SIGNATURE, _signature(pack.origin, manifest, signer)))
    return container(signed)


def pack_files(pack: PackInput) -> dict[str, bytes]:
    """All files but the manifest."""
    files = {
        "README.txt": README.format(number=pack.case["number"], made_at=moment(pack.made_at)).encode(),
        "case.json": shown_json(pack.case),
        "splits.json": shown_json(pack.splits),
        "people.json": shown_json(dict(pack.people)),
        "not-kept.json": shown_json([{"what": one.what, "why": one.why} for one in pack.not_kept]),
        "verify_evidence.py": VERIFIER.read_bytes(),
    }
    files |= {passport_path(number, pack): body for number, body in pack.passports.items()}
    files |= {f"changes/CR-{number}.json": shown_json(change) for number, change in pack.changes.items()}
    files |= {
        f"changes/CR-{number}/{name}": text.encode()
        for number, release in pack.releases.items()
        for name, text in release.items()
    }
    files |= {f"charts/{chart.name}.svg": svg(chart) for chart in pack.charts}
    files |= ledger_files(pack.ledger)
    # Last: it lists the others with their hashes.
    files["evidence.pdf"] = readable(pack, {path: sha256(body).hexdigest() for path, body in files.items()})
    return files


def passport_path(number: int, pack: PackInput) -> str:
    """Where an evidence stands: the newest one under a name of its own."""
    return "passport.json" if number == max(pack.passports) else f"passports/{number}.json"


def key_id(origin: str, public: bytes) -> str:
    """Eight hex digits, by which checkpoints name the key, too."""
    return note.key_id(origin, public).hex()


def shown_json(value: object) -> bytes:
    """JSON that people can read and that comes out the same every time."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def _manifest(pack: PackInput, files: Mapping[str, bytes], signer: Signer | None) -> bytes:
    key: dict[str, Any] | None = None
    if signer:
        key = {
            "id": key_id(pack.origin, signer.public),
            "public": base64.b64encode(signer.public).decode(),
        }
    return shown_json(
        {
            "format": FORMAT,
            "origin": pack.origin,
            "case": pack.case["number"],
            "made_at": moment(pack.made_at),
            "signed": signer is not None,
            "key": key,
            "files": [
                {"path": path, "size": len(body), "sha256": sha256(body).hexdigest()}
                for path, body in sorted(files.items())
            ],
        }
    )


def _signature(origin: str, manifest: bytes, signer: Signer) -> bytes:
    signed = base64.b64encode(signer.sign(manifest)).decode()
    return f"ed25519 {key_id(origin, signer.public)} {signed}\n".encode()
