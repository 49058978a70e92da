"""Settings by kind of run. `base` is the same everywhere; the others add what differs."""
