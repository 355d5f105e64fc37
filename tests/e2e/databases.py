# SPDX-License-Identifier: ISC
"""Databases for worlds on PostgreSQL: a furnished one, and a copy of it for each test. Knows servers and
names; what is in a database is made by `retoken init`."""

import itertools

from lab import postgresql

ROLE = "retoken"


class Database:
    """One of a postgresql.Server or postgresql.Cluster."""

    numbers = itertools.count()

    def __init__(self, servers, name):
        self.servers, self.name = servers, name

    @classmethod
    def begin(cls, servers):
        """The first, empty, owned by the role."""
        postgresql.create(servers.primary, ROLE)
        return cls(servers, ROLE)

    def copy(self):
        name = f"w{next(self.numbers)}"
        self.servers.primary.query(f"CREATE DATABASE {name} TEMPLATE {self.name} OWNER {ROLE}")
        return Database(self.servers, name)

    def url(self, through=None):
        """Through these servers or proxies, else through all servers."""
        return postgresql.url(through or self.servers.servers, self.name, ROLE, target_session_attrs="read-write")

    def query(self, sql):
        return self.servers.primary.query(sql, self.name)

    def drop(self):
        self.servers.primary.query(f"DROP DATABASE {self.name} WITH (FORCE)")
