"""The activity log: who wrote what, read from the world log some minutes late, as Azure tells it."""
