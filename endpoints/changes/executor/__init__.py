"""The one process that writes to Azure. It needs PostgreSQL and Azure, and neither Redis nor Celery.

`main` finds work and keeps one `worker` per endpoint; a worker asks the pure `decide`, does what it says
through `rows` (the database) and the gateway, and sleeps until it is due or woken.
"""
