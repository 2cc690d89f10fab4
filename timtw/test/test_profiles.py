"""Profiles as people see them: what is merged, what is too long, what a block hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.people.policy import seen
from timtw.model import limits
from timtw.model.commands import (
    ChangeProfile,
    ChangeRelation,
    FindAccount,
    ReadProfiles,
)
from timtw.model.errors import BadParameter, StorageUnavailable
from timtw.model.events import ProfileChanged, Profiles, Refused
from timtw.model.profiles import About, Profile
from timtw.model.relations import Bond, Step
from timtw.model.values import Account, Address
from timtw.test.stage import Client, Stage

WHOLE = About(
    "Ada", "A.", "1815", 2, "cover", "London", ("p", "q"), {"k": "v"}, {"b": b"\xff"}
)


class AboutTests(SynchronousTestCase):
    """What may be in a profile, and how changes come to it."""

    def test_merging(self) -> None:
        """What is not given stays; nothing, where it is given, is a value."""
        self.assertEqual(WHOLE, About().merged(WHOLE))
        self.assertEqual(WHOLE, WHOLE.merged(About()))
        nothing = About("", "", "", 0, "", "", (), {}, {})
        self.assertEqual(nothing, WHOLE.merged(nothing))
        for field in attrs.fields(About):
            given = getattr(nothing, field.name)
            change = attrs.evolve(About(), **{field.name: given})
            expected = attrs.evolve(WHOLE, **{field.name: given})
            self.assertEqual(expected, WHOLE.merged(change))

    def test_limits(self) -> None:
        """Each part has a size that it may have, and one byte more is too much."""
        short, long = limits.DISPLAY_NAME_BYTES, limits.PROFILE_FIELD_BYTES
        most: dict[str, tuple[Any, Any]] = {
            "name": ("ä" * (short // 2), "x" * (short + 1)),
            "nickname": ("x" * short, "x" * (short + 1)),
            "birthday": ("x" * long, "x" * (long + 1)),
            "cover": ("x" * long, "x" * (long + 1)),
            "area": ("x" * long, "x" * (long + 1)),
            "album": (("",) * (long // 2), ("",) * (long // 2) + ("",)),
            "extend": ({"k": "x" * (long - 5)}, {"kk": "x" * (long - 5)}),
            "extra": ({"k": b"x" * (long - 5)}, {"k": b"x" * (long - 4)}),
        }
        for name, (fits, more) in most.items():
            self.assertIsNone(attrs.evolve(WHOLE, **{name: fits}).fault(), name)
            refusal = attrs.evolve(WHOLE, **{name: more}).fault()
            self.assertIsInstance(refusal, BadParameter, name)
        self.assertLess(long, About(cover="x" * long, name="x").weight)

    def test_what_a_block_hides(self) -> None:
        """Across a block there is a name, by which one knows whom it is about."""
        profile = Profile(Account(Address(1, "1"), 7), WHOLE)
        for bond in (None, Bond.FRIENDS, Bond.STRANGERS):
            self.assertEqual(profile, seen(profile, bond))
        hidden = Profile(profile.account, About("Ada"))
        self.assertEqual(hidden, seen(profile, Bond.BLOCKED))


class ProfileTests(SynchronousTestCase):
    """Ada and Bob, on a node each."""

    def setUp(self) -> None:
        """Both are there."""
        self.stage = Stage(("north", "south"))
        self.ada_is = self.stage.register("ada")
        self.bob_is = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")
        self.bob = self.stage.log_in("bob", node="south")

    def reads(self, who: Client, *nodes: str) -> dict[str, About]:
        """What somebody is told of these."""
        who.asks(ReadProfiles(nodes))
        self.stage.settle(0.05)
        found = who.told(Profiles)[-1].profiles
        return {one.account.address.node: one.about for one in found}

    def sets(self, who: Client, about: About) -> None:
        """Somebody changes their profile."""
        before = len(who.told(ProfileChanged))
        who.asks(ChangeProfile(about))
        self.stage.settle(0.05)
        self.assertEqual(before + 1, len(who.told(ProfileChanged)))

    def test_everybody_reads(self) -> None:
        """What one sets, the other reads, on whichever node, and finds by name."""
        ada = self.ada_is.node
        self.assertEqual({ada: About()}, self.reads(self.bob, ada))
        self.sets(self.ada, WHOLE)
        for who in (self.ada, self.bob):
            self.assertEqual({ada: WHOLE}, self.reads(who, ada, "zzz", ada))
        self.bob.asks(FindAccount("ada"))
        self.stage.settle()
        self.assertEqual(WHOLE, self.bob.told(Profiles)[-1].profiles[0].about)

    def test_too_long(self) -> None:
        """What is too long changes nothing at all."""
        self.sets(self.ada, WHOLE)
        self.ada.asks(ChangeProfile(About("new", cover="x" * 1025)))
        self.stage.settle()
        self.assertIsInstance(self.ada.told(Refused)[0].error, BadParameter)
        self.assertEqual(
            WHOLE, self.reads(self.bob, self.ada_is.node)[self.ada_is.node]
        )

    def test_a_block_hides(self) -> None:
        """While there is a block both see no more of each other than a name."""
        self.sets(self.ada, WHOLE)
        self.sets(self.bob, attrs.evolve(WHOLE, name="Bob"))
        ada, bob = self.ada_is.node, self.bob_is.node
        self.reads(self.bob, ada)
        self.reads(self.ada, bob)
        self.ada.asks(ChangeRelation(Step.BLOCK, bob))
        self.stage.settle(0.05)
        found = self.reads(self.bob, ada, bob)
        self.assertEqual(About("Ada"), found[ada])
        self.assertEqual(attrs.evolve(WHOLE, name="Bob"), found[bob])
        self.assertEqual({bob: About("Bob")}, self.reads(self.ada, bob))
        self.bob.asks(FindAccount("ada"))
        self.stage.settle()
        self.assertEqual(About("Ada"), self.bob.told(Profiles)[-1].profiles[0].about)
        self.ada.asks(ChangeRelation(Step.LEAVE, bob))
        self.stage.settle(0.05)
        self.assertEqual({ada: WHOLE}, self.reads(self.bob, ada))

    def test_remembered_until_it_changes(self) -> None:
        """Storage is asked once, and again when any node has changed the profile."""
        store, looks = self.stage.shard.accounts, list[Sequence[int]]()
        read = store.profiles

        def counted(numbers: Sequence[int]) -> Deferred[Mapping[int, Profile]]:
            looks.append(numbers)
            return read(numbers)

        self.patch(store, "profiles", counted)
        self.stage.start("south", alone=False)
        self.bob = self.stage.log_in("bob", node="south")
        ada = self.ada_is.node
        for name in ("one", "two", "three"):
            self.sets(self.ada, About(name))
            for _ in range(3):
                self.assertEqual({ada: About(name)}, self.reads(self.bob, ada))
        self.assertEqual(3, len(looks))

    def test_lost_word(self) -> None:
        """Where word of a change is lost, the old profile is shown for some seconds."""
        ada = self.ada_is.node
        self.sets(self.ada, About("old"))
        self.reads(self.bob, ada)
        self.stage.hub.cut("north", "south")
        self.sets(self.ada, About("new"))
        self.assertEqual({ada: About("old")}, self.reads(self.bob, ada))
        self.stage.clock.advance(limits.BOND_SECONDS)
        self.assertEqual({ada: About("new")}, self.reads(self.bob, ada))

    def test_answer_of_storage_is_lost(self) -> None:
        """After a change of which nobody knows whether it happened storage is asked."""
        ada, store = self.ada_is.node, self.stage.shard.accounts
        self.sets(self.ada, About("old"))
        self.reads(self.ada, ada)
        change = store.change_profile

        def lost(account: int, about: About) -> Deferred[None]:
            done = change(account, about)
            return done.addCallback(lambda _: fail(StorageUnavailable()))

        self.patch(store, "change_profile", lost)
        self.ada.asks(ChangeProfile(About("new")))
        self.stage.settle()
        self.assertIsInstance(self.ada.told(Refused)[0].error, StorageUnavailable)
        self.assertEqual({ada: About("new")}, self.reads(self.ada, ada))
