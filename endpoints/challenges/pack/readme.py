"""The first file that somebody opens."""

from __future__ import annotations

README = """\
Evidence pack of {number}, made {made_at} (all times are UTC)

evidence.pdf        everything to read
case.json           the case: question, what happened, decision
passport.json       what was on record about the request, in the bytes that were stored then
changes/            the traffic changes that were in force, who approved them, and what their gates said
splits.json         which deployment was to get which share of the requests, and when
charts/             figures of the minutes around the request
not-kept.json       what is not here, and why
people.json         names behind "user:7"
ledger/             the entries of the audit ledger that all this rests on, with their proofs
manifest.json(.sig) the list of all files with their SHA-256, and its signature

How to check it, without the portal and without the network:

1. Get verify_evidence.py and the public key from somewhere else than this pack: who made a false pack made a false
   program and a false key with it. The copy in here is for comparison.
2. python3 verify_evidence.py PACK.zip --key PUBLIC.pem
   0: whole. 1: altered. 2: nothing wrong, but something can't be checked. 3: signed with a key that you did not give.
3. If you were sent checkpoints of the ledger before, give them too: --checkpoints FILE. They show that the ledger was
   not written anew since, not even by those who run the portal and hold its key.

The form of every file is described in the portal's documentation, reference/evidence-pack.md.
"""
