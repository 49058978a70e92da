"""What every room may know: clock, errors, ids, traffic maps. Pure Python, no Django, no I/O."""
