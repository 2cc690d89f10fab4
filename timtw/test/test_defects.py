"""Faults of the older server that no other test looks for, and the table of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

import timtw
from timtw.core.logins.passwords import ArgonPasswords
from timtw.model import limits
from timtw.model.commands import FetchBacklog, IssueToken, LogIn
from timtw.model.errors import BadToken
from timtw.model.events import EndOfBacklog, LoggedIn, Refused
from timtw.model.posting import Batch, Posted
from timtw.model.values import Device
from timtw.protocols import structs
from timtw.protocols.codecs import THRIFT
from timtw.shards.memory.shard import MemoryShard
from timtw.test import defectspage
from timtw.test.contracts import ADA, draft
from timtw.test.defects import DEFECTS
from timtw.test.stage import Stage, entropy_of
from timtw.test.test_shards_sqlite import FileCase
from timtw.test.test_websocket import masked
from timtw.test.test_wire_conversation import Wire

COUNTS: Final = {
    "D": 23,
    "L": 17,
    "H": 6,
    "X": 13,
    "Q": 10,
    "I": 13,
    "A": 12,
    "R": 11,
    "G": 17,
    "P": 4,
    "V": 13,
}
"""How many faults each chapter has."""


class D13EntriesAreUnique(SynchronousTestCase):
    """A message is in each log once."""

    def test_one_entry(self) -> None:
        """A text that was sent four times waits once, and the log has no gap."""
        stage = Stage(("north", "south"))
        bob = stage.register("bob")
        stage.register("ada")
        lines = [stage.log_in("ada", node=node) for node in ("north", "south")]
        for _ in range(2):
            for line in lines:
                line.writes(bob, "hi", ident=5)
        stage.settle()
        phone = stage.log_in("bob")
        phone.asks(FetchBacklog())
        stage.settle()
        self.assertEqual([1], [entry.seq for entry in phone.entries])
        self.assertIsInstance(phone.events[-1], EndOfBacklog)


class D14FetchesAtTheSameTime(SynchronousTestCase):
    """Requests for the backlog do not disturb each other."""

    def test_two_devices(self) -> None:
        """Two devices that ask together each get everything, once and in order."""
        stage = Stage()
        bob = stage.register("bob")
        stage.register("ada")
        for resource in ("phone", "desk"):
            stage.log_in("bob", resource).vanishes()
        ada = stage.log_in("ada")
        wanted = [str(number) for number in range(25)]
        for text in wanted:
            ada.writes(bob, text)
        stage.settle()
        devices = [stage.log_in("bob", resource) for resource in ("phone", "desk")]
        for device in devices:
            device.asks(FetchBacklog())
        stage.settle(1)
        self.assertEqual([wanted, wanted], [device.texts for device in devices])
        for device in devices:
            self.assertEqual(1, len(device.told(EndOfBacklog)))


class D22LongTexts(FileCase):
    """What is accepted can be stored."""

    async def test_longest_text(self) -> None:
        """A text as long as the longest frame by default is stored and read whole."""
        shard = await self.opened()
        text = "\u4e2d" * (limits.MIB // 3)
        (posted,) = await shard.messages.post(Batch((draft(text),)))
        page = await shard.messages.read_log(ADA.number, 0, 1, 1)
        assert isinstance(posted, Posted)
        self.assertEqual(
            [posted.message.mid], [one.message.mid for one in page.entries]
        )
        self.assertEqual(text, page.entries[0].message.content.text)


class L2LoginsAtTheSameTime(SynchronousTestCase):
    """Every session that was let in is a session."""

    def test_everybody_hears(self) -> None:
        """Of eight devices that log in at the same moment all get the next text."""
        stage = Stage(("north", "south"))
        bob = stage.register("bob")
        stage.register("ada")
        devices = [stage.connect(node) for node in ("north", "south") * 4]
        for number, device in enumerate(devices):
            device.asks(LogIn("bob", "bob", "", "", Device(str(number))))
        stage.settle(1)
        stage.log_in("ada").writes(bob, "hi")
        stage.settle()
        self.assertEqual([["hi"]] * 8, [device.texts for device in devices])


class L9TextsDuringALogin(Wire):
    """A text that arrives while somebody logs in."""

    def test_encoding(self) -> None:
        """Whenever it comes, it follows the answer and is in the client's encoding."""
        self.register("ada")
        bob = self.register("bob")
        ada = self.open()
        self.say(ada, b"\x10\x18\x03ada\x18\x06secret\x00")
        message = structs.TimMessage(msType=2, odType=1, toTid=structs.Tid(node=bob))
        for moment in range(8):
            phone = self.open()
            login = b'\x90{"name":"bob","pwd":"secret","resource":"%d"}' % moment
            phone.protocol.dataReceived(masked(login))
            for _ in range(moment):
                self.stage.clock.advance(0.001)
            self.say(ada, b"\x5a" + THRIFT.encode(message))
            self.stage.clock.advance(5)
            frames = self.heard(phone)
            self.assertEqual(b"\x0c", frames[0][:1])
            self.assertEqual(b"\xda", frames[-1][:1])
            for frame in frames:
                json.loads(frame.partition(b"{")[1] + frame.partition(b"{")[2])


class A12WhatALoginStates(Wire):
    """What others learn of a device."""

    def test_map_of_the_login(self) -> None:
        """The map of a login stays between the device and the node."""
        self.register("ada")
        bob = self.register("bob")
        ada, phone = self.open(), self.open()
        extend = b'"extend":{"secret":"abcdef"}'
        self.say(ada, b'\x90{"name":"ada","pwd":"secret",%b}' % extend)
        self.say(phone, b'\x90{"name":"bob","pwd":"secret"}')
        text = b'{"msType":2,"odType":1,"toTid":{"node":"%b"},"dataString":"hi"}'
        frames = self.say(ada, b"\xda" + text % bob.encode()) + self.heard(phone)
        self.assertEqual(2, sum(b'"hi"' in frame for frame in frames))
        self.assertFalse([frame for frame in frames if b"abcdef" in frame])


class I2NodesAreNotCalculated(SynchronousTestCase):
    """A node is drawn, and where it lies depends on a key."""

    def test_i3_same_name(self) -> None:
        """A name has nothing to do with its node: two installations differ in it."""

        def node(seed: int) -> str:
            entropy = entropy_of(seed)
            stage = Stage(shard=lambda clock: MemoryShard(clock, entropy))
            return stage.register("ada").node

        nodes = {node(seed) for seed in (1, 2, 3)}
        self.assertEqual(3, len(nodes))


class I5NamesAndDomains(SynchronousTestCase):
    """A name and a domain are two texts."""

    def test_apart(self) -> None:
        """Pairs that read alike when put together are different accounts."""
        stage = Stage()
        pairs = (("ab", "c"), ("a", "bc"), ("abc", ""), ("\0ab", "c"), ("ab\0", "c"))
        nodes = {stage.register(name, domain).node for name, domain in pairs}
        self.assertEqual(len(pairs), len(nodes))


class I6LongPasswords(TestCase):
    """Every byte of a password counts."""

    async def test_last_byte(self) -> None:
        """Passwords that differ in the last of 1,024 bytes, or in length, differ."""
        from twisted.internet import reactor

        passwords = ArgonPasswords(IReactorFromThreads(reactor))
        passwords.start()
        self.addCleanup(passwords.stop)
        start = "x" * (limits.PASSWORD_BYTES - 1)
        verifier = await passwords.make(start + "a")
        self.assertTrue(await passwords.check(verifier, start + "a"))
        for wrong in (start + "b", start, start + "aa"):
            self.assertFalse(await passwords.check(verifier, wrong))


class I11GoodTokens(SynchronousTestCase):
    """A token that was never used is good."""

    def test_all_are_taken(self) -> None:
        """Of three hundred tokens every one logs in, and none does again."""
        stage = Stage()
        stage.register("ada")
        for _ in range(300):
            token = stage.ready(
                stage.cores["north"].issue_token(IssueToken("ada", "ada", ""), "home")
            )
            for kind in (LoggedIn, Refused):
                client = stage.connect()
                client.asks(LogIn("", "", token, "", Device("phone")))
                stage.settle(0.03)
                self.assertEqual([kind], [type(event) for event in client.events])
                client.vanishes()


class I12TokensAtTheSameTime(SynchronousTestCase):
    """A token is taken once."""

    def test_one_login(self) -> None:
        """Of two logins with one token at the same moment, on two nodes, one is in."""
        stage = Stage(("north", "south"))
        stage.register("ada")
        token = stage.ready(
            stage.cores["north"].issue_token(IssueToken("ada", "ada", ""), "home")
        )
        clients = [stage.connect(node) for node in ("north", "south", "north")]
        for client in clients:
            client.asks(LogIn("", "", token, "", Device("phone")))
        stage.settle()
        refused = [client.told(Refused) for client in clients if client.told(Refused)]
        self.assertEqual(1, sum(len(client.told(LoggedIn)) for client in clients))
        self.assertEqual([BadToken] * 2, [type(one.error) for (one,) in refused])


class TableTests(SynchronousTestCase):
    """The table of all faults is true."""

    def test_numbers(self) -> None:
        """Each fault is there once, in order."""
        wanted = [
            f"{letter}{number}"
            for letter, last in COUNTS.items()
            for number in range(1, last + 1)
        ]
        self.assertEqual(wanted, [one.number for one in DEFECTS])

    def test_names(self) -> None:
        """Tests are named after every fault that can occur, and after no other."""
        tests = defectspage.named_tests()
        for one in DEFECTS:
            ways = [bool(way) for way in (tests.get(one.number), one.later, one.never)]
            self.assertEqual(1, sum(ways), one.number)
        self.assertEqual(set(), set(tests) - {one.number for one in DEFECTS})

    def test_spelling(self) -> None:
        """A name may hold several faults, and what only looks like one is none."""
        for case, method, numbers in (
            ("PageTests", "test_d1_d14_gaps", {"D1", "D14"}),
            ("L2Logins", "test_x3_large", {"L2", "X3"}),
            ("P1Durable", "test_s7_l6_loser", {"L6"}),
            ("PageTests", "test_two_d1", set()),
            ("PageTests", "test_d1", set()),
        ):
            self.assertEqual(numbers, defectspage.numbers_of(case, method), method)

    def test_page(self) -> None:
        """The page in docs/ is what the table says."""
        page = Path(timtw.__file__).parents[1] / "docs" / "reference" / "defects.md"
        if not page.exists():
            raise SkipTest("this is not a checkout")
        self.assertEqual(defectspage.text(), page.read_text("utf-8"))
