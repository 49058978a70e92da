"""A separate program that speaks Azure's REST APIs for online endpoints, for demonstrations and tests.

It shares no code with the portal, holds no Azure SDK, and judges nothing: its world log is the truth that
tests read.
"""
