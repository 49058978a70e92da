"""The version of the ledger's rules: a day that was made by others is made anew."""

LEDGER = 3
