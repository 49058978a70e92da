"""The only room that speaks to Azure: frozen records out, one error tree, a deadline on every call.

Start at `client.connect`. Nothing here imports Django, and importing this package does not import the SDK:
`azure.*` and `aiohttp` load inside the functions that need them, so that pages and worker discovery never pay
for them.
"""
