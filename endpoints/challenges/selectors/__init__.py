"""Reads, as frozen rows. Callers ask for rights before."""
