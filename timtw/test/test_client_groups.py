"""The client library in groups, against the real program."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread

from timtw.client import Client, Message, Refused, Stored
from timtw.client.heard import Heard
from timtw.client.requests import Request
from timtw.client.values import NOTICE, REVOCATION, TEXT
from timtw.protocols.frames import FrameType
from timtw.protocols.structs import TimAck, TimReq
from timtw.test.test_client_node import NodeCase


class Business(Request):
    """A request about a group; the answer is the node in it."""

    def hears(self, heard: Heard, own_node: str) -> tuple[bool, Any]:
        """See ``Request``."""
        ack = heard.body
        return isinstance(ack, TimAck) and ack.timType == 41, getattr(ack, "n", "")


class GroupTests(NodeCase):
    """What programs rely on in groups."""

    async def group(self, founder: Client, *others: str) -> str:
        """A new group with these members."""
        new = TimReq(rtype=8, node="topic", reqInt=1)
        room = await self.ask(founder, new)
        for node in others:
            await self.ask(founder, TimReq(rtype=12, node=room, node2=node))
        return room

    async def ask(self, client: Client, request: TimReq) -> str:
        """Make a request for which the library has no words."""

        def make(number: int, speech: Any, _own: str) -> Request:
            return Business(number, [speech._frame(FrameType.TIMBUSINESS, request)])

        answer: str = await client._ask(make)
        return answer

    async def texts(self, client: Client, count: int) -> list[Message]:
        """The next messages that are no notices, each confirmed."""
        found: list[Message] = []
        while len(found) < count:
            message = await client.receive()
            client.confirm(message)
            if message.kind != NOTICE:
                found.append(message)
        return found

    async def test_writing_reading_taking_back(self) -> None:
        """A text to a group has an answer, arrives, is in the history, and goes."""
        ada = await self.client("ada")
        bob = await self.client("bob", encoding="thrift", addresses=[self.stream])
        room = await self.group(ada, self.bob)
        one = await ada.send_to_group(room, "hello")
        two = await bob.send_to_group(room, "hi")
        self.assertEqual([1, 2], [one.mid, two.mid])
        (came,) = await self.texts(bob, 1)
        self.assertEqual(
            (room, self.ada, "hello", 1, TEXT, False),
            (came.room, came.peer, came.text, came.mid, came.kind, came.own),
        )
        (came,) = await self.texts(ada, 1)
        self.assertEqual((self.bob, "hi"), (came.peer, came.text))
        history = await bob.history_of_group(room)
        self.assertEqual(["hi", "hello"], [message.text for message in history])
        await ada.revoke_in_group(room, 1)
        (gone,) = await self.texts(bob, 1)
        self.assertEqual((REVOCATION, 1, room), (gone.kind, gone.mid, gone.room))
        history = await bob.history_of_group(room)
        self.assertEqual(["hi"], [message.text for message in history])
        error: Any = await self.assertFailure(ada.revoke_in_group(room, 2), Refused)
        self.assertEqual(4105, error.code)
        error = await self.assertFailure(ada.send_to_group(self.bob, "x"), Refused)
        self.assertEqual(4106, error.code)

    async def test_taking_back_a_text(self) -> None:
        """A text to an account is taken back as well."""
        ada, bob = await self.client("ada"), await self.client("bob")
        stored = await ada.send(self.bob, "oops")
        await ada.revoke(self.bob, stored.mid)
        came = await self.texts(bob, 2)
        self.assertEqual([TEXT, REVOCATION], [message.kind for message in came])
        self.assertEqual([], await bob.history(self.ada))

    async def test_a9_to_one_member(self) -> None:
        """One member writes to another alone; a block ends that."""
        ada, bob = await self.client("ada"), await self.client("bob")
        room = await self.group(ada, self.bob)
        stored = await ada.send(self.bob, "psst", within=room)
        (came,) = await self.texts(bob, 1)
        self.assertEqual(
            (self.ada, "psst", room, "", stored.mid),
            (came.peer, came.text, came.group, came.room, came.mid),
        )
        self.assertEqual([], await bob.history_of_group(room))
        self.assertEqual(["psst"], [one.text for one in await bob.history(self.ada)])
        await bob.block(self.ada)
        sent = ada.send(self.bob, "psst", within=room)
        error: Any = await self.assertFailure(sent, Refused)
        self.assertEqual(4105, error.code)

    async def test_node_that_dies_in_the_middle(self) -> None:
        """Around the death of a node no text of a group is lost, doubled, reordered."""
        ada, bob = await self.client("ada"), await self.client("bob")
        room = await self.group(ada, self.bob)
        sends = [ada.send_to_group(room, f"{n}") for n in range(100)]
        begun: Deferred[None] = Deferred()

        def stored_one(one: Stored) -> Stored:
            begun.callback(None)
            return one

        _ = sends[10].addCallback(stored_one)
        await begun
        self.server.kill()
        sends += [ada.send_to_group(room, f"{n}") for n in range(100, 200)]
        await deferToThread(self.server.start)
        stored = await gatherResults(sends)
        self.assertEqual([*range(1, 201)], sorted(one.mid for one in stored))
        came = await self.texts(bob, 200)
        self.assertEqual([*range(1, 201)], [message.mid for message in came])
        self.assertEqual([f"{n}" for n in range(200)], [one.text for one in came])

    async def test_what_is_not_confirmed_comes_again(self) -> None:
        """A text that was not dealt with comes with the next session, others not."""
        ada = await self.client("ada")
        bob = await self.client("bob")
        room = await self.group(ada, self.bob)
        for word in ("one", "two", "three"):
            await ada.send_to_group(room, word)
        await self.texts(bob, 1)
        await bob.receive()
        await bob.close()
        again = await self.client("bob")
        came = await self.texts(again, 2)
        self.assertEqual(["two", "three"], [message.text for message in came])
