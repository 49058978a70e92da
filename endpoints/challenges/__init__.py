"""Challenged predictions: what is known of each request (never its payload), what answered it, the case that somebody
raised about it, and the evidence that convinces whoever trusts nobody here.
"""
