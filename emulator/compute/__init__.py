"""Sizes of virtual machines, what they cost, and quota: what a deployment's instances are made of."""
