"""Whatever says "not now" or "not this one": freezes, stop-the-line, protections. They hold forward steps; a rollback
is never held.
"""
