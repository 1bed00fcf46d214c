"""What `make run`, `make services` and `make test` stand on: a private PostgreSQL and Redis, and the processes around them.

Nothing of the product imports this package; in production the servers are given by DATABASE_URL and REDIS_URL.
"""
