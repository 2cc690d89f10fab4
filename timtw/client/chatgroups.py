"""The groups of somebody, for ``timtw chat``: who is in them, and who wants to be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from timtw.client.acquaintances import Acquaintances
from timtw.client.client import Client
from timtw.client.lineedit import harmless
from timtw.client.values import (
    EXCLUDED,
    GROUP_REQUEST,
    JOINED,
    PULLED_IN,
    REJECTED,
    Group,
    Message,
)
from timtw.model.limits import CLIENT_CHAT_HISTORY, NODE_LIST

HELP: Final = (
    "/groups     the groups you are in; GROUP below is the topic or the node of one",
    "/new TOPIC and /open TOPIC: make a group; into an open one everybody may come",
    "/join GROUP [WORDS]: come in, or ask; /leave GROUP; /dissolve GROUP",
    "/members GROUP: who is in it; /topic GROUP WORDS",
    "/let GROUP NAME: bring somebody in, or who has asked; /reject GROUP NAME [WORDS]",
    "/kick GROUP NAME and /bar GROUP NAME: remove somebody; for good",
    "/manager GROUP NAME: who decides with you; again, and decides no more",
    "/tell GROUP NAME WORDS: to one member alone, who need not be a friend",
    "/founder GROUP NAME: makes a member the founder in your place",
)
WORDS: Final = {
    "/new": 1,
    "/open": 1,
    "/join": 1,
    "/leave": 1,
    "/dissolve": 1,
    "/members": 1,
    "/topic": 2,
    "/let": 2,
    "/reject": 2,
    "/kick": 2,
    "/bar": 2,
    "/manager": 2,
    "/founder": 2,
    "/tell": 3,
}
"""Commands about groups, and how many words each needs."""
_SAYS: Final = {
    JOINED: "you are in {group} now",
    REJECTED: "{name} does not let you into {group}{said}",
    PULLED_IN: "{name} has brought you into {group}",
    EXCLUDED: "{name} has removed you from {group}",
}


class ChatGroups:
    """The groups of one account."""

    def __init__(self, people: Acquaintances, say: Callable[[str], None]) -> None:
        """``say`` writes a line for whoever sits there."""
        self._people = people
        self._say = say
        self._topics: dict[str, str] = {}

    async def noticed(self, client: Client, message: Message) -> None:
        """Say what has happened about a group."""
        if message.peer:
            await self._people.learn(client, [message.peer])
        await self._learn(client, [message.group])
        name = harmless(self._people.names.get(message.peer, ""))
        group = self.shown(message.group)
        said = f": {harmless(message.text)}" if message.text else ""
        if message.notice == GROUP_REQUEST:
            self._say(f"-- {name} wants to be let into {group}{said}")
            who = f"{message.group} {message.peer}"
            self._say(f"   /let {who}, or /reject {who}")
        elif message.notice in _SAYS:
            told = _SAYS[message.notice].format(name=name, group=group, said=said)
            self._say(f"-- {told}")

    async def listed(self, client: Client) -> None:
        """Say which groups there are."""
        nodes = await client.groups.mine()
        await self._learn(client, nodes)
        for node in nodes:
            self._say(f"-- {self.shown(node)}: {node}")
        if not nodes:
            self._say("-- no groups yet")

    async def opened(self, client: Client, name: str) -> tuple[str, list[Message]]:
        """The group with this topic or node, and what was said there last."""
        node = await self._node(client, name)
        history = await client.history_of_group(node, 0, CLIENT_CHAT_HISTORY)
        await self._people.learn(client, [one.peer for one in history])
        await self._learn(client, [node])
        return node, history

    async def do(self, client: Client, word: str, rest: str) -> None:
        """Carry out a command."""
        first, _, more = rest.partition(" ")
        if word in ("/new", "/open"):
            node = await client.groups.create(rest, private=word == "/new")
            self._topics[node] = rest
            self._say(f"-- made: {harmless(rest)}, {node}")
            return
        node = await self._node(client, first)
        if word in ("/members", "/topic", "/join"):
            plain = {"/members": self._members, "/topic": self._topic}
            await plain.get(word, self._join)(client, node, more.strip())
            return
        if word in ("/leave", "/dissolve"):
            groups = client.groups
            await (groups.leave if word == "/leave" else groups.dissolve)(node)
        else:
            await self._about(client, word, node, more.strip())
        self._say(f"-- done: {word} {self.shown(node)}")

    async def _about(self, client: Client, word: str, node: str, rest: str) -> None:
        """Do something about somebody."""
        name, _, words = rest.partition(" ")
        peer = await self._people.node_of(client, name)
        if peer is None:
            raise ValueError(f"nobody is called {name}")
        groups = client.groups
        if word == "/reject":
            await groups.reject(node, peer, words.strip())
        elif word == "/tell":
            await client.send(peer, words.strip(), within=node)
        elif word == "/manager":
            await self._manager(client, node, peer)
        else:
            steps: dict[str, Callable[[str, str], Awaitable[None]]] = {
                "/let": groups.pull_in,
                "/kick": groups.remove,
                "/bar": groups.bar,
                "/founder": groups.hand_over,
            }
            await steps[word](node, peer)

    async def _manager(self, client: Client, node: str, peer: str) -> None:
        """Somebody decides, too, or does so no more."""
        group = await self._group(client, node)
        managers = [one for one in group.managers if one != peer]
        if peer not in group.managers:
            managers.append(peer)
        await client.groups.change(node, managers=managers)

    async def _join(self, client: Client, node: str, text: str) -> None:
        """Come in, or ask; a notice says when one is in."""
        await client.groups.join(node, text)
        group = await self._group(client, node)
        if group.private:
            self._say(f"-- asked: {self.shown(node)}")

    async def _topic(self, client: Client, node: str, topic: str) -> None:
        """Call a group something else."""
        await client.groups.change(node, topic=topic)
        self._topics[node] = topic
        self._say(f"-- called: {harmless(topic)}")

    async def _members(self, client: Client, node: str, _rest: str) -> None:
        """Say who is in a group, and in which role."""
        members = await client.groups.members(node)
        group = await self._group(client, node)
        some = members[:NODE_LIST]
        await self._people.learn(client, some)
        shown = [self._member(group, one) for one in some]
        if len(members) > len(some):
            shown.append(f"and {len(members) - len(some)} more")
        self._say(f"-- {self.shown(node)}: {', '.join(shown)}")

    def _member(self, group: Group, node: str) -> str:
        """Somebody in a group, with the role."""
        name = harmless(self._people.names[node])
        if node == group.founder:
            return f"{name} (founder)"
        return f"{name} (manager)" if node in group.managers else name

    async def _group(self, client: Client, node: str) -> Group:
        """What a group is."""
        found = await client.groups.info([node])
        if node not in found:
            raise ValueError(f"there is no group {node}")
        self._topics[node] = found[node].topic
        return found[node]

    async def _node(self, client: Client, name: str) -> str:
        """The group with this topic, or else this node."""
        if name not in self._topics.values():
            await self._learn(client, await client.groups.mine(), afresh=True)
        named = [node for node, topic in self._topics.items() if topic == name]
        return named[0] if len(named) == 1 else name

    async def called(self, client: Client, nodes: list[str]) -> dict[str, str]:
        """How groups are called here."""
        await self._learn(client, nodes)
        return {node: self.shown(node) for node in nodes}

    async def _learn(
        self, client: Client, nodes: list[str], afresh: bool = False
    ) -> None:
        """Know how these groups are called."""
        unknown = [node for node in nodes if afresh or node not in self._topics]
        for start in range(0, len(unknown), NODE_LIST):
            some = unknown[start : start + NODE_LIST]
            for node, group in (await client.groups.info(some)).items():
                self._topics[node] = group.topic

    def shown(self, node: str) -> str:
        """How a group is called here."""
        return harmless(self._topics.get(node) or node)
