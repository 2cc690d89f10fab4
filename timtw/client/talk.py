"""The conversations of whoever sits at the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred

from timtw.client.acquaintances import CHANGES, Acquaintances
from timtw.client.chatgroups import HELP as GROUP_HELP
from timtw.client.chatgroups import WORDS, ChatGroups
from timtw.client.client import Client
from timtw.client.company import COMMANDS, SHOWS, Company
from timtw.client.lineedit import harmless
from timtw.client.options import Exit, problem
from timtw.client.terminal import Terminal
from timtw.client.values import (
    NOTICE,
    REVOCATION,
    TEXT,
    ClientError,
    Closed,
    Expired,
    Message,
    Offline,
    Online,
    Presence,
    Read,
    Signal,
    Stored,
)
from timtw.client.ways import State
from timtw.model.limits import CLIENT_CHAT_HISTORY

HELP = (
    "/to NAME    write to somebody else, and show what was said last",
    "/group GROUP writes to a group one is in, and shows what was said last",
    "/recall     take back what was written last, here",
    "/find NAME  whether there is an account with this name",
    "/add NAME   ask somebody to be friends; /accept NAME when somebody has asked",
    "/remove NAME and /block NAME: end a friendship or a block; begin a block",
    "/friends    who they are",
    *GROUP_HELP,
    "/here TEXT  shows friends that you are here, and how; /away TEXT the same; /who",
    "/unread     in which conversations something is",
    "/profile NAME  what somebody tells about themselves; /set PART TEXT",
    "/help       this",
    "/quit       leave; Ctrl-D does the same",
    "Everything else is written to the name in the prompt; // begins a text with a /.",
)


class Talk:
    """What is shown and what is sent; the terminal and the client are handed in."""

    def __init__(self) -> None:
        """Nobody is spoken to."""
        self._client: Client | None = None
        self._terminal: Terminal | None = None
        self._people = Acquaintances(self._say)
        self._groups = ChatGroups(self._people, self._say)
        self._names = self._people.names
        self._company = Company(self._say, self._people, self._groups)
        self._peer = ""
        self._in_group = False
        self._own: dict[str, list[int]] = {}
        self._shown: dict[str, set[int]] = {}
        self._last = self._delivered = self._seen = self._under_way = 0
        self._offline = self._warned = False
        self._done: Deferred[int] = Deferred()

    async def begin(
        self, client: Client, terminal: Terminal, to: str | None, invisible: bool
    ) -> int:
        """Converse; returns the exit status."""
        self._client, self._terminal = client, terminal
        self._say("Connected. /help lists what to type.")
        if not invisible:
            self._company.announce(client, SHOWS["/here"], "")
        if to:
            await self._open(to)
        else:
            self._say("/to NAME says whom to write to.")
        self._background(self._read())
        return await self._done

    def leave(self) -> None:
        """Whoever types has had enough; twice if texts are still to be sent."""
        if self._under_way and not self._warned:
            self._warned = True
            self._say(f"-- not stored yet: {self._under_way}; leave again to give up")
        elif not self._done.called:
            self._done.callback(Exit.DONE)

    def typed(self, line: str) -> None:
        """A line was entered."""
        word, _, rest = line.strip().partition(" ")
        name = rest.strip()
        if word == "/quit":
            self.leave()
        elif word == "/help":
            for each in HELP:
                self._say(each)
        elif word == "/friends" and self._client is not None:
            self._background(self._people.listed(self._client))
        elif word == "/groups" and self._client is not None:
            self._background(self._groups.listed(self._client))
        elif word == "/recall" and self._client is not None:
            self._background(self._recall(self._client))
        elif word in COMMANDS and self._client is not None:
            self._background(self._company.do(self._client, word, name))
        elif word in ("/to", "/group", "/find", *CHANGES) and not name:
            self._say(f"{word} needs a name")
        elif len(name.split()) < WORDS.get(word, 0):
            self._say(f"{word} needs {WORDS[word]} words; /help lists them")
        elif word in WORDS and self._client is not None:
            self._background(self._groups.do(self._client, word, name))
        elif word == "/to":
            self._background(self._open(name))
        elif word == "/group":
            self._background(self._open_group(name))
        elif word == "/find":
            self._background(self._find(name))
        elif word in CHANGES and self._client is not None:
            self._background(self._people.change(self._client, word, name))
        elif word.startswith("/") and not word.startswith("//"):
            self._say(f"There is no {word}; /help lists what there is.")
        elif line.strip():
            self._write(line[1:] if word.startswith("//") else line)

    def observe(self, state: State) -> None:
        """The line came or went, or somebody received something."""
        if isinstance(state, Offline):
            if not self._offline:
                self._say(
                    f"-- the line is lost ({harmless(state.reason)}); coming back"
                )
            self._offline = True
        elif isinstance(state, Online):
            if self._offline:
                self._say("-- connected again")
            self._offline = False
        elif isinstance(state, Expired):
            self._say("-- messages had waited too long for this device and are gone")
        elif isinstance(state, Presence):
            if self._client is not None:
                self._background(self._company.saw(self._client, state))
        elif isinstance(state, Read):
            if state.peer == self._peer and not state.own:
                self._seen = max(self._seen, state.mid)
        elif isinstance(state, Signal):
            return
        elif state.peer == self._peer and not self._in_group:
            self._delivered = max(self._delivered, state.mid)
        self._mark()

    def _write(self, text: str) -> None:
        """Send a text, and show it at once."""
        client, peer = self._client, self._peer
        if client is None or not peer:
            self._say("/to NAME says whom to write to.")
            return
        self._say(f"{_clock()} you: {harmless(text)}")
        self._under_way += 1
        self._mark()
        self._background(self._send(client, peer, text))

    async def _send(self, client: Client, peer: str, text: str) -> None:
        """Wait for the echo of a text."""
        stored: Stored | None = None
        in_group = self._in_group
        send = client.send_to_group if in_group else client.send
        try:
            stored = await send(peer, text)
        finally:
            self._under_way -= 1
            if stored is not None:
                self._own.setdefault(peer, []).append(stored.mid)
                self._has_read(client, peer, in_group, stored.mid)
                if peer == self._peer:
                    self._last = max(self._last, stored.mid)
            self._mark()

    async def _recall(self, client: Client) -> None:
        """Take back the own text that was written last, here."""
        written = self._own.get(self._peer)
        if not written:
            self._say("-- there is nothing to take back")
            return
        revoke = client.revoke_in_group if self._in_group else client.revoke
        await revoke(self._peer, written.pop())
        self._say("-- taken back")

    async def _read(self) -> None:
        """Show what arrives; it counts as received once it is shown."""
        assert self._client is not None
        async for message in self._client.messages():
            if message.kind == TEXT:
                await self._arrived(message)
            elif message.kind == REVOCATION and not message.own:
                await self._people.learn(self._client, [message.peer])
                name = harmless(self._names[message.peer])
                self._say(f"-- {name} has taken text {message.mid} back")
            elif message.group and message.kind == NOTICE:
                await self._groups.noticed(self._client, message)
            elif message.kind == NOTICE:
                await self._people.noticed(self._client, message)

    async def _arrived(self, message: Message) -> None:
        """Show a message, unless the history has shown it."""
        if message.mid in self._shown.get(message.room or message.peer, ()):
            return
        assert self._client is not None
        await self._people.learn(self._client, [message.peer])
        if message.room:
            await self._groups.called(self._client, [message.room])
        self._show(message)
        place = message.room or message.peer
        if place == self._peer:
            self._has_read(self._client, place, message.to_group, message.mid)

    def _has_read(self, client: Client, place: str, in_group: bool, mid: int) -> None:
        """A conversation is on the screen up to here."""
        mark = client.mark_read_in_group if in_group else client.mark_read
        mark(place, mid)

    def _show(self, message: Message) -> None:
        """Write a message above the line."""
        name = harmless(self._names.get(message.peer, message.peer))
        place = message.room or message.peer
        here = place == self._peer
        who = "you" if message.own else name
        if message.room and not here:
            who = f"[{self._groups.shown(message.room)}] {who}"
        elif not here:
            who = f"[{'to ' + name if message.own else name}]"
        when = datetime.fromtimestamp(message.timestamp / 1e9)
        self._say(f"{when:%H:%M} {who}: {harmless(message.text)}")

    async def _open(self, name: str) -> None:
        """Write to an account from now on."""
        assert self._client is not None
        found = await self._client.find(name)
        if found is None:
            self._say(f"Nobody is called {harmless(name)}.")
            return
        self._names[found.node] = name
        history = await self._client.history(found.node, 0, CLIENT_CHAT_HISTORY)
        self._begin(found.node, False, history)

    async def _open_group(self, name: str) -> None:
        """Write to a group from now on."""
        assert self._client is not None
        node, history = await self._groups.opened(self._client, name)
        self._begin(node, True, history)

    def _begin(self, peer: str, is_group: bool, history: list[Message]) -> None:
        """Go on with a conversation, of which this was said last."""
        self._peer, self._in_group = peer, is_group
        self._last = self._delivered = self._seen = 0
        self._shown[peer] = {message.mid for message in history}
        for message in reversed(history):
            if message.kind == TEXT:
                self._show(message)
        if history and self._client is not None:
            self._has_read(self._client, peer, is_group, history[0].mid)
        self._mark()

    async def _find(self, name: str) -> None:
        """Say whether there is such an account."""
        assert self._client is not None
        found = await self._client.find(name)
        shown = harmless(name)
        if found is None:
            self._say(f"Nobody is called {shown}.")
        else:
            display = f", shown as {harmless(found.name)}" if found.name else ""
            self._say(f"{shown} is {found.node}{display}.")

    def _mark(self) -> None:
        """Say in the prompt where the conversation stands."""
        if self._terminal is None:
            return
        name = harmless(self._names.get(self._peer, ""))
        if self._in_group:
            name = self._groups.shown(self._peer)
        state = ""
        if self._offline:
            state = " (offline)"
        elif self._under_way:
            state = f" (sending {self._under_way})"
        elif self._last and not self._in_group:
            state = " (delivered)" if self._delivered >= self._last else " (sent)"
            state = " (read)" if self._seen >= self._last else state
        self._terminal.prompt = f"{name}{state}> "
        self._terminal.draw()

    def _background(self, work: Any) -> None:
        """Let something go on; an error is shown, or ends the conversation."""
        _ = Deferred.fromCoroutine(work).addErrback(self._failed)

    def _failed(self, failure: Any) -> None:
        """Something was refused, or the session has ended."""
        _ = failure.trap(ClientError, ValueError)
        error = failure.value
        if isinstance(error, Closed):
            return
        self._say(f"-- {harmless(str(error))}")
        if self._client is not None and self._client.ended and not self._done.called:
            self._done.callback(problem(str(error), Exit.FAILED))

    def _say(self, line: str) -> None:
        """Write a line above the one being typed."""
        if self._terminal is not None:
            self._terminal.say(line)


def _clock() -> str:
    """The time of day, as it stands before a message."""
    return f"{datetime.now():%H:%M}"
