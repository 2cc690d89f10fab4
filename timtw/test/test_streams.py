"""Streams between two accounts, as the people concerned see them."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import FetchBacklog, PullHistory, SendMessage
from timtw.model.errors import PermissionDenied
from timtw.model.events import Delivery, History, Refused, Streamed
from timtw.model.values import STREAM, Address, Content
from timtw.test.roomkit import make_room, says
from timtw.test.stage import OPEN, Client, Stage


def stream(peer: Address, words: str, ident: int | None = None) -> SendMessage:
    """Something for those who are there."""
    return SendMessage(peer.node, Content(words), ident, kind=STREAM)


def heard(client: Client) -> list[str | None]:
    """The texts and streams that came, in order."""
    words = []
    for event in client.events:
        if isinstance(event, Delivery):
            words.append(event.entry.message.content.text)
        elif isinstance(event, Streamed):
            words.append(event.message.content.text)
    return words


class StreamTests(SynchronousTestCase):
    """Ada sends to Bob."""

    def setUp(self) -> None:
        """Both have an account on two nodes, Ada is there."""
        self.stage = Stage(("north", "south"))
        self.stage.register("ada")
        self.bob = self.stage.register("bob")
        self.ada = self.stage.log_in("ada")

    def test_to_those_who_are_there(self) -> None:
        """All devices of Bob get it, on every node; nobody else does, nor an answer."""
        near, far = (
            self.stage.log_in("bob", node, node) for node in ("north", "south")
        )
        laptop = self.stage.log_in("ada", "laptop")
        before = len(self.ada.events)
        self.ada.asks(stream(self.bob, "x", ident=8))
        self.stage.settle()
        for client in (near, far):
            (told,) = client.told(Streamed)
            self.assertEqual((8, 0), (told.message.ident, told.message.mid))
            assert told.message.device is not None
            self.assertEqual("phone", told.message.device.resource)
        self.assertEqual([], laptop.told(Streamed))
        self.assertEqual(before, len(self.ada.events))

    def test_never_stored(self) -> None:
        """Who comes later has missed it, and no history tells of it."""
        self.ada.asks(stream(self.bob, "x"))
        self.ada.asks(PullHistory(self.bob.node, 0, 10))
        self.stage.settle()
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle(5)
        self.assertEqual([], heard(phone))
        self.assertEqual([History(())], self.ada.told(History))

    def test_not_repeated(self) -> None:
        """Nobody asks whether it arrived; the same id twice is two streams."""
        phone = self.stage.log_in("bob", acknowledges=False)
        for _ in range(2):
            self.ada.asks(stream(self.bob, "x", ident=8))
        self.stage.settle(30)
        self.assertEqual(["x", "x"], heard(phone))

    def test_order(self) -> None:
        """It overtakes no text of its sender and is overtaken by none."""
        phone = self.stage.log_in("bob")
        self.ada.writes(self.bob, "1")
        self.ada.asks(stream(self.bob, "2"))
        self.ada.writes(self.bob, "3")
        self.stage.settle()
        self.assertEqual(["1", "2", "3"], heard(phone))

    def test_slow_line(self) -> None:
        """It does not wait for a line that takes nothing."""
        phone = self.stage.log_in("bob")
        phone.session.writable(False)
        self.ada.asks(stream(self.bob, "1"))
        self.stage.settle()
        phone.session.writable(True)
        self.ada.asks(stream(self.bob, "2"))
        self.stage.settle()
        self.assertEqual(["2"], heard(phone))

    def test_friends_only(self) -> None:
        """Who may not write may not send this either."""
        self.stage.settings = attrs.evolve(OPEN, write_to_anyone=False)
        self.stage.start("north", alone=False)
        ada, phone = self.stage.log_in("ada"), self.stage.log_in("bob")
        ada.asks(stream(self.bob, "x"))
        self.stage.settle()
        (refused,) = ada.told(Refused)
        self.assertIsInstance(refused.error, PermissionDenied)
        self.assertEqual([], heard(phone))


class GroupTests(SynchronousTestCase):
    """Ada sends to a group, whose members are on two nodes."""

    def setUp(self) -> None:
        """Ada and Bob are members, Cyd is not."""
        self.stage = Stage(("north", "south"))
        ada, bob, _cyd = (self.stage.register(name) for name in ("ada", "bob", "cyd"))
        self.room = make_room(self.stage, ada, bob)
        self.ada, self.near = self.stage.log_in("ada"), self.stage.log_in("bob")
        self.far = self.stage.log_in("bob", "far", node="south")
        self.cyd = self.stage.log_in("cyd", node="south")
        self.stage.settle(1)

    def streams(self, client: Client) -> list[str | None]:
        """What came that is in no log."""
        return [event.message.content.text for event in client.told(Streamed)]

    def test_members_who_are_there(self) -> None:
        """All their devices get it, the author's as well; nobody else does."""
        says(self.ada, self.room, "x", kind=STREAM)
        self.stage.settle()
        for client in (self.ada, self.near, self.far):
            self.assertEqual(["x"], self.streams(client))
            (told,) = client.told(Streamed)
            self.assertEqual(self.room.number, told.message.recipient.number)
        self.assertEqual([], self.streams(self.cyd))

    def test_members_only(self) -> None:
        """Who is no member, or no longer, may not."""
        says(self.cyd, self.room, "x", kind=STREAM)
        self.stage.settle()
        (refused,) = self.cyd.told(Refused)
        self.assertIsInstance(refused.error, PermissionDenied)
        for client in (self.ada, self.near, self.far):
            self.assertEqual([], self.streams(client))
