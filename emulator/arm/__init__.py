"""Azure Resource Manager: one module per subject, joined by the routing table in `providers.py`."""
