"""What became of every text: lost, doubled, reordered, foreign, misnumbered.

Pure functions over what a history saw; docs/guarantees.md says what is promised. In
short: what one device has seen, or its author was told, comes to every device of the
recipient and to those of the author's devices that asked for the additions; a device
sees the texts of a conversation for the first time in the order of their numbers,
which have no gaps; and a text comes again only where the node cannot have known that
the device has it. What a fault excuses is in ``troubles``.
"""

from __future__ import annotations

from collections import defaultdict

from timtw.loss.observations import Arrived, Cast, Complaint, History, Refusal, Sent
from timtw.loss.trace import Finding, Trace, conversation, is_answer, short
from timtw.loss.troubles import Place, damaged, place_of, refusing

UNAVAILABLE = 5103
"""What a node answers while it cannot store anything."""


def judge(cast: Cast, history: History) -> list[Finding]:
    """Everything that is wrong with a history that has come to its end."""
    findings = _spoken(history)
    findings += _denied(history)
    findings += _numbers(cast, history)
    findings += _losses(cast, history)
    for device in cast.devices:
        findings += Trace(cast, history, device).findings()
    return findings


def _spoken(history: History) -> list[Finding]:
    """What the node refused, and what devices complain about."""
    findings = []
    spans = refusing(history)
    for seen in history:
        if isinstance(seen, Refusal):
            if seen.code == UNAVAILABLE and any(seen.at in span for span in spans):
                continue
            text = f"{seen.device} was refused a frame {seen.about}: {seen.code}"
            findings.append(Finding("refused", seen.device, seen.body, text))
        elif isinstance(seen, Complaint):
            text = f"{seen.device} {seen.text}"
            findings.append(Finding("stuck", seen.device, "", text))
    return findings


def _denied(history: History) -> list[Finding]:
    """Texts that came to somebody though they were refused each time."""
    sends: dict[str, int] = defaultdict(int)
    refusals: dict[str, int] = defaultdict(int)
    came: dict[str, str] = {}
    for seen in history:
        if isinstance(seen, Sent):
            sends[seen.body] += 1
        elif isinstance(seen, Refusal) and seen.body:
            refusals[seen.body] += 1
        elif isinstance(seen, Arrived):
            came.setdefault(seen.body, seen.device)
    return [
        Finding(
            "denied",
            came[body],
            body,
            f"{short(body)} was refused each time, and came to {came[body]}",
        )
        for body, times in refusals.items()
        if body in came and times >= sends[body]
    ]


def _numbers(cast: Cast, history: History) -> list[Finding]:
    """Two numbers for a text, two texts with a number, and gaps."""
    spared = {place for place, said in damaged(history).items() if said}
    mids: dict[str, set[int]] = defaultdict(set)
    bodies: dict[frozenset[str], dict[int, set[str]]] = {}
    for seen in history:
        if isinstance(seen, Arrived):
            mids[seen.body].add(seen.mid)
            places = bodies.setdefault(conversation(seen), {})
            places.setdefault(seen.mid, set()).add(seen.body)
    findings = []
    for body, numbers in mids.items():
        if len(numbers) > 1:
            text = f"{short(body)} was stored more than once, as {sorted(numbers)}"
            findings.append(Finding("doubled", "", body, text))
    for pair, places in bodies.items():
        name = "-".join(sorted(cast.names.get(node, node) for node in pair))
        for mid, texts in places.items():
            if len(texts) > 1:
                several = ", ".join(map(short, sorted(texts)))
                text = f"number {mid} of {name} stands for {several}"
                findings.append(Finding("misnumbered", "", min(texts), text))
        gaps = set(range(1, max(places) + 1)) - set(places)
        for mid in sorted(gaps):
            if Place(pair, mid) in spared:
                continue
            text = f"number {mid} of {name} was never seen"
            findings.append(Finding("misnumbered", "", "", text))
    return findings


def _losses(cast: Cast, history: History) -> list[Finding]:
    """Texts that somebody saw and a device that should have them did not."""
    seen_by: dict[str, set[str]] = defaultdict(set)
    known: dict[str, Arrived] = {}
    echoed: set[str] = set()
    for seen in history:
        if not isinstance(seen, Arrived) or seen.device not in cast.devices:
            continue
        role = cast.devices[seen.device]
        if is_answer(role.additions, role.node, seen):
            echoed.add(seen.body)
        else:
            seen_by[seen.body].add(seen.device)
        if seen.sender == role.node:
            echoed.add(seen.body)
        known.setdefault(seen.body, seen)
    findings = []
    broken = damaged(history)
    for body, first in known.items():
        said = broken.get(place_of(first))
        if said:
            continue
        for device in sorted(entitled(cast, first.sender, first.recipient)):
            if device not in seen_by[body]:
                why = "echoed" if body in echoed else "delivered elsewhere"
                if said is not None:
                    why += ", then damaged, of which the log says nothing"
                text = f"{short(body)} was {why} (number {first.mid}), not to {device}"
                findings.append(Finding("lost", device, body, text))
    return findings


def entitled(cast: Cast, sender: str, recipient: str) -> set[str]:
    """The devices that a text of one account to another, or a group, has to come to."""
    return {
        name
        for name, role in cast.devices.items()
        if role.node == recipient
        or recipient in cast.groups
        or (role.node == sender and role.additions)
    }
