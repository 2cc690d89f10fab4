"""The visible spelling of accounts."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.idents import (
    ALPHABET,
    SLOT_BITS,
    node_of,
    number_in,
    number_of,
    slot_of,
)
from timtw.model.limits import NODE_BYTES

LOW, HIGH = -(2**63), 2**63 - 1
numbers = st.integers(LOW, HIGH).filter(bool)
few = settings(max_examples=200, derandomize=True, deadline=None)


class SpellingTests(SynchronousTestCase):
    """A number has one node, and a node one number."""

    @few
    @given(numbers)
    def test_q6_inverse(self, number: int) -> None:
        """What is spelled can be read; it is short and harmless in a URL."""
        node = node_of(number)
        self.assertEqual(number, number_of(node))
        self.assertTrue(0 < len(node) <= 11 and node.isalnum() and node.isascii())

    @few
    @given(st.text(ALPHABET, min_size=1, max_size=12))
    def test_one_spelling(self, node: str) -> None:
        """Whatever can be read is spelled just so and not otherwise."""
        number = number_of(node)
        if number is not None:
            self.assertEqual(node, node_of(number))

    @few
    @given(st.text(max_size=14))
    def test_any_text(self, node: str) -> None:
        """Any text is a node or is not; nothing is raised."""
        number = number_of(node)
        self.assertTrue(number is None or node_of(number) == node)

    def test_edges(self) -> None:
        """The ends of the range have nodes of their own."""
        edges = [1, -1, HIGH, LOW, 2**32, 57, 58]
        self.assertEqual(edges, [number_of(node_of(number)) for number in edges])
        self.assertEqual(len(edges), len({node_of(number) for number in edges}))

    def test_i1_refused(self) -> None:
        """Aliases, numbers that are too large, wrong letters and no text at all."""
        largest = node_of(-1)
        self.assertEqual("jpXCZedGfVQ", largest)
        for node in (
            "",
            "1",
            "1" + node_of(77),
            "jpXCZedGfVR",
            "z" * 11,
            "2" * 12,
            "2" * (NODE_BYTES + 1),
            "0bad",
            "O",
            "I",
            "l",
            "a b",
            "-2",
            "é",
            "２",
        ):
            self.assertIsNone(number_of(node), node)

    def test_x13_nothing_long_is_kept(self) -> None:
        """Texts of a megabyte in the place of a node are not kept for later."""
        tracemalloc.start()
        try:
            for number in range(8):
                self.assertIsNone(number_of(f"{number}" * 2**20))
            kept, _peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(kept, 2**20)


class SlotTests(SynchronousTestCase):
    """A number says where its account is kept."""

    @few
    @given(st.integers(0, 2**SLOT_BITS - 1), st.binary(min_size=6, max_size=6))
    def test_slot(self, slot: int, entropy: bytes) -> None:
        """The slot that went in comes out, and the number is a possible one."""
        number = number_in(slot, entropy)
        self.assertEqual(slot, slot_of(number))
        self.assertTrue(LOW <= number <= HIGH and number != 0)

    def test_never_reserved(self) -> None:
        """Where slot and chance are all zero, or come to 1, the number is 2."""
        self.assertEqual(2, number_in(0, bytes(6)))
        self.assertEqual(2, number_in(0, bytes(5) + b"\x01"))

    @few
    @given(st.binary(min_size=6, max_size=6))
    def test_i2_chance(self, entropy: bytes) -> None:
        """All of the 44 random bits are in the number."""
        rest = int.from_bytes(entropy, "big") % 2**44
        self.assertEqual(max(rest, 2), number_in(0, entropy) % 2**44)
