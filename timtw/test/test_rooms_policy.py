"""Who may do what about a room, and in one: every case of every step, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from timtw.core.people import policy
from timtw.model.errors import (
    AlreadyMember,
    BadParameter,
    BlockedByOther,
    NotPending,
    NotThere,
    PermissionDenied,
    RoomDissolved,
    TimError,
    UnknownAccount,
)
from timtw.model.relations import Bond
from timtw.model.rooms import Belonging, Entry, Role, Room, Side
from timtw.model.roomsteps import OTHERS, RoomStep, RoomVerdict, Scene, Space, decide
from timtw.model.values import Address

NONE, YES, NO = Side.NOTHING, Side.AGREES, Side.BLOCKS
PARTS: Final = {
    "nobody": Belonging(),
    "asked": Belonging(YES),
    "member": Belonging(YES, YES),
    "manager": Belonging(YES, YES, Role.MANAGER),
    "founder": Belonging(YES, YES, Role.FOUNDER),
    "blocks": Belonging(NO),
    "barred": Belonging(NONE, NO),
    "both": Belonging(NO, NO),
}
"""Everything that an account can be to a room."""
NAMES: Final = {part: name for name, part in PARTS.items()}
SAME = ""
"""In a table: nothing changes."""
ROOMS: Final = {
    entry: Room(Address(9, "9", "here"), entry, 1, 17, alive=True) for entry in Entry
}
P, B, A, T, N = PermissionDenied, BlockedByOther, AlreadyMember, NotThere, NotPending
Outcome = tuple[str, int] | type[TimError]
"""What the account that a step is about becomes, and what is told; or the refusal."""

ONESELF: Final[dict[tuple[RoomStep, Entry], dict[str, Outcome]]] = {
    (RoomStep.JOIN, Entry.OPEN): {
        "nobody": ("member", 10),
        "asked": ("member", 10),
        "member": A,
        "manager": A,
        "founder": A,
        "blocks": ("member", 10),
        "barred": B,
        "both": B,
    },
    (RoomStep.JOIN, Entry.PRIVATE): {
        "nobody": ("asked", 9),
        "asked": (SAME, 0),
        "member": A,
        "manager": A,
        "founder": A,
        "blocks": ("asked", 9),
        "barred": B,
        "both": B,
    },
    (RoomStep.BLOCK, Entry.OPEN): {
        "nobody": ("blocks", 0),
        "asked": ("blocks", 0),
        "member": ("blocks", 0),
        "manager": ("blocks", 0),
        "founder": P,
        "blocks": (SAME, 0),
        "barred": ("both", 0),
        "both": (SAME, 0),
    },
    (RoomStep.LEAVE, Entry.OPEN): {
        "nobody": T,
        "asked": ("nobody", 0),
        "member": ("nobody", 0),
        "manager": ("nobody", 0),
        "founder": P,
        "blocks": ("nobody", 0),
        "barred": T,
        "both": ("barred", 0),
    },
    (RoomStep.DISSOLVE, Entry.OPEN): {
        name: ("nobody", 0) if name == "founder" else P for name in PARTS
    },
    (RoomStep.CHANGE, Entry.OPEN): {
        name: (SAME, 0) if name in ("founder", "manager") else P for name in PARTS
    },
}
"""Steps of an account about itself, by what it is."""

BY_FOUNDER: Final[dict[RoomStep, dict[str, Outcome]]] = {
    RoomStep.PULL_IN: {
        "nobody": ("member", 12),
        "asked": ("member", 10),
        "member": A,
        "manager": A,
        "blocks": B,
        "barred": ("member", 12),
        "both": B,
    },
    RoomStep.REJECT: {
        "nobody": T,
        "asked": ("nobody", 11),
        "member": N,
        "manager": N,
        "blocks": N,
        "barred": N,
        "both": N,
    },
    RoomStep.REMOVE: {
        "nobody": T,
        "asked": ("nobody", 13),
        "member": ("nobody", 13),
        "manager": ("nobody", 13),
        "blocks": T,
        "barred": ("nobody", 0),
        "both": ("blocks", 0),
    },
    RoomStep.BAR: {
        "nobody": ("barred", 0),
        "asked": ("barred", 0),
        "member": ("barred", 0),
        "manager": ("barred", 0),
        "blocks": ("both", 0),
        "barred": (SAME, 0),
        "both": (SAME, 0),
    },
    RoomStep.HAND_OVER: {
        "nobody": T,
        "asked": T,
        "member": ("founder", 0),
        "manager": ("founder", 0),
        "blocks": T,
        "barred": T,
        "both": T,
    },
}
"""Steps of the founder about others, by what those are."""


def expected(step: RoomStep, entry: Entry, actor: str, target: str) -> Outcome:
    """What the rules say of a step about somebody else."""
    by_founder = BY_FOUNDER[step]
    if actor == "founder":
        return by_founder[target]
    if step is RoomStep.HAND_OVER:
        return P
    if actor == "manager":
        # A manager decides like the founder, but neither about founder nor managers.
        if step in (RoomStep.REMOVE, RoomStep.BAR) and target in ("manager", "founder"):
            return P
        if target == "founder":
            return A if step is RoomStep.PULL_IN else N
        return by_founder[target]
    if step is RoomStep.PULL_IN and entry is Entry.OPEN and actor == "member":
        # Members pull into an open room whom the room does not bar.
        if target == "barred":
            return P
        return A if target == "founder" else by_founder[target]
    return P


def found(verdict: RoomVerdict, before: str) -> Outcome:
    """What came of a step, as the tables say it."""
    if verdict.refusal is not None:
        assert (verdict.after, verdict.notice) == (PARTS[before], 0)
        return type(verdict.refusal)
    after = NAMES[verdict.after]
    return SAME if after == before else after, int(verdict.notice)


def cases() -> Iterator[tuple[RoomStep, Entry, str, str]]:
    """Every step about somebody else, by whomever, about whomever."""
    for step in OTHERS:
        for entry in Entry:
            for actor in PARTS:
                for target in PARTS:
                    if (actor, target) != ("founder", "founder"):
                        yield step, entry, actor, target


class StepTests(SynchronousTestCase):
    """What steps come to."""

    def test_about_oneself(self) -> None:
        """Joining, leaving, blocking, dissolving and changing, by what one is."""
        for (step, entry), table in ONESELF.items():
            entries = (entry,) if step is RoomStep.JOIN else tuple(Entry)
            self.assertEqual(set(PARTS), set(table))
            for name, outcome in table.items():
                for one in entries:
                    mine = PARTS[name]
                    scene = Scene(ROOMS[one], mine, mine, alone=True)
                    self.assertEqual(
                        outcome, found(decide(step, scene), name), (step, name)
                    )

    def test_about_others(self) -> None:
        """Pulling in, rejecting, removing, barring, handing over: by whom, of whom."""
        seen = 0
        for step, entry, actor, target in cases():
            scene = Scene(ROOMS[entry], PARTS[actor], PARTS[target], oneself=False)
            outcome = found(decide(step, scene), target)
            case = (step, entry, actor, target)
            self.assertEqual(expected(*case), outcome, case)
            seen += 1
        self.assertEqual(5 * 2 * (8 * 8 - 1), seen)

    def test_oneself_is_no_other(self) -> None:
        """No step about others is about oneself, in whatever room."""
        for step in OTHERS:
            for mine in PARTS.values():
                for room in (None, *ROOMS.values()):
                    verdict = decide(step, Scene(room, mine, mine))
                    self.assertIsInstance(verdict.refusal, PermissionDenied)

    def test_create(self) -> None:
        """Whoever makes a room is its founder."""
        verdict = decide(RoomStep.CREATE, Scene(None))
        self.assertEqual(RoomVerdict(PARTS["founder"]), verdict)
        for scene in (Scene(None, space=Space(account=False)), Scene(None, wrong="x")):
            kind = BadParameter if scene.wrong else PermissionDenied
            self.assertIsInstance(decide(RoomStep.CREATE, scene).refusal, kind)

    def test_no_room(self) -> None:
        """What nobody has made can be joined by nobody, nor anything else."""
        for step in RoomStep:
            if step is not RoomStep.CREATE:
                refusal = decide(step, Scene(None, oneself=step not in OTHERS)).refusal
                kind = BadParameter if step is RoomStep.JOIN else NotThere
                self.assertIsInstance(refusal, kind, step)

    def test_g6_dissolved(self) -> None:
        """In a room that is dissolved nothing happens; an own block can be lifted."""
        for entry in Entry:
            gone = Room(Address(9, "9", "here"), entry, 1, 17, alive=False)
            for step in RoomStep:
                for name, part in PARTS.items():
                    if step is RoomStep.CREATE:
                        continue
                    scene = Scene(gone, part, part, oneself=step not in OTHERS)
                    verdict = decide(step, scene)
                    if step is RoomStep.LEAVE and name in ("blocks", "both"):
                        self.assertIsNone(verdict.refusal)
                    else:
                        self.assertIsInstance(verdict.refusal, RoomDissolved)

    def test_dissolving_needs_to_be_alone(self) -> None:
        """A founder dissolves no room in which others are."""
        mine = PARTS["founder"]
        scene = Scene(ROOMS[Entry.OPEN], mine, mine, alone=False)
        self.assertIsInstance(decide(RoomStep.DISSOLVE, scene).refusal, P)

    def test_g2_personal_blocks(self) -> None:
        """Nobody is pulled in by somebody they block, unless they have asked."""
        for name, kind in (("nobody", B), ("barred", B), ("asked", None)):
            founder, target = PARTS["founder"], PARTS[name]
            scene = Scene(ROOMS[Entry.OPEN], founder, target, False, blocked=True)
            refusal = decide(RoomStep.PULL_IN, scene).refusal
            self.assertEqual(kind, None if refusal is None else type(refusal))

    def test_g16_space(self) -> None:
        """Where there is space for no one more, no one more is let in."""
        founder, nobody, asked = PARTS["founder"], PARTS["nobody"], PARTS["asked"]
        full, known = Space(member=False), Space(account=False)
        table = (
            (RoomStep.JOIN, Entry.OPEN, nobody, full, False),
            (RoomStep.JOIN, Entry.PRIVATE, nobody, full, False),
            (RoomStep.JOIN, Entry.OPEN, nobody, known, False),
            (RoomStep.JOIN, Entry.OPEN, asked, known, True),
            (RoomStep.JOIN, Entry.PRIVATE, nobody, Space(request=False), False),
            (RoomStep.JOIN, Entry.PRIVATE, asked, Space(request=False), True),
            (RoomStep.JOIN, Entry.OPEN, nobody, Space(request=False), True),
            (RoomStep.PULL_IN, Entry.OPEN, nobody, full, False),
            (RoomStep.PULL_IN, Entry.OPEN, nobody, known, False),
            (RoomStep.PULL_IN, Entry.OPEN, asked, known, True),
            (RoomStep.BLOCK, Entry.OPEN, nobody, known, False),
            (RoomStep.BLOCK, Entry.OPEN, asked, known, True),
            (RoomStep.BAR, Entry.OPEN, nobody, Space(bar=False), False),
            (RoomStep.BAR, Entry.OPEN, PARTS["barred"], Space(bar=False), True),
            (RoomStep.REMOVE, Entry.OPEN, asked, Space(False, False, False), True),
        )
        for step, entry, target, space, allowed in table:
            actor = founder if step in OTHERS else target
            scene = Scene(ROOMS[entry], actor, target, step not in OTHERS, space=space)
            refusal = decide(step, scene).refusal
            self.assertEqual(allowed, refusal is None, (step, space))

    def test_what_is_said_has_to_be_right(self) -> None:
        """A change that says too much, or names strangers, is refused."""
        mine = PARTS["founder"]
        scene = Scene(ROOMS[Entry.OPEN], mine, mine, wrong="too much")
        self.assertIsInstance(decide(RoomStep.CHANGE, scene).refusal, BadParameter)


class RightTests(SynchronousTestCase):
    """What may be done in a room."""

    def test_members_only(self) -> None:
        """Members write and read, in whatever role, while the room is there."""
        inside = ("member", "manager", "founder")
        for name, part in PARTS.items():
            for entry, room in ROOMS.items():
                gone = Room(room.address, entry, 1, 17, alive=False)
                for may in (policy.may_write_to, policy.may_read_history):
                    self.assertEqual(name in inside, may(room, part) is None, name)
                    self.assertIsInstance(may(gone, part), PermissionDenied)
                listing = policy.may_list_members(room, part)
                self.assertEqual(name in inside, listing is None, name)
                refusal = policy.may_list_members(gone, part)
                self.assertIsInstance(refusal, BadParameter)
        self.assertIsInstance(
            policy.may_list_members(None, Belonging()), UnknownAccount
        )

    def test_whom_a_room_bars(self) -> None:
        """Founder and managers see whom a room bars."""
        for name, part in PARTS.items():
            for entry, room in ROOMS.items():
                may = policy.may_list_barred(room, part)
                self.assertEqual(name in ("manager", "founder"), may is None, name)
                gone = Room(room.address, entry, 1, 17, alive=False)
                refusal = policy.may_list_barred(gone, part)
                self.assertIsInstance(refusal, RoomDissolved)
        self.assertIsInstance(policy.may_list_barred(None, Belonging()), NotThere)

    def test_a9_within_a_room(self) -> None:
        """Members write to each other, friends or not, and never across a block."""
        for mine in PARTS:
            for theirs in PARTS:
                for bond in Bond:
                    inside = {mine, theirs} <= {"member", "manager", "founder"}
                    refusal = policy.may_write_within(
                        ROOMS[Entry.OPEN], PARTS[mine], PARTS[theirs], bond
                    )
                    allowed = inside and bond is not Bond.BLOCKED
                    self.assertEqual(allowed, refusal is None, (mine, theirs, bond))

    def test_g17_other_domains(self) -> None:
        """A room is there for accounts of its own domain only."""
        room = ROOMS[Entry.OPEN]
        self.assertTrue(policy.is_of(Address(1, "1", "here"), room))
        self.assertFalse(policy.is_of(Address(1, "1", "there"), room))
        self.assertFalse(policy.is_of(Address(1, "1", "here"), None))
