"""What can be done: one verb each."""
