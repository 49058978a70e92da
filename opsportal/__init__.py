"""The Django project: the only place that wires rooms, settings, processes and servers together."""
