"""Nothing that a person wrote or chose can be read in the files of a node."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
from argon2 import PasswordHasher
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from timtw.model.posting import Batch
from timtw.model.profiles import About
from timtw.model.roominfo import RoomInfo
from timtw.model.roomsteps import RoomStep
from timtw.model.values import Content, Device, TokenGrant
from timtw.shards.digests import Digests, octets
from timtw.shards.keys import KeyRing
from timtw.shards.sealing import Sealer
from timtw.shards.sqlite.shard import SqliteShard
from timtw.test.contracts import BOB, NOW, draft
from timtw.test.contracts_rooms import about, change, create

REACTOR: Any = reactor

CANARIES = {
    kind: f"canary-{kind}-{os.urandom(4).hex()}"
    for kind in (
        *("text", "binary", "extend_key", "extend", "extra_key", "extra"),
        *("nickname", "birthday", "picture", "area", "album", "profile_key"),
        *("profile_text", "profile_extra_key", "profile_extra"),
        *("display_name", "login_name", "domain", "password"),
        *("token", "token_extend", "credential", "resource"),
        *("topic", "cover", "label", "room_extend", "room_extra", "room_request"),
    )
}


class PlainDigests(Digests):
    """Digests that are no digests."""

    def _of(self, kind: bytes, size: int, *fields: bytes) -> bytes:
        return b"\0\0\0\0" + b"|".join((kind, *fields))


class PlainSealer(Sealer):
    """A sealer that does not seal; it exists only in tests."""

    def __init__(self, ring: KeyRing, entropy: Callable[[int], bytes]) -> None:
        super().__init__(ring, entropy)
        self.digests = PlainDigests(ring.digest_key)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Nothing is done."""
        return plain

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Nothing was done."""
        return sealed


class PlainShard(SqliteShard):
    """An engine that seals nothing."""

    _make_sealer: ClassVar = PlainSealer


async def live(shard: SqliteShard) -> None:
    """Use everything that takes a text."""
    c = CANARIES
    accounts = shard.accounts
    verifier = PasswordHasher(time_cost=1, memory_cost=64).hash(c["password"])
    ada = await accounts.register(c["login_name"], c["domain"], verifier, NOW)
    profile = About(
        c["display_name"],
        c["nickname"],
        c["birthday"],
        1,
        c["picture"],
        c["area"],
        (c["album"],),
        {c["profile_key"]: c["profile_text"]},
        {c["profile_extra_key"]: octets(c["profile_extra"])},
    )
    await accounts.change_profile(ada.number, profile)
    grant = TokenGrant(ada, c["login_name"], {"k": c["token_extend"]})
    await accounts.put_token(c["token"], grant, NOW + 1)
    device = Device(c["resource"], 1)
    await accounts.put_credential(ada.number, device, c["credential"], NOW)
    await shard.readers.open(ada.number, device, NOW)
    content = Content(
        c["text"],
        octets(c["binary"]),
        1,
        2,
        {c["extend_key"]: c["extend"]},
        {c["extra_key"]: octets(c["extra"])},
    )
    asked = attrs.evolve(draft(ident=5), content=content, device=device)
    drafts = (asked, attrs.evolve(asked, sender=ada.address, recipient=BOB))
    info = RoomInfo(
        c["topic"],
        c["cover"],
        c["label"],
        extend={"k": c["room_extend"]},
        extra={"k": octets(c["room_extra"])},
    )
    wish = create(ada.address, info=info)
    asks = about(RoomStep.JOIN, wish.content.room, BOB, text=c["room_request"])
    said = change(wish.content.room, ada.address, attrs.evolve(info, kind=1))
    await shard.messages.post(Batch((*drafts, wish, asks, said)))


class CanaryTests(TestCase):
    """Seeded texts of every kind are looked for in every file."""

    async def found(self, kind: type[SqliteShard]) -> set[str]:
        """The kinds of texts that can be read in the files of a node."""
        place = Path(self.mktemp())
        database = place / "data" / "tim.db"
        shard = kind(database, place / "keys", REACTOR, REACTOR, os.urandom)
        await shard.start()
        try:
            await live(shard)
            seen = self.search(place)
        finally:
            await shard.stop()
        return seen | self.search(place)

    def search(self, place: Path) -> set[str]:
        """The kinds of texts in any file below ``place``."""
        paths = [path for path in place.rglob("*") if path.is_file()]
        self.assertGreaterEqual(len(paths), 3)
        data = b"".join(path.read_bytes() for path in paths)
        return {kind for kind, text in CANARIES.items() if octets(text) in data}

    async def test_nothing_is_found(self) -> None:
        """
        Texts, names, tokens and devices are in no file, while running and afterwards.
        """
        self.assertEqual(set(), await self.found(SqliteShard))

    async def test_search_would_find_it(self) -> None:
        """
        With sealing switched off every text is found, so the search can see. Only
        passwords are not: their hash is all that storage ever gets.
        """
        every = set(CANARIES) - {"password"}
        self.assertEqual(every, await self.found(PlainShard))
