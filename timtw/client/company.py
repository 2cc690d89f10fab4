"""Who is there, and who they are, for ``timtw chat``: presence and profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from timtw.client.acquaintances import Acquaintances
from timtw.client.chatgroups import ChatGroups
from timtw.client.client import Client
from timtw.client.lineedit import harmless
from timtw.client.values import Presence, Profile

ASKS: Final = 1
"""The purpose of a presence that wants to be answered."""
ANSWERS: Final = 2
"""The purpose of an answer."""
SHOWS: Final = {"/here": 1, "/away": 2}
"""Commands that say how we are, and the number that stands for it."""
COMMANDS: Final = frozenset({"/who", "/unread", "/profile", "/set", *SHOWS})
_WORDS: Final = {1: "here", 2: "away", 3: "away for long", 4: "not to be disturbed"}
_TEXTS: Final = ("name", "nickname", "birthday", "area", "cover")
"""The parts of a profile that are texts."""


class Company:
    """Those who have shown how they are, and what they tell about themselves."""

    def __init__(
        self,
        say: Callable[[str], None],
        people: Acquaintances,
        groups: ChatGroups,
    ) -> None:
        """``say`` writes a line for whoever sits there."""
        self._say = say
        self._people = people
        self._groups = groups
        self._there: dict[str, str] = {}
        self._shown: tuple[str, int] | None = None

    async def do(self, client: Client, word: str, words: str) -> None:
        """Carry out one of ``COMMANDS``."""
        if word == "/who":
            self._listed()
        elif word == "/unread":
            await self._unread(client)
        elif word == "/profile":
            await self._profile(client, words)
        elif word == "/set":
            await self._change(client, words)
        else:
            self.announce(client, SHOWS[word], words)
            self._say(f"-- shown: {word[1:]}")

    def announce(self, client: Client, show: int, words: str) -> None:
        """Show all friends how we are."""
        client.announce(words, show, ASKS)
        self._shown = (words, show)

    async def saw(self, client: Client, presence: Presence) -> None:
        """Say how somebody is now, if that is news, and answer if it is wanted."""
        peer = presence.peer
        if presence.purpose == ASKS and self._shown is not None:
            client.show([peer], *self._shown, ANSWERS)
        state = _state(presence)
        if self._there.get(peer, "gone") == state:
            return
        self._there[peer] = state
        await self._people.learn(client, [peer])
        self._say(f"-- {harmless(self._people.names[peer])} is {state}")

    async def _unread(self, client: Client) -> None:
        """Say how much is not read, of whom and in which groups."""
        unread = await client.unread()
        await self._people.learn(client, list(unread))
        names = self._people.names
        told = [f"{harmless(names[peer])} {unread[peer]}" for peer in unread]
        in_groups = await client.unread_in_groups()
        called = await self._groups.called(client, list(in_groups))
        told += [f"{called[group]} {in_groups[group]}" for group in in_groups]
        self._say(f"-- unread: {', '.join(sorted(told)) or 'nothing'}")

    def _listed(self) -> None:
        """Say who is there."""
        there = sorted(
            f"{harmless(self._people.names.get(peer, peer))} ({state})"
            for peer, state in self._there.items()
            if state != "gone"
        )
        self._say(f"-- {', '.join(there) or 'nobody has shown how they are'}")

    async def _profile(self, client: Client, name: str) -> None:
        """Say what an account tells about itself; without a name, our own."""
        node = client.node
        if name:
            found = await client.find(name)
            if found is None:
                self._say(f"Nobody is called {harmless(name)}.")
                return
            node = found.node
        profile = (await client.profiles([node])).get(node)
        told = _told(profile) if profile is not None else []
        for line in told or ["-- nothing is set"]:
            self._say(line)

    async def _change(self, client: Client, words: str) -> None:
        """Set a part of our profile."""
        part, _, text = words.partition(" ")
        if part not in _TEXTS:
            self._say(f"/set takes one of {', '.join(_TEXTS)}, and a text")
            return
        await client.describe(**{part: text.strip()})
        self._say(f"-- {part} is set")


def _state(presence: Presence) -> str:
    """How somebody is, in words."""
    if presence.gone:
        return "gone"
    state = _WORDS.get(presence.show, "here")
    said = harmless(" ".join(presence.status.split()))
    return f"{state}: {said}" if said else state


def _told(profile: Profile) -> list[str]:
    """A profile, a line for each part."""
    parts = [(part, str(getattr(profile, part))) for part in _TEXTS]
    return [f"-- {part}: {harmless(text)}" for part, text in parts if text]
