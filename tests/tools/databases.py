"""Databases on the PostgreSQL of the tests, made as copies of one that is migrated already."""

from __future__ import annotations

import psycopg


class Server:
    """The embedded PostgreSQL of the tests, on which databases are made of others."""

    def __init__(self, host: str, base: str) -> None:
        self.host, self.base = host, base
        self.made: list[str] = []

    def database(self, name: str, template: str | None = None) -> str:
        full = f"{self.base}_{name}"
        self.run(f"DROP DATABASE IF EXISTS {full} WITH (FORCE)")
        self.run(f"CREATE DATABASE {full}" + (f" TEMPLATE {template}" if template else ""))
        self.made.append(full)
        return full

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        with psycopg.connect(host=self.host, user="tmi", dbname="tmi", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]
