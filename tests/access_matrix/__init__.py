"""Who gets what at every address: one table, and a walk over all addresses that compares with it."""
