"""What one device saw: foreign texts, wrong order, and repeats that nothing excuses."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import attrs

from timtw.loss.observations import (
    Acknowledged,
    Arrived,
    Asked,
    Cast,
    History,
    Killed,
    Noticed,
    Pinged,
    Ponged,
    Sent,
)
from timtw.loss.troubles import damaged, delaying

GRACE: Final = 2.5
"""Seconds before a kill in which an acknowledgement may still be forgotten: 0.25 are
promised, the rest is for a commit and for a busy machine, on which one was seen to take
more than a second."""


@attrs.frozen
class Finding:
    """One thing that went wrong, in words that name the text and the device."""

    kind: str
    device: str
    body: str
    text: str

    def __str__(self) -> str:
        """One line of a report."""
        return f"{self.kind}: {self.text}"


def short(body: str) -> str:
    """A text by its beginning, which no other text has."""
    return repr(body.rstrip("x"))


def conversation(arrived: Arrived) -> frozenset[str]:
    """The two accounts of a text, or its group."""
    if arrived.in_group:
        return frozenset((arrived.recipient,))
    return frozenset((arrived.sender, arrived.recipient))


def log_of(arrived: Arrived) -> str:
    """The log in which a text stands: that of its group, or the device's own."""
    return arrived.recipient if arrived.in_group else ""


def is_answer(additions: bool, node: str, arrived: Arrived) -> bool:
    """Whether this can be the answer to a repeated send, which is no log entry."""
    return additions and arrived.sender == node and not arrived.seq


@attrs.frozen
class _Proof:
    """A place in the history, and the time up to which the node knew for certain."""

    index: int
    at: float


class Trace:
    """One device's view of a history."""

    def __init__(self, cast: Cast, history: History, device: str) -> None:
        """Look at ``history`` as ``device``."""
        self._cast = cast
        self._role = cast.devices[device]
        self._device = device
        self._history = history
        self._sends: dict[str, list[Sent]] = defaultdict(list)
        self._authors: dict[str, Sent] = {}
        self._proofs = _proofs(history, device)
        self._asked: list[Asked] = []
        self._kills = _kills(history)
        self._spared = _spared(cast, history, self._role.node)
        self._first: dict[str, tuple[int, Arrived]] = {}
        self._copies: dict[str, list[tuple[int, Arrived]]] = defaultdict(list)
        self._echoes: dict[str, int] = defaultdict(int)
        self._highest: dict[frozenset[str], int] = defaultdict(int)
        self._seq: dict[str, int] = defaultdict(int)
        self._noticed: set[int] = set()

    def findings(self) -> list[Finding]:
        """What is wrong with what came to this device."""
        found: list[Finding | None] = []
        for index, seen in enumerate(self._history):
            if isinstance(seen, Sent):
                self._authors.setdefault(seen.body, seen)
                if seen.device == self._device:
                    self._sends[seen.body].append(seen)
            elif isinstance(seen, Noticed) and seen.device == self._device:
                self._noticed.add(seen.seq)
            elif isinstance(seen, Asked) and seen.device == self._device:
                self._asked.append(seen)
            elif isinstance(seen, Arrived) and seen.device == self._device:
                found.append(self._foreign(seen) or self._arrival(index, seen))
        return [finding for finding in found if finding is not None]

    def _foreign(self, arrived: Arrived) -> Finding | None:
        """Whether this text is none of this device's business."""
        sent = self._authors.get(arrived.body)
        if sent is None:
            return self._say("foreign", arrived, "that nobody has sent")
        author = self._cast.devices[sent.device].node
        if (author, sent.recipient) != (arrived.sender, arrived.recipient):
            return self._say("foreign", arrived, "with other names on it")
        everybody = sent.recipient in self._cast.groups
        if not everybody and self._role.node not in (author, sent.recipient):
            return self._say("foreign", arrived, "that is for others")
        return None

    def _arrival(self, index: int, arrived: Arrived) -> Finding | None:
        """Judge one arrival against everything before it."""
        body = arrived.body
        own = arrived.sender == self._role.node
        sends = len(self._sends[body])
        if own and not arrived.receipt and not (arrived.seq and self._role.additions):
            return self._echo(arrived, sends, index)
        if body in self._first:
            return self._repeat(index, arrived)
        return self._newcomer(index, arrived)

    def _echo(self, arrived: Arrived, sends: int, index: int) -> Finding | None:
        """An echo, or the answer to a repeated send, which may come out of order."""
        self._echoes[arrived.body] += 1
        if self._echoes[arrived.body] > max(1, sends):
            return self._say("doubled", arrived, "as one echo too many")
        if self._role.additions:
            return None if sends else self._say("doubled", arrived, "without seq")
        if arrived.body in self._first or sends > 1:
            return None
        return self._newcomer(index, arrived)

    def _newcomer(self, index: int, arrived: Arrived) -> Finding | None:
        """A first arrival has to be the newest of its conversation and its log."""
        self._first[arrived.body] = (index, arrived)
        self._copies[arrived.body].append((index, arrived))
        pair = conversation(arrived)
        highest = self._highest[pair]
        self._highest[pair] = max(highest, arrived.mid)
        if arrived.mid <= highest:
            return self._say("reordered", arrived, f"after number {highest}")
        if self._role.additions:
            log = log_of(arrived)
            last = self._seq[log]
            while not log and last + 1 in self._noticed:
                last += 1
            self._seq[log] = max(last, arrived.seq)
            missing = arrived.seq - last - 1
            if 0 < missing <= self._spared[log]:
                self._spared[log] -= missing
            elif missing:
                what = f"with entry {arrived.seq} after entry {last} of the log"
                return self._say("reordered", arrived, what)
        return None

    def _repeat(self, index: int, arrived: Arrived) -> Finding | None:
        """A text that came before has to be one the node could not know about."""
        body = arrived.body
        first = self._first[body][1]
        proof = self._proof(body)
        self._copies[body].append((index, arrived))
        if first.seq != arrived.seq:
            what = f"with entry {arrived.seq} instead of {first.seq}"
            return self._say("doubled", arrived, what)
        if proof is None or proof.index > index or self._wanted(arrived):
            return None
        if self._forgotten(proof, index, body):
            return None
        return self._say("doubled", arrived, "again, after it was acknowledged")

    def _wanted(self, arrived: Arrived) -> bool:
        """Whether the device itself has asked for this on this line."""
        return not arrived.in_group and any(
            asked.line == arrived.line and asked.resume < arrived.seq
            for asked in self._asked
        )

    def _proof(self, body: str) -> _Proof | None:
        """When the node knew at the latest that this device has the text."""
        proofs = []
        for index, copy in self._copies[body]:
            if copy.receipt:
                proof = self._proofs.get((copy.line, copy.receipt))
                proofs += [proof] if proof else []
            else:
                proofs.append(_Proof(index, copy.at))
        return min(proofs, key=lambda proof: proof.index, default=None)

    def _forgotten(self, proof: _Proof, index: int, body: str) -> bool:
        """Whether a kill in between may have taken that knowledge away."""
        for kill in self._kills:
            if proof.index < kill.index < index:
                return proof.at > kill.at or self._held(body, kill.at)
        return False

    def _held(self, body: str, limit: float) -> bool:
        """Whether an earlier text of the same log was not acknowledged by ``limit``."""
        log = log_of(self._first[body][1])
        for earlier, (_index, arrived) in self._first.items():
            if earlier == body:
                return False
            if log_of(arrived) != log:
                continue
            proof = self._proof(earlier)
            if proof is None or proof.at > limit:
                return True
        return False

    def _say(self, kind: str, arrived: Arrived, what: str) -> Finding:
        """A finding about one arrival."""
        which = f"{short(arrived.body)} (number {arrived.mid})"
        text = f"{which} came to {self._device} {what}"
        return Finding(kind, self._device, arrived.body, text)


def _spared(cast: Cast, history: History, node: str) -> dict[str, int]:
    """How many entries may be missing in each log that a device of ``node`` reads."""
    spared: dict[str, int] = defaultdict(int)
    for place, said in damaged(history).items():
        for group in place.conversation & cast.groups:
            spared[group] += said
        spared[""] += said and node in place.conversation
    return spared


def _kills(history: History) -> list[_Proof]:
    """The kills, each with the time before which everything was stored."""
    spans = delaying(history)
    kills = []
    for index, seen in enumerate(history):
        if isinstance(seen, Killed):
            limit = seen.at - GRACE
            for span in reversed(spans):
                if limit in span:
                    limit = span.begin - GRACE
            kills.append(_Proof(index, limit))
    return kills


def _proofs(history: History, device: str) -> dict[tuple[int, bytes], _Proof]:
    """When each acknowledgement of ``device`` had certainly been read."""
    waiting: dict[int, list[bytes]] = defaultdict(list)
    asked: dict[int, list[bytes]] = {}
    proofs: dict[tuple[int, bytes], _Proof] = {}
    for index, seen in enumerate(history):
        if isinstance(seen, Acknowledged) and seen.device == device:
            waiting[seen.line].append(seen.receipt)
        elif isinstance(seen, Pinged) and seen.device == device:
            asked[seen.line] = waiting.pop(seen.line, [])
        elif isinstance(seen, Ponged) and seen.device == device:
            for receipt in asked.pop(seen.line, []):
                proofs.setdefault((seen.line, receipt), _Proof(index, seen.at))
    return proofs
