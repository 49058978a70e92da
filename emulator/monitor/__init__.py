"""Azure Monitor: metrics, their definitions, and diagnostic settings. Nothing is stored; all follows from the log."""
