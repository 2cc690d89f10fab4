"""The programs that the pages about people print do what the pages say."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from timtw.client import Client, Presence
from timtw.client.values import FRIENDS, JOINED, NOTICE, TEXT
from timtw.test.test_client_node import NodeCase
from timtw.test.test_docs_examples import example


class PagesTests(NodeCase):
    """Each program, as somebody would copy it, and a real node."""

    def program(self, page: str) -> dict[str, Any]:
        """What the program of a page defines."""
        names: dict[str, Any] = {}
        exec(example(f"docs/how-to/{page}.md", "python"), names)
        return names

    def runs(self, work: Any) -> None:
        """Let something go on until the test is over."""
        running = Deferred.fromCoroutine(work)
        _ = running.addErrback(lambda failure: failure.trap(CancelledError))
        self.addCleanup(running.cancel)

    async def notice(self, client: Client, *wanted: int) -> None:
        """Read until these notices have come, in this order."""
        for number in wanted:
            message = await client.receive()
            while (message.kind, message.notice) != (NOTICE, number):
                message = await client.receive()

    async def test_groups(self) -> None:
        """Friends are brought in, and whoever asks is let in."""
        ada, bob = await self.client("ada"), await self.client("bob")
        self.runs(self.program("groups")["open_house"](ada, []))
        (group,) = await self.listed(ada)
        await bob.groups.join(group, "please")
        await self.notice(bob, JOINED)
        self.assertEqual([self.ada, self.bob], await ada.groups.members(group))
        self.assertEqual([group], await bob.groups.mine())
        await bob.groups.leave(group)
        self.runs(self.program("groups")["open_house"](bob, [self.ada]))
        (group,) = await self.listed(bob)
        await bob.groups.members(group)
        self.assertEqual([self.bob, self.ada], await bob.groups.members(group))

    async def listed(self, client: Client) -> list[str]:
        """The groups of somebody, as soon as there are some."""
        found: list[str] = []
        while not found:
            found = await client.groups.mine()
        return found

    async def test_friends(self) -> None:
        """Whoever asks is accepted and greeted."""
        ada, bob = await self.client("ada"), await self.client("bob")
        self.runs(self.program("friends-and-blocks")["friendly"](ada))
        await bob.befriend(self.ada)
        await self.notice(bob, FRIENDS)
        message = await bob.receive()
        self.assertEqual((TEXT, "Hello!"), (message.kind, message.text))

    async def test_presence(self) -> None:
        """All friends are shown something, and one of them something else."""
        seen: list[str] = []
        both: Deferred[None] = Deferred()

        def observe(state: object) -> None:
            if isinstance(state, Presence):
                seen.append(state.status)
                if len(seen) == 2:
                    both.callback(None)

        ada = await self.client("ada")
        bob = await self.client("bob", observe=observe)
        await ada.befriend(self.bob)
        await bob.befriend(self.ada)
        self.program("presence")["greet"](ada, self.bob)
        await both
        self.assertEqual(["at my desk", "at my desk, for you"], seen)

    async def test_profiles(self) -> None:
        """What is said about oneself is there, and what others say is read."""
        ada, bob = await self.client("ada"), await self.client("bob")
        await bob.describe(nickname="Bobby")
        introduce = self.program("profiles")["introduce"]
        self.assertEqual("Bobby", await introduce(ada, self.bob))
        profile = (await bob.profiles([self.ada]))[self.ada]
        self.assertEqual("London", profile.area)

    async def test_unread(self) -> None:
        """What was not read is read, of people and of groups."""
        ada, bob = await self.client("ada"), await self.client("bob")
        group = await ada.groups.create("topic", private=False)
        await bob.groups.join(group)
        for _ in range(2):
            await ada.send(self.bob, "hello")
            await ada.send_to_group(group, "hello")
        for _ in range(5):
            bob.confirm(await bob.receive())
        self.assertEqual({self.ada: 2}, await bob.unread())
        self.assertEqual({group: 2}, await bob.unread_in_groups())
        await self.program("unread")["look"](bob)
        again = await self.client("bob", resource="another")
        for client in (bob, again):
            while await client.unread() or await client.unread_in_groups():
                pass
