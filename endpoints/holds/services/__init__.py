"""What people and other rooms do about holds, one verb per file. A ledger entry each; nothing is deleted."""
