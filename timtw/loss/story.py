"""What happened to a text, or to a device, in the order in which it was seen."""

from __future__ import annotations

from timtw.loss.observations import (
    Acknowledged,
    Arrived,
    Asked,
    Began,
    Came,
    Cast,
    Damaged,
    Ended,
    History,
    Killed,
    Left,
    Refusal,
    Seen,
    Sent,
    Started,
)
from timtw.loss.trace import Finding
from timtw.loss.troubles import Place, place_of


def story(cast: Cast, history: History, finding: Finding) -> list[str]:
    """Everything that was seen in the matter of a finding, a line each."""
    teller = Teller(cast, history, finding)
    lines = [
        f"{seen.at - history[0].at:8.3f} s  {words}"
        for seen in sorted(history, key=lambda seen: seen.at)
        if (words := teller.words(seen))
    ]
    if finding.kind == "lost":
        lines.append(f"   never     {finding.device} has it")
    return lines


class Teller:
    """Knows which observations belong to a finding, and puts them into words."""

    def __init__(self, cast: Cast, history: History, finding: Finding) -> None:
        """Look for what belongs to the text and the device of ``finding``."""
        self._cast = cast
        self._body = finding.body
        self._device = finding.device
        mine = [
            seen
            for seen in history
            if isinstance(seen, Arrived) and seen.body == finding.body
        ]
        self._receipts = {(seen.device, seen.line, seen.receipt) for seen in mine}
        self._places: set[Place] = {place_of(seen) for seen in mine}
        self._sends = 0

    def words(self, seen: Seen) -> str:
        """What happened, or nothing if it does not belong to the finding."""
        if isinstance(seen, Sent | Arrived | Acknowledged | Refusal | Damaged):
            return self._text(seen)
        if isinstance(seen, Came | Left | Asked):
            return self._line(seen)
        if isinstance(seen, Killed):
            return "the node is killed"
        if isinstance(seen, Started):
            return "the node serves again"
        if isinstance(seen, Began):
            return f"{seen.fault} begins: {seen.words}"
        return f"{seen.fault} ends" if isinstance(seen, Ended) else ""

    def _text(self, seen: Sent | Arrived | Acknowledged | Refusal | Damaged) -> str:
        """What happened to the text."""
        if isinstance(seen, Damaged):
            hit = Place(seen.conversation, seen.mid) in self._places
            tail = "the log names it" if seen.said else "the log does not name it"
            return f"the stored text is damaged; {tail}" if hit else ""
        if isinstance(seen, Acknowledged):
            key = (seen.device, seen.line, seen.receipt)
            receipt = seen.receipt.hex()
            return f"{seen.device} acknowledges {receipt}" * (key in self._receipts)
        if isinstance(seen, Refusal) and not self._body:
            return self._refusal(seen) if seen.device == self._device else ""
        if not self._body or seen.body != self._body:
            return ""
        if isinstance(seen, Refusal):
            return self._refusal(seen)
        if isinstance(seen, Arrived):
            return self._arrival(seen)
        self._sends += 1
        again = "again " if self._sends > 1 else ""
        name = self._cast.names.get(seen.recipient, seen.recipient)
        return f"{seen.device} sends it {again}to {name} on line {seen.line}"

    def _refusal(self, seen: Refusal) -> str:
        """What was refused to whom."""
        return f"{seen.device} is refused a frame {seen.about}: {seen.code}"

    def _arrival(self, seen: Arrived) -> str:
        """How the text came to a device."""
        entry = f", entry {seen.seq} of the log" if seen.seq else ""
        role = self._cast.devices.get(seen.device)
        if role is not None and seen.sender == role.node and not seen.receipt:
            return f"{seen.device} gets the echo: number {seen.mid}{entry}"
        wanted = f", to be acknowledged as {seen.receipt.hex()}" * bool(seen.receipt)
        where = f"on line {seen.line}"
        return f"it comes to {seen.device} {where}: number {seen.mid}{entry}{wanted}"

    def _line(self, seen: Came | Left | Asked) -> str:
        """What a device did that the finding is about."""
        if seen.device != self._device:
            return ""
        if isinstance(seen, Came):
            return f"{seen.device} has logged in on line {seen.line}"
        if isinstance(seen, Left):
            return f"{seen.device} {seen.how} (line {seen.line})"
        return f"{seen.device} asks for everything behind entry {seen.resume}"
