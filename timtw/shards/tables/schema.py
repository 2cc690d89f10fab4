"""The tables, as SQLAlchemy Core knows them, in their newest version.

Every table that belongs to accounts or conversations leads with ``slot``, the first
twenty bits of the number that leads the key, so that rows can move between databases
by ranges of slots. Times are nanoseconds since 1970, numbers signed 64 bits. What is
called sealed is AES-256-GCM (``timtw.shards.sealing``), what is called digest is keyed
(``timtw.shards.digests``).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

from timtw.shards.digests import LOOK_UP_BYTES, SHORT_BYTES

VERSION: Final = 7
"""The version of these definitions; a change adds one and a migration to it."""

metadata: Final = MetaData()
embedded: Final = MetaData()
"""What the embedded engine has besides: the journal that its commits append to."""
servers: Final = MetaData()
"""Tables that only databases on servers have, beside all others."""

_ANY_BYTES: Final = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
"""Up to 16 MiB in MariaDB and MySQL, where a plain blob ends at 64 KiB."""


def _number(name: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=False, autoincrement=False, **options)


def _small(name: str, **options: Any) -> Column[int]:
    return Column(name, Integer, nullable=False, autoincrement=False, **options)


def _octets(name: str, nullable: bool = False) -> Column[bytes]:
    return Column(name, _ANY_BYTES, nullable=nullable)


def _digest(name: str, size: int = LOOK_UP_BYTES) -> Column[bytes]:
    """A digest, which MariaDB and MySQL can only find if they know its length."""
    kind = LargeBinary().with_variant(mysql.VARBINARY(size), "mysql")
    return Column(name, kind, nullable=False)


def _zero(name: str) -> Column[int]:
    return _number(name, server_default="0")


schema_version: Final = Table("schema_version", metadata, _small("version"))

installation: Final = Table(
    "installation",
    metadata,
    _digest("ident", SHORT_BYTES),
    _octets("key_check"),
    _octets("digest_key"),
    PrimaryKeyConstraint("ident"),
)

data_key: Final = Table(
    "data_key",
    metadata,
    _small("number"),
    _octets("wrapped"),
    PrimaryKeyConstraint("number"),
)

account: Final = Table(
    "account",
    metadata,
    _small("slot"),
    _number("number"),
    Column("node", Text, nullable=False),
    _digest("name_digest"),
    _octets("identity"),  # sealed: login name and domain
    Column("verifier", Text, nullable=False),
    _small("verifier_version"),
    _number("created"),
    _zero("blocked"),
    _zero("deleted"),
    _octets("profile", nullable=True),  # sealed
    PrimaryKeyConstraint("slot", "number"),
    UniqueConstraint("slot", "name_digest"),
    sqlite_with_rowid=False,
)

token: Final = Table(
    "token",
    metadata,
    _small("slot"),  # of the digest
    _digest("digest"),
    _number("account"),
    _number("expires"),
    _octets("granted"),  # sealed: name and extend
    PrimaryKeyConstraint("slot", "digest"),
    sqlite_with_rowid=False,
)
Index("token_expires", token.c.expires)

credential: Final = Table(
    "credential",
    metadata,
    _small("slot"),
    _number("account"),
    _digest("device", SHORT_BYTES),
    _digest("digest"),
    _number("created"),
    PrimaryKeyConstraint("slot", "account", "device"),
    UniqueConstraint("digest"),
    sqlite_with_rowid=False,
)

message: Final = Table(
    "message",
    metadata,
    _small("slot"),
    _number("first"),
    _number("second"),
    _number("mid"),
    _number("id"),
    _number("sender"),
    _number("ts"),
    _small("state"),  # 0: there, 1: revoked, 2: burnt
    _octets("body"),  # sealed; empty when the text is gone
    PrimaryKeyConstraint("slot", "first", "second", "mid"),
    sqlite_with_rowid=False,
)

log: Final = Table(
    "log",
    metadata,
    _small("slot"),
    _number("account"),  # or room
    _number("seq"),
    _number("ts"),
    _small("kind"),  # 1: a text; 2, 3: a text is revoked, burnt; 31 to 127: custom
    _number("first"),
    _number("second"),
    _number("mid"),
    _octets("body", nullable=True),  # sealed; this and the next two: not of texts
    Column("id", BigInteger),
    Column("sender", BigInteger),
    PrimaryKeyConstraint("slot", "account", "seq"),
    sqlite_with_rowid=False,
)

counter: Final = Table(
    # Of a conversation: its two numbers. Of a log: the account or room and 0.
    "counter",
    metadata,
    _small("slot"),
    _number("first"),
    _number("second"),
    _number("last"),
    _zero("low"),
    PrimaryKeyConstraint("slot", "first", "second"),
    sqlite_with_rowid=False,
)

reader: Final = Table(
    "reader",
    metadata,
    _small("slot"),
    _number("account"),
    _digest("device", SHORT_BYTES),
    _number("cursor"),
    _number("seen"),
    _zero("stuck_seq"),
    _zero("stuck_count"),
    _zero("session"),  # the last one, counted over all devices of the account
    PrimaryKeyConstraint("slot", "account", "device"),
    sqlite_with_rowid=False,
)

relation: Final = Table(
    # One row per pair. A half says what its side has said about the other, a notice
    # which entry of the other side's log told of it last.
    "relation",
    metadata,
    _small("slot"),
    _number("first"),
    _number("second"),
    _small("first_half"),
    _small("second_half"),
    _zero("first_notice"),
    _zero("second_notice"),
    PrimaryKeyConstraint("slot", "first", "second"),
    sqlite_with_rowid=False,
)
Index("relation_second", relation.c.second)

room: Final = Table(
    "room",
    metadata,
    _small("slot"),
    _number("number"),
    _octets("identity"),  # sealed: domain
    _small("entry"),  # 1: by approval, 2: open
    _small("state"),  # 1: alive, 2: dissolved
    _number("founder"),
    _number("created"),
    _number("members"),  # how many
    _octets("profile"),  # sealed
    PrimaryKeyConstraint("slot", "number"),
    sqlite_with_rowid=False,
)

room_member: Final = Table(
    # What an account and a room are to each other; both halves change together.
    "room_member",
    metadata,
    _small("slot"),  # of the room
    _number("room"),
    _number("account"),
    _small("account_side"),
    _small("room_side"),
    _small("role"),
    _number("joined_seq"),
    _number("joined_mid"),
    PrimaryKeyConstraint("slot", "room", "account"),
    sqlite_with_rowid=False,
)
Index("room_member_account", room_member.c.account, room_member.c.room)
_sides: Final = (room_member.c.room_side, room_member.c.account_side)
_OF_ROOM: Final = (room_member.c.slot, room_member.c.room)
_RANK: Final = (room_member.c.role, room_member.c.account)
Index("room_member_role", *_OF_ROOM, *_sides, *_RANK)

room_reader: Final = Table(
    # How far a device has confirmed the log of a room; absent: nothing since joining.
    "room_reader",
    metadata,
    _small("slot"),  # of the account
    _number("account"),
    _digest("device", SHORT_BYTES),
    _number("room"),
    _number("cursor"),
    PrimaryKeyConstraint("slot", "account", "device", "room"),
    sqlite_with_rowid=False,
)

send_once: Final = Table(
    # The period leads the key, so that a whole one goes without a search.
    "send_once",
    metadata,
    _small("slot"),
    _number("period"),
    _number("first"),
    _number("second"),
    _digest("digest", SHORT_BYTES),
    _number("mid"),
    _number("ts"),
    PrimaryKeyConstraint("period", "slot", "first", "second", "digest"),
    sqlite_with_rowid=False,
)

member: Final = Table(
    "member",
    metadata,
    _small("slot"),
    _number("first"),
    _number("second"),
    _number("account"),
    _zero("read_mid"),
    _zero("delivered_mid"),
    PrimaryKeyConstraint("slot", "first", "second", "account"),
    sqlite_with_rowid=False,
)

member_account: Final = Index(
    "member_account", member.c.account, member.c.first, member.c.second
)

mark: Final = Table(
    # The last write of a connection: whether one was stored whose answer was lost.
    "mark",
    servers,
    _digest("ident", SHORT_BYTES),  # random, drawn when the connection was made
    _number("number"),
    _number("seen"),
    PrimaryKeyConstraint("ident"),
)

journal: Final = Table(
    # One row per message or event, in the order of its commit, until the row is moved
    # to ``message`` and ``log``. Its columns are those of both.
    "journal",
    embedded,
    Column("n", Integer, primary_key=True, autoincrement=False),
    _small("kind"),
    _number("first"),
    _number("second"),
    _number("mid"),
    _number("id"),
    _number("sender"),
    _number("ts"),
    _small("state"),
    _number("sender_seq"),  # 0: not in the log of the sender
    _number("recipient_seq"),
    _octets("body"),
    _octets("digest", nullable=True),  # of a send whose client chose its id
)

journal_move: Final = Table(
    # A cursor, and one delivered mark that follows from it; mid 0 for none. Or, with
    # cursor 0: the cursor ``mid`` in the log of a room, (room, 0).
    "journal_move",
    embedded,
    Column("n", Integer, primary_key=True, autoincrement=False),
    _number("account"),
    _octets("device"),
    _number("cursor"),
    _number("first"),
    _number("second"),
    _number("mid"),
)
