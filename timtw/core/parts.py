"""The parts of a core, each made of what it needs of the others."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.internet.interfaces import IReactorTime

from timtw.core.groups import GroupParts
from timtw.core.logins.accounts import Accounts
from timtw.core.logins.door import Door
from timtw.core.logins.passwords import Passwords
from timtw.core.logins.places import Places
from timtw.core.logins.tickets import Entropy
from timtw.core.overload import Gate
from timtw.core.people.addresses import People
from timtw.core.people.belongings import Belongings
from timtw.core.people.bonds import Bonds
from timtw.core.people.marking import Marking
from timtw.core.people.presence import Attendance
from timtw.core.people.profiles import Directory
from timtw.core.people.recipients import Recipients
from timtw.core.people.relating import Relating
from timtw.core.people.showing import Showings
from timtw.core.posting import Posting
from timtw.core.router import Router
from timtw.core.serving import Serving
from timtw.core.sessions import Sessions
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.interfaces import IGroups, ILive
from timtw.model.peers import IMesh
from timtw.model.posting import IPostingDesk
from timtw.model.stores import IShard


@attrs.frozen(eq=False)
class Outside:
    """What a core stands on.

    Args:
        entropy: Gives that many random bytes.
        time_ns: The time of day, nanoseconds since 1970.
    """

    shard: IShard
    desk: IPostingDesk
    mesh: IMesh
    passwords: Passwords
    settings: Settings
    clock: IReactorTime
    entropy: Entropy
    time_ns: Callable[[], int]

    @property
    def waiting(self) -> int:
        """How much storage has to do."""
        return max(self.desk.waiting, self.shard.waiting)


@attrs.frozen(eq=False)
class Known:
    """What is remembered of storage, until it changes."""

    people: People
    bonds: Bonds
    belongings: Belongings

    @classmethod
    def of(cls, outside: Outside) -> Known:
        """Nothing is known yet."""
        shard, now = outside.shard, outside.clock.seconds
        has_peers = outside.mesh.has_peers
        return cls(
            People(shard.accounts),
            Bonds(shard.relations, now, has_peers),
            Belongings(shard.rooms, now, has_peers),
        )


@attrs.frozen(eq=False)
class Gates:
    """What is shut, in this order, while storage has too much to do."""

    presence: Gate
    history: Gate
    logins: Gate

    @classmethod
    def of(cls, outside: Outside) -> Gates:
        """All of them are open."""

        def gate(what: str, most: int) -> Gate:
            return Gate(what, most, lambda: outside.waiting)

        return cls(
            gate("presence", limits.PRESENCE_WAITING),
            gate("history", limits.HISTORY_WAITING),
            gate("logins", limits.LOGINS_WAITING),
        )


def showings_of(
    outside: Outside, known: Known, gates: Gates, sessions: Sessions
) -> Showings:
    """Presence."""
    mesh, settings, clock = outside.mesh, outside.settings, outside.clock
    attendance = Attendance(
        clock.seconds,
        mesh.entered,
        mesh.left,
        mesh.attends,
        mesh.has_peers,
        not settings.presence_offline_block,
    )
    return Showings(
        sessions,
        attendance,
        known.people,
        known.bonds,
        known.belongings,
        mesh,
        gates.presence,
        settings.write_to_anyone,
        clock,
        outside.time_ns,
        outside.entropy,
    )


def group_parts(
    outside: Outside, known: Known, gates: Gates, router: Router
) -> GroupParts:
    """What groups are made of."""
    return GroupParts(
        known.people,
        known.belongings,
        outside.shard.rooms,
        outside.desk,
        router,
        gates.history,
        outside.clock.seconds,
        outside.time_ns,
        outside.entropy,
    )


def door_of(
    outside: Outside,
    known: Known,
    gates: Gates,
    sessions: Sessions,
    router: Router,
    showings: Showings,
    live: ILive,
    groups: IGroups,
) -> Door:
    """The door, and behind it everything that a client may ask."""
    shard, settings = outside.shard, outside.settings
    clock, time_ns, entropy = outside.clock, outside.time_ns, outside.entropy
    now = clock.seconds
    people, bonds, belongings = known.people, known.bonds, known.belongings
    marking = Marking(
        people, bonds, belongings, shard.reads, router, gates.history, clock
    )
    recipients = Recipients(people, bonds, belongings, settings)
    return Door(
        shard=shard,
        desk=outside.desk,
        accounts=Accounts(
            shard.accounts,
            outside.passwords,
            settings,
            now,
            time_ns,
            entropy,
            gates.logins,
        ),
        people=people,
        posting=Posting(recipients, outside.desk, router, time_ns, entropy),
        relating=Relating(
            people, bonds, shard.relations, outside.desk, router, now, time_ns, entropy
        ),
        groups=groups,
        serving=Serving(shard.messages, belongings, marking, settings, gates.history),
        directory=Directory(
            shard.accounts,
            bonds,
            router,
            settings,
            now,
            gates.history,
            outside.mesh.has_peers,
        ),
        marking=marking,
        showings=showings,
        live=live,
        sessions=sessions,
        places=Places(sessions, router, settings),
        router=router,
        settings=settings,
        clock=clock,
        entropy=entropy,
        time_ns=time_ns,
        server=int.from_bytes(entropy(4), "big") >> 1,
    )
