"""Whom somebody knows, for ``timtw chat``: names, requests, friends and blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from timtw.client.client import Client
from timtw.client.lineedit import harmless
from timtw.client.values import FRIENDS, REMOVED, REQUEST, Message
from timtw.model.limits import NODE_LIST

CHANGES: Final = {
    "/add": "asked",
    "/accept": "accepted",
    "/remove": "removed",
    "/block": "blocked",
}
"""Commands that change what somebody is to us, and what is said when it is done."""


class Acquaintances:
    """The people of one account.

    Attributes:
        names: How accounts are called here, by node.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """``say`` writes a line for whoever sits there."""
        self._say = say
        self.names: dict[str, str] = {}

    async def learn(self, client: Client, nodes: list[str]) -> None:
        """Know how to call these accounts."""
        unknown = [node for node in nodes if node not in self.names]
        for start in range(0, len(unknown), NODE_LIST):
            some = unknown[start : start + NODE_LIST]
            profiles = await client.profiles(some)
            for node in some:
                profile = profiles.get(node)
                _ = self.names.setdefault(node, (profile and profile.name) or node)

    async def noticed(self, client: Client, message: Message) -> None:
        """Say what has happened between this account and another."""
        await self.learn(client, [message.peer])
        name = harmless(self.names[message.peer])
        if message.notice == REQUEST:
            said = f": {harmless(message.text)}" if message.text else ""
            self._say(f"-- {name} wants to be friends{said}")
            self._say(f"   /accept {message.peer}, or /block {message.peer}")
        elif message.notice == FRIENDS:
            self._say(f"-- {name} and you are friends now")
        elif message.notice == REMOVED:
            self._say(f"-- {name} is no friend any more")

    async def change(self, client: Client, word: str, name: str) -> None:
        """Ask, accept, remove or block whoever has this login name or node."""
        node = await self.node_of(client, name)
        if node is None:
            self._say(f"Nobody is called {harmless(name)}.")
            return
        if word in ("/add", "/accept"):
            await client.befriend(node)
        elif word == "/remove":
            await client.unfriend(node)
        else:
            await client.block(node)
        self._say(f"-- {CHANGES[word]}: {harmless(self.names[node])}")

    async def node_of(self, client: Client, name: str) -> str | None:
        """The node of whoever has this login name, or this node if it is known."""
        if name in self.names:
            return name
        found = await client.find(name)
        if found is None:
            return None
        self.names[found.node] = name
        return found.node

    async def listed(self, client: Client) -> None:
        """Say who the friends are."""
        nodes = await client.friends()
        await self.learn(client, nodes)
        names = sorted(harmless(self.names[node]) for node in nodes)
        self._say(f"-- friends: {', '.join(names) or 'nobody yet'}")
