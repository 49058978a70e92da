"""Whatever says "not now" or "not this one": freezes, stop-the-line, protections. Empty until they come."""
