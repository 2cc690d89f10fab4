"""The feed, step by step: texts that are gone before they are confirmed."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.feeds.sending import State
from timtw.model import limits
from timtw.model.values import REVOCATION, LogEntry
from timtw.test.feedkit import Script

FULL = limits.WINDOW_FRAMES


def remove(script: Script, gone: int, heard: bool = True) -> None:
    """The text ``gone`` is revoked, of which the feed hears or does not."""
    made = script.grow()
    told = attrs.evolve(made.message, mid=script.log[gone].message.mid, kind=REVOCATION)
    script.log[made.seq] = LogEntry(made.seq, told, False)
    del script.log[gone]
    if heard:
        script.feed.offered(script.log[made.seq])


class HeardTests(SynchronousTestCase):
    """The feed hears of the removal."""

    def test_on_its_way(self) -> None:
        """A text without an answer is sent no more, and keeps nothing back."""
        script = Script().begin()
        script.offer(2)
        remove(script, 1)
        self.assertEqual((1, 3), (script.feed.acked, script.feed.sent))
        script.cleared().passes(limits.ACK_SECONDS)
        self.assertEqual([2, 3], script.sent)
        script.acknowledge(2, 3)
        self.assertEqual(([2, 3], 3), (script.marked, script.feed.acked))

    def test_in_a_page(self) -> None:
        """A page is sent again without it, or not at all."""
        script = Script(3).begin()
        script.feed.ask()
        script.answer()
        remove(script, 2)
        script.cleared().passes(limits.ACK_SECONDS)
        self.assertEqual([(1, 3)], script.pages)
        remove(script, 1)
        remove(script, 3)
        script.answer()
        self.assertEqual(1, script.ends)
        self.assertEqual([1, 3, 4, 5, 6], script.sent)

    def test_while_it_is_read(self) -> None:
        """What storage answers from before the removal is not sent."""
        script = Script(2).begin()
        script.feed.stir()
        (asked,) = script.reads
        stale = script.page_of(0, 2)
        remove(script, 1)
        script.reads.clear()
        script.feed.loaded(stale, asked[2])
        script.answer()
        self.assertEqual([2, 3], script.sent)

    def test_suspended(self) -> None:
        """A suspended connection stays so, and begins again without the text."""
        script = Script().begin()
        script.offer(2)
        script.passes(limits.TRANSMISSIONS * limits.ACK_SECONDS)
        remove(script, 1)
        self.assertIs(State.SUSPENDED, script.feed.state)
        script.cleared().feed.ask()
        script.answer()
        self.assertEqual([2, 3], script.sent)


class UnheardTests(SynchronousTestCase):
    """The hint of the removal is lost, and the head of the log tells of it."""

    def test_read_before(self) -> None:
        """What was read before is read again."""
        script = Script(FULL + 1).begin()
        script.feed.stir()
        script.answer()
        remove(script, FULL + 1, heard=False)
        script.feed.raised(script.head)
        script.acknowledge_everything()
        self.assertEqual([*range(1, FULL + 1), FULL + 2], script.sent)

    def test_on_its_way(self) -> None:
        """Before anything is sent again storage is asked what is left of it."""
        script = Script().begin()
        script.offer(FULL)
        remove(script, 1, heard=False)
        script.feed.raised(script.head)
        script.cleared().passes(limits.ACK_SECONDS)
        script.answer()
        self.assertEqual([*range(2, FULL + 2)], script.sent)
        script.acknowledge_everything()
        self.assertIs(State.LIVE, script.feed.state)
        self.assertEqual(script.head, script.feed.acked)
