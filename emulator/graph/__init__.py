"""Azure Resource Graph: discovery of resources by query, as far as a client of endpoints needs it."""
