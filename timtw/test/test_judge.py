"""The judge of the loss checker, on histories made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from twisted.trial.unittest import TestCase

from timtw.loss.judge import judge
from timtw.loss.observations import (
    Acknowledged,
    Arrived,
    Asked,
    Began,
    Cast,
    Complaint,
    Damaged,
    Ended,
    Killed,
    Noticed,
    Pinged,
    Ponged,
    Refusal,
    Role,
    Seen,
    Sent,
)
from timtw.loss.trace import GRACE
from timtw.loss.troubles import STORED_SECONDS

CAST = Cast(
    {
        "a.modern": Role("A", True),
        "a.plain": Role("A", False),
        "b.modern": Role("B", True),
        "b.plain": Role("B", False),
        "c.plain": Role("C", False),
    },
    {"A": "a", "B": "b", "C": "c"},
)


def sent(body: str, device: str = "a.modern", to: str = "B", line: int = 1) -> Sent:
    """A text of account A for B, unless it is said otherwise."""
    return Sent(0.0, device, line, to, body)


def came(
    device: str, body: str, mid: int, seq: int = 0, ack: str = "", **other: object
) -> Arrived:
    """A text of A for B that came to a device."""
    line = other.get("line", 1)
    at = other.get("at", 0.0)
    assert isinstance(line, int) and isinstance(at, float)
    sender, recipient = str(other.get("sender", "A")), str(other.get("to", "B"))
    return Arrived(at, device, line, sender, recipient, body, mid, ack.encode(), seq)


def everywhere(body: str, mid: int) -> list[Seen]:
    """A text of A for B as it comes to everybody the first time."""
    return [
        came("a.modern", body, mid, seq=mid),
        came("a.plain", body, mid),
        came("b.modern", body, mid, seq=mid, ack=f"m{mid}"),
        came("b.plain", body, mid, ack=f"p{mid}"),
    ]


def confirmed(at: float, line: int = 1, receipt: bytes = b"p1") -> list[Seen]:
    """b.plain acknowledges, and the node is seen to have read that."""
    return [
        Acknowledged(at, "b.plain", line, receipt),
        Pinged(at, "b.plain", line),
        Ponged(at, "b.plain", line),
    ]


class JudgeTests(TestCase):
    """Both sides of each rule."""

    def found(self, *history: Seen) -> list[tuple[str, str]]:
        """The kinds of findings, each with its device."""
        return [(one.kind, one.device) for one in judge(CAST, history)]

    def test_clean(self) -> None:
        """A history in which everything came once gives no finding."""
        history = [sent("x"), *everywhere("x", 1), sent("y"), *everywhere("y", 2)]
        self.assertEqual([], self.found(*history))

    def test_lost(self) -> None:
        """An echoed text that a device of the recipient never got is told as lost."""
        history = [sent("x"), *everywhere("x", 1)[:3]]
        self.assertEqual([("lost", "b.plain")], self.found(*history))

    def test_lost_at_own_device(self) -> None:
        """An author's other device with the additions has to have the text as well."""
        history = [sent("x", "a.plain"), *everywhere("x", 1)[1:]]
        self.assertEqual([("lost", "a.modern")], self.found(*history))

    def test_own_plain_device_may_miss(self) -> None:
        """An author's device without the additions may have been away."""
        one, _, *rest = everywhere("x", 1)
        self.assertEqual([], self.found(sent("x"), one, *rest))

    def test_not_accepted(self) -> None:
        """A text that nobody ever saw was not accepted, and is not lost."""
        self.assertEqual([], self.found(sent("x")))

    def test_answer_is_no_entry(self) -> None:
        """The answer to a repeated send does not stand for the entry of the log."""
        _, *rest = everywhere("x", 1)
        history = [sent("x"), sent("x", line=2), came("a.modern", "x", 1), *rest]
        self.assertEqual([("lost", "a.modern")], self.found(*history))

    def test_answer_to_repeat(self) -> None:
        """A repeated send is answered with an echo besides the entry of the log."""
        history = [sent("x"), sent("x", line=2), *everywhere("x", 1)]
        answer = came("a.modern", "x", 1, line=2)
        self.assertEqual([], self.found(*history, answer))

    def test_stored_twice(self) -> None:
        """A text that got two numbers is doubled."""
        history = [sent("x"), sent("x", line=2), *everywhere("x", 1)]
        second = came("a.modern", "x", 2, line=2)
        self.assertEqual([("doubled", "")], self.found(*history, second))

    def test_echo_too_many(self) -> None:
        """An echo without a second send is doubled."""
        history = [sent("x"), *everywhere("x", 1), came("a.plain", "x", 1)]
        self.assertEqual([("doubled", "a.plain")], self.found(*history))

    def test_repeat_without_acknowledgement(self) -> None:
        """What was not acknowledged may come again."""
        history = [sent("x"), *everywhere("x", 1)]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        self.assertEqual([], self.found(*history, again))

    def test_repeat_after_unproven_acknowledgement(self) -> None:
        """An acknowledgement that may not have arrived excuses a repeat."""
        history = [sent("x"), *everywhere("x", 1), *confirmed(1.0)[:2]]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        self.assertEqual([], self.found(*history, again))

    def test_repeat_after_acknowledgement(self) -> None:
        """What the node knew to be acknowledged must not come again."""
        history = [sent("x"), *everywhere("x", 1), *confirmed(1.0)]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        self.assertEqual([("doubled", "b.plain")], self.found(*history, again))

    def test_ping_before_acknowledgement(self) -> None:
        """A ping proves only the acknowledgements that were sent before it."""
        acknowledged, pinged, ponged = confirmed(1.0)
        history = [sent("x"), *everywhere("x", 1), pinged, acknowledged, ponged]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        self.assertEqual([], self.found(*history, again))

    def test_kill_soon_after(self) -> None:
        """A kill takes away what was acknowledged just before it."""
        history = [sent("x"), *everywhere("x", 1), *confirmed(1.0), Killed(0.9 + GRACE)]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        self.assertEqual([], self.found(*history, again))

    def test_kill_long_after(self) -> None:
        """A kill does not take away what was acknowledged long before it."""
        history = [sent("x"), *everywhere("x", 1), *confirmed(1.0), Killed(1.1 + GRACE)]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        self.assertEqual([("doubled", "b.plain")], self.found(*history, again))

    def test_kill_after_a_full_disk(self) -> None:
        """What was acknowledged while nothing could be stored may come again."""
        began = Began(2.0, "full", "", refuses=True, delays=True)
        fault: list[Seen] = [*confirmed(3.0), Ended(4.0, "full")]
        again = came("b.plain", "x", 1, ack="p7", line=2)
        history = [sent("x"), *everywhere("x", 1), began, *fault]
        self.assertEqual([], self.found(*history, Killed(15.0), again))
        late = [*history, Killed(4.1 + STORED_SECONDS + GRACE), again]
        self.assertEqual([("doubled", "b.plain")], self.found(*late))
        short = Began(2.0, "full", "", refuses=True)
        other = [sent("x"), *everywhere("x", 1), short, *fault, Killed(15.0), again]
        self.assertEqual([("doubled", "b.plain")], self.found(*other))

    def test_kill_with_a_hole(self) -> None:
        """A text behind one without acknowledgement may come again after a kill."""
        history = [sent("x"), *everywhere("x", 1), sent("y"), *everywhere("y", 2)]
        history += [*confirmed(1.0, receipt=b"p2"), Killed(9.0)]
        again = came("b.plain", "y", 2, ack="p7", line=2)
        self.assertEqual([], self.found(*history, again))

    def test_number_of_repeat(self) -> None:
        """A text does not change its place in the log."""
        history = [sent("x"), *everywhere("x", 1)]
        again = came("b.modern", "x", 1, seq=2, ack="m7", line=2)
        self.assertEqual([("doubled", "b.modern")], self.found(*history, again))

    def test_echo_again(self) -> None:
        """An echo that came is not sent again from the log."""
        history = [sent("x"), *everywhere("x", 1)]
        again = came("a.modern", "x", 1, seq=1, ack="m7")
        self.assertEqual([("doubled", "a.modern")], self.found(*history, again))

    def test_echo_crosses_request(self) -> None:
        """An echo that crosses a request for it may come again in the answer."""
        asked = Asked(0.0, "a.modern", 1, 0)
        history = [sent("x"), asked, *everywhere("x", 1)]
        again = came("a.modern", "x", 1, seq=1, ack="m7")
        self.assertEqual([], self.found(*history, again))

    def test_asked_for(self) -> None:
        """What a device asks for again comes again, even if it has it."""
        acknowledged: list[Seen] = [
            Acknowledged(1.0, "b.modern", 1, b"m1"),
            Pinged(1.0, "b.modern", 1),
            Ponged(1.0, "b.modern", 1),
        ]
        history = [sent("x"), *everywhere("x", 1), *acknowledged]
        again = came("b.modern", "x", 1, seq=1, ack="m7", line=2)
        asked = Asked(2.0, "b.modern", 2, 0)
        self.assertEqual([], self.found(*history, asked, again))
        behind = Asked(2.0, "b.modern", 2, 1)
        wanted = [("doubled", "b.modern")]
        self.assertEqual(wanted, self.found(*history, behind, again))

    def test_reordered(self) -> None:
        """Texts of a conversation that come in another order are reordered."""
        first, second = everywhere("x", 1), everywhere("y", 2)
        history = [sent("x"), sent("y"), *first[:3], *second, first[3]]
        self.assertEqual([("reordered", "b.plain")], self.found(*history))

    def test_order_of_log(self) -> None:
        """A device with the additions sees every number of its log, in order."""
        text = came("b.modern", "x", 1, seq=2, ack="m1")
        history = [sent("x"), *everywhere("x", 1)]
        history[3] = text
        self.assertEqual([("reordered", "b.modern")], self.found(*history))

    def test_foreign(self) -> None:
        """A text for somebody else is foreign."""
        history = [sent("x"), *everywhere("x", 1), came("c.plain", "x", 1, ack="1")]
        self.assertEqual([("foreign", "c.plain")], self.found(*history))

    def test_invented(self) -> None:
        """A text that nobody sent is foreign wherever it comes."""
        kinds = self.found(*everywhere("x", 1))
        self.assertEqual({"foreign"}, {kind for kind, _ in kinds})

    def test_wrong_author(self) -> None:
        """A text under another's name is foreign."""
        history = [sent("x"), *everywhere("x", 1)]
        history.append(came("b.plain", "x", 1, ack="p9", sender="C"))
        self.assertIn(("foreign", "b.plain"), self.found(*history))

    def test_gap(self) -> None:
        """A number that nobody ever saw is a gap."""
        history = [sent("x"), *everywhere("x", 1), sent("y"), *everywhere("y", 3)]
        kinds = [kind for kind, _ in self.found(*history)]
        self.assertIn("misnumbered", kinds)

    def test_number_used_twice(self) -> None:
        """Two texts of a conversation cannot have one number."""
        history = [sent("x"), *everywhere("x", 1), sent("y"), *everywhere("y", 1)]
        self.assertIn(("misnumbered", ""), self.found(*history))

    def test_spoken(self) -> None:
        """Refusals and devices that got stuck are findings of their own."""
        history: list[Seen] = [
            Refusal(0.0, "a.plain", 90, 5103),
            Complaint(0.0, "b.plain", "could not log in again"),
        ]
        wanted = [("refused", "a.plain"), ("stuck", "b.plain")]
        self.assertEqual(wanted, self.found(*history))

    def test_refused_for_a_reason(self) -> None:
        """A refusal with 5103 is no finding while and soon after storage is away."""
        began = Began(1.0, "full", "", refuses=True)
        for at, code, kinds in (
            (0.9, 5103, ["refused"]),
            (1.5, 5103, []),
            (1.5, 5101, ["refused"]),
            (6.9, 5103, []),
            (7.1, 5103, ["refused"]),
        ):
            history: list[Seen] = [sent("x"), began, Ended(2.0, "full")]
            history.append(Refusal(at, "a.modern", 90, code, "x"))
            self.assertEqual(kinds, [kind for kind, _ in self.found(*history)])

    def test_refused_and_stored(self) -> None:
        """What was refused each time must not come to anybody."""
        began = Began(0.0, "full", "", refuses=True)
        refusal = Refusal(0.5, "a.modern", 90, 5103, "x")
        history: list[Seen] = [began, sent("x"), refusal]
        self.assertEqual([], self.found(*history))
        self.assertIn(("denied", "a.modern"), self.found(*history, *everywhere("x", 1)))
        again = [*history, sent("x"), *everywhere("x", 1)]
        self.assertEqual([], self.found(*again))

    def test_damaged(self) -> None:
        """A damaged text may be missing if the log says so, and only then."""
        first, second = everywhere("x", 1), everywhere("y", 2)
        history = [sent("x"), *first[:2], sent("y"), *second]
        kinds = {kind for kind, _ in self.found(*history)}
        self.assertEqual({"lost", "reordered"}, kinds)
        both = frozenset(("A", "B"))
        self.assertEqual([], self.found(*history, Damaged(0.0, both, 1, True)))
        for wrong in (Damaged(0.0, both, 1, False), Damaged(0.0, both, 3, True)):
            self.assertIn(("lost", "b.plain"), self.found(*history, wrong))

    def test_damaged_and_never_seen(self) -> None:
        """The number of a damaged text that nobody has seen is no gap."""
        second = [
            came("a.modern", "y", 2, seq=1),
            came("b.modern", "y", 2, seq=1, ack="m1"),
            came("b.plain", "y", 2, ack="p1"),
        ]
        self.assertIn(("misnumbered", ""), self.found(sent("y"), *second))
        gone = Damaged(0.0, frozenset(("A", "B")), 1, True)
        self.assertEqual([], self.found(sent("y"), *second, gone))

    def test_damage_excuses_no_more(self) -> None:
        """One damaged text excuses one missing entry of a log, not two."""
        last = came("b.modern", "z", 3, seq=3, ack="m3")
        history = [sent("x"), *everywhere("x", 1), sent("z"), *everywhere("z", 3)]
        history[8] = last
        gone = Damaged(0.0, frozenset(("A", "B")), 2, True)
        self.assertEqual([], self.found(*history, gone))
        history[8] = came("b.modern", "z", 3, seq=4, ack="m3")
        self.assertEqual([("reordered", "b.modern")], self.found(*history, gone))


GROUP = Cast(CAST.devices, {**CAST.names, "G": "all"}, frozenset({"G"}))


def told(device: str, body: str, mid: int, ack: str = "", line: int = 1) -> Arrived:
    """A text of A to the group that came to a device."""
    seq = mid if device.endswith("modern") else 0
    receipt = ack.encode()
    return Arrived(0.0, device, line, "A", "G", body, mid, receipt, seq, True)


def to_all(body: str, mid: int) -> list[Seen]:
    """A text of A to the group, as it comes to everybody the first time."""
    return [told(device, body, mid, f"{body}{mid}") for device in GROUP.devices]


class GroupTests(TestCase):
    """What is different in groups."""

    def kinds(self, history: Sequence[Seen]) -> list[str]:
        """What the judge finds."""
        return [one.kind for one in judge(GROUP, history)]

    def test_fine(self) -> None:
        """Everybody gets it, its author included, in a log of its own."""
        texts: list[Seen] = [sent("x", to="G"), sent("y", to="G")]
        self.assertEqual([], self.kinds([*texts, *to_all("x", 1), *to_all("y", 2)]))

    def test_lost(self) -> None:
        """Whoever does not get it has lost it, be it a device of the author."""
        history = [sent("x", to="G"), *to_all("x", 1)]
        for place in range(1, len(history)):
            with self.subTest(place):
                some = history[:place] + history[place + 1 :]
                self.assertEqual(["lost"], self.kinds(some))

    def test_reordered(self) -> None:
        """Texts of a group come in the order of their numbers."""
        texts: list[Seen] = [sent("x", to="G"), sent("y", to="G")]
        found = self.kinds([*texts, *to_all("y", 2), *to_all("x", 1)])
        self.assertIn("reordered", found)

    def test_doubled(self) -> None:
        """A text that was confirmed comes no more, whatever is asked for."""
        history: list[Seen] = [sent("x", to="G"), *to_all("x", 1)]
        history += [
            Acknowledged(1.0, "b.modern", 1, b"x1"),
            Pinged(1.0, "b.modern", 1),
            Ponged(1.0, "b.modern", 1),
            Asked(2.0, "b.modern", 2, 0),
            told("b.modern", "x", 1, "x2", line=2),
        ]
        self.assertEqual(["doubled"], self.kinds(history))

    def test_damaged(self) -> None:
        """A damaged text of a group may be missing on each device, in the group's log
        alone, if the log of the node says so."""
        texts: list[Seen] = [sent("x", to="G"), *to_all("x", 1), sent("y", to="G")]
        third = [sent("z", to="G"), *to_all("z", 3)]
        history = [*texts, to_all("y", 2)[0], *third]
        self.assertEqual({"lost", "reordered"}, {*self.kinds(history)})
        gone = Damaged(0.0, frozenset({"G"}), 2, True)
        self.assertEqual([], self.kinds([*history, gone]))
        silent = attrs.evolve(gone, said=False)
        self.assertIn("lost", self.kinds([*history, silent]))
        elsewhere = Damaged(0.0, frozenset(("A", "B")), 2, True)
        self.assertIn("reordered", self.kinds([*history, elsewhere]))

    def test_notices_have_numbers(self) -> None:
        """An entry that is no text is no gap in the log."""
        history = [sent("x"), *everywhere("x", 1)]
        history[1:] = [
            attrs.evolve(one, seq=2 * bool(one.seq))
            for one in history[1:]
            if isinstance(one, Arrived)
        ]
        self.assertIn("reordered", self.kinds(history))
        notices = [Noticed(0.0, name, 1, 1) for name in GROUP.devices]
        self.assertEqual([], self.kinds([*notices, *history]))
