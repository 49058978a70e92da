"""What idle realtime capacity costs, why each hour was idle, and what can be saved without harm."""
