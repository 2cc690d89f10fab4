"""The engine without a database passes the contract of all engines."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.posting import Batch, Outcome
from timtw.model.stores import IShard
from timtw.shards.memory.shard import MemoryShard
from timtw.test import (
    contracts,
    contracts_keeping,
    contracts_kinds,
    contracts_reads,
    contracts_relations,
    contracts_rooms,
    contracts_roomstates,
    contracts_standing,
)

CLOCK: Any = reactor


class _Memory(contracts.ShardContract):
    """Shards in memory."""

    def make_shard(self) -> IShard:
        """A shard in memory."""
        return MemoryShard(CLOCK, os.urandom)


class MemoryAccountTests(_Memory, contracts.AccountContract):
    """Accounts in memory."""


class MemoryStandingTests(_Memory, contracts_standing.StandingContract):
    """Verifiers and blocks in memory."""


class MemoryMessageTests(_Memory, contracts.MessageContract):
    """Messages in memory."""


class MemoryRemovalTests(_Memory, contracts_kinds.RemovalContract):
    """Revoked and burnt texts in this engine."""


class MemoryReadTests(_Memory, contracts_reads.ReadContract):
    """Read marks without a database."""


class MemoryRelationTests(_Memory, contracts_relations.RelationContract):
    """Friends and blocks in this engine."""


class MemoryRoomTests(_Memory, contracts_rooms.RoomContract):
    """Rooms and their members in this engine."""


class MemoryRoomStateTests(_Memory, contracts_roomstates.RoomStateContract):
    """What becomes of rooms in this engine."""


class MemoryCustomTests(_Memory, contracts_kinds.CustomContract):
    """Kinds of applications in this engine."""


class MemoryReaderTests(_Memory, contracts.ReaderContract):
    """Readers in memory."""


class MemoryKeepingTests(_Memory, contracts_keeping.KeepingContract):
    """Old messages in memory."""


class MemoryForgettingTests(_Memory, contracts_keeping.ForgettingContract):
    """Old devices in memory."""


class MemoryDeskTests(_Memory, contracts.DeskContract):
    """The posting desk over memory."""


class TurnTests(SynchronousTestCase):
    """When results come."""

    def test_nothing_happens_at_once(self) -> None:
        """
        A post takes place in a later turn, as with a database.
        """
        clock = Clock()
        shard = MemoryShard(clock, os.urandom)
        results: list[list[Outcome]] = []
        posting = shard.messages.post(Batch((contracts.draft(),)))
        _ = posting.addCallback(lambda posted: results.append(list(posted)))
        heads = shard.messages.heads([contracts.ADA.number])
        self.assertNoResult(heads)
        self.assertEqual([], results)
        clock.advance(0)
        self.assertEqual(1, len(results))
        self.assertEqual({contracts.ADA.number: 1}, self.successResultOf(heads))
