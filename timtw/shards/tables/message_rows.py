"""Rows of messages turned into messages.

Addresses of stored messages have an empty domain: rows hold account numbers only, and
both sides of a conversation share one domain, which whoever asks knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twisted.logger import Logger

from timtw.model.idents import node_of
from timtw.model.values import TEXT, Address, Conversation, LogEntry, Message
from timtw.shards.logpages import Line
from timtw.shards.records import unpack_content
from timtw.shards.sealing import Sealer, Unreadable, body_context, event_context


class MessageRows:
    """Opens what is sealed in rows of messages and of logs."""

    _log = Logger()

    def __init__(self, sealer: Sealer) -> None:
        self._open = sealer.open

    def entries(self, account: int, rows: Iterable[Any]) -> Iterator[Line]:
        """Rows of the log of an account, as they are read."""
        for seq, kind, *row in rows:
            message = self.readable(kind, *row)
            if message is None:
                yield seq, None, len(row[-1])
            else:
                own = kind == TEXT and message.sender.number == account
                yield seq, LogEntry(seq, message, own), len(row[-1])

    def readable(self, kind: int, *row: Any) -> Message | None:
        """The message of a row, or ``None`` for a damaged one, which stays where it is.

        One record that does not open must not keep a reader from all that follow.
        """
        try:
            return self._message(kind, *row)
        except Unreadable:
            first, second, mid, *_ = row
            of_room = Conversation(first, second).is_of_room
            whose = "group {first}" if of_room else "conversation {first}-{second}"
            self._log.error(
                f"message {{mid}} of the {whose} does not open and is left out",
                mid=mid,
                first=node_of(first),
                second=node_of(second),
            )
            return None

    def _message(
        self,
        kind: int,
        first: int,
        second: int,
        mid: int,
        ident: int,
        sender: int,
        ts: int,
        body: bytes,
    ) -> Message:
        """The message of a row; what is no text is bound to its kind."""
        if kind == TEXT:
            context = body_context(first, second, sender, ident)
        else:
            context = event_context(kind, first, second, sender, ident)
        content = unpack_content(self._open(body, context))
        other = second if sender == first else first
        return Message(
            Conversation(first, second),
            mid,
            ident,
            Address(sender, node_of(sender)),
            Address(other, node_of(other)),
            ts,
            content,
            kind=kind,
        )
