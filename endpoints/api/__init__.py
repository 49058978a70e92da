"""The API edge: `/api/v1`, JSON only. Same selectors, services and policies as the pages.

`operation.py` is how a method says who may call it, what it takes and what it answers; `view.py` is the base of
all views, and `errors.py` turns what rooms raise into problem documents (RFC 9457). One module per subject;
nothing here decides anything.
"""
