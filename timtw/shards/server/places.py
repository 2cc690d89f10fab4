"""Databases on servers, as the url of a shard names them.

``postgresql://USER:PASSWORD@HOST:PORT/NAME`` or ``mysql://...``; characters that mean
something there are written as ``%40``. Options follow a question mark, and mean the
same for every engine: ``host`` (an absolute path: a Unix socket), ``sslmode``,
``sslrootcert``, ``sslcert``, ``sslkey``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from timtw.model.stores import ShardError

POSTGRESQL: Final = "postgresql"
MYSQL: Final = "mysql"
MODES: Final = ("disable", "prefer", "require", "verify-ca", "verify-full")
"""What ``sslmode`` may be."""
FILES: Final = ("sslrootcert", "sslcert", "sslkey")


@attrs.frozen
class Place:
    """Where a database is.

    Args:
        engine: ``POSTGRESQL`` or ``MYSQL``.
        shown: What logs and errors call it.
        tls: ``sslmode`` and the names of files.
    """

    engine: str
    shown: str
    host: str
    port: int | None
    name: str
    user: str | None
    password: str | None = attrs.field(repr=False)
    tls: Mapping[str, str]

    def for_postgres(self) -> Mapping[str, Any]:
        """What libpq is told."""
        named = {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "password": self.password,
            "application_name": "timtw",
        }
        return {key: value for key, value in named.items() if value} | dict(self.tls)

    def for_mysql(self) -> Mapping[str, Any]:
        """What PyMySQL is told."""
        where = "unix_socket" if self.host.startswith("/") else "host"
        named = {
            where: self.host,
            "port": self.port,
            "database": self.name,
            "user": self.user,
            "password": self.password,
        }
        mode = self.tls.get("sslmode", "prefer")
        given = {
            "ssl_ca": self.tls.get("sslrootcert"),
            "ssl_cert": self.tls.get("sslcert"),
            "ssl_key": self.tls.get("sslkey"),
            "ssl_disabled": mode == "disable",
            "ssl_verify_cert": mode.startswith("verify"),
            "ssl_verify_identity": mode == "verify-full",
            # Without anything to verify, TLS is asked for in this way only.
            "ssl": {"verify_mode": False} if mode == "require" else None,
        }
        return {k: v for k, v in {**named, **given}.items() if v}


def place_of(url: str) -> Place:
    """
    What a url names.

    Raises ShardError, whose text repeats nothing that may be a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ShardError(
            "the url of the database is not like postgresql://user:password@host/name"
        ) from None
    engine = parsed.drivername
    options = {key: _one(key, value) for key, value in parsed.query.items()}
    host = options.pop("host", None) or parsed.host or "localhost"
    if not parsed.database:
        raise ShardError(f"the url of the database at {host} does not name one")
    unknown = sorted(set(options) - {"sslmode", *FILES})
    if unknown:
        raise ShardError(f"the url of a database has no option {unknown[0]!r}")
    mode = options.get("sslmode", "prefer")
    if mode not in MODES:
        raise ShardError(f"sslmode is one of {', '.join(MODES)}, not {mode!r}")
    name = parsed.database
    shown = f"{engine} database {name} at {host}"
    user, password = parsed.username, parsed.password
    return Place(engine, shown, host, parsed.port, name, user, password, options)


def _one(key: str, value: str | tuple[str, ...]) -> str:
    """The value of an option that is given once."""
    if not isinstance(value, str):
        raise ShardError(f"the url of a database gives {key!r} more than once")
    return value
