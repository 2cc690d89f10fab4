"""The url of a database on a server, and what drivers are told of it."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from timtw.model.stores import ShardError
from timtw.shards.opening import open_shard
from timtw.shards.server.places import MODES, place_of

FULL = "//ada:se%40cret@db:77/tim?sslmode={mode}&sslrootcert=/ca&sslcert=/c&sslkey=/k"


class PlaceTests(SynchronousTestCase):
    """What an operator writes reaches the driver."""

    def test_postgres(self) -> None:
        """
        Name, password and TLS of a PostgreSQL url mean what libpq means by them.
        """
        told = place_of("postgresql:" + FULL.format(mode="verify-full")).for_postgres()
        self.assertEqual(
            {
                "host": "db",
                "port": 77,
                "user": "ada",
                "password": "se@cret",
                "dbname": "tim",
                "application_name": "timtw",
                "sslmode": "verify-full",
                "sslrootcert": "/ca",
                "sslcert": "/c",
                "sslkey": "/k",
            },
            told,
        )

    def test_mysql(self) -> None:
        """
        The same words mean the same for MariaDB.
        """
        told = place_of("mysql:" + FULL.format(mode="verify-full")).for_mysql()
        self.assertEqual(
            {
                "host": "db",
                "port": 77,
                "user": "ada",
                "password": "se@cret",
                "database": "tim",
                "ssl_ca": "/ca",
                "ssl_cert": "/c",
                "ssl_key": "/k",
                "ssl_verify_cert": True,
                "ssl_verify_identity": True,
            },
            told,
        )

    def test_modes_of_mysql(self) -> None:
        """
        TLS to MariaDB is asked for and verified as far as the mode says.
        """
        found = {}
        for mode in MODES:
            told = place_of(f"mysql://db/tim?sslmode={mode}").for_mysql()
            found[mode] = sorted(name for name in told if name.startswith("ssl"))
        self.assertEqual(
            {
                "disable": ["ssl_disabled"],
                "prefer": [],
                "require": ["ssl"],
                "verify-ca": ["ssl_verify_cert"],
                "verify-full": ["ssl_verify_cert", "ssl_verify_identity"],
            },
            found,
        )

    def test_sockets(self) -> None:
        """
        A Unix socket stands behind the question mark.
        """
        told = place_of("postgresql://ada@/tim?host=/run/postgresql").for_postgres()
        self.assertEqual("/run/postgresql", told["host"])
        told = place_of("mysql://ada@/tim?host=/run/socket").for_mysql()
        self.assertEqual(("/run/socket", False), (told["unix_socket"], "host" in told))

    def test_refused(self) -> None:
        """
        What cannot be meant is refused without a word of the password.
        """
        for rest, said in (
            ("//ada:secret@db", "does not name one"),
            ("//ada:secret@db:port/tim", "not like"),
            ("//ada:secret@db/tim?sslmode=maybe", "sslmode is one of"),
            ("//ada:secret@db/tim?passwort=secret", "no option 'passwort'"),
            ("//ada:secret@db/tim?host=a&host=b", "more than once"),
        ):
            with self.assertRaises(ShardError) as caught:
                open_shard(f"postgresql:{rest}", "s", "k", None, time.time_ns)
            self.assertIn(said, str(caught.exception))
            self.assertNotIn("secret", str(caught.exception))

    def test_shown(self) -> None:
        """
        Logs name the database, and nobody sees the password by accident.
        """
        place = place_of("postgresql://ada:secret@db/tim")
        self.assertEqual("postgresql database tim at db", place.shown)
        self.assertNotIn("secret", repr(place))
