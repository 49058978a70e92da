"""What many tests share: databases, processes, waiting."""
