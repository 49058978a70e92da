"""People, workspaces, grants and tokens, and the one policy that says who may do what, with the reason."""
