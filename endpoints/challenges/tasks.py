"""What the worker does from time to time."""
