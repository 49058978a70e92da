"""The append-only ledger: who did what to what, chained so that an edit shows. Opaque ids only."""
