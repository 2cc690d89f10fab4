"""Keys, sealing, digests and the stored form of records."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import attrs
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from timtw.model.profiles import About
from timtw.model.stores import ShardError
from timtw.model.values import Content, Device
from timtw.shards import records
from timtw.shards.digests import SHORT_BYTES, Digests, octets, slot_in
from timtw.shards.keys import KeyRing, WrappedKeys, load_master_key
from timtw.shards.sealing import Sealer, Unreadable, body_context

RING = KeyRing(b"d" * 32, {1: b"1" * 32, 2: b"2" * 32}, 2)
HERE = body_context(7, 5, 5, 1)


class SealingTests(SynchronousTestCase):
    """Records that only their keys open, and only where they belong."""

    def setUp(self) -> None:
        """Make a sealer."""
        self.sealer = Sealer(RING, os.urandom)

    def test_sealed_opens_again(self) -> None:
        """
        What is sealed comes back, and cannot be read before.
        """
        for plain in (b"", b"hello", b"x" * 100_000):
            sealed = self.sealer.seal(plain, HERE)
            self.assertEqual(plain, self.sealer.open(sealed, HERE))
            self.assertFalse(plain and plain in sealed)

    def test_i7_equal_texts_are_sealed_differently(self) -> None:
        """
        Nobody sees from sealed records that two texts are equal, in any process.
        """
        sealers = (self.sealer, Sealer(RING, os.urandom))
        sealed = [s.seal(b"yes", HERE) for s in sealers for _ in range(100)]
        self.assertEqual(200, len({record[4:16] for record in sealed}))

    def test_nonces_go_on_after_four_thousand_million(self) -> None:
        """
        When a process has used up its counter it draws another beginning.
        """
        self.sealer._nonces.next = iter([(1 << 32) - 1, 1 << 32]).__next__
        sealed = [self.sealer.seal(b"x", HERE) for _ in range(3)]
        counters = [record[12:16] for record in sealed]
        self.assertEqual([b"\xff" * 4, bytes(4), b"\0\0\0\x01"], counters)
        self.assertNotEqual(sealed[0][4:12], sealed[1][4:12])

    def test_record_opens_only_where_it_belongs(self) -> None:
        """
        A text cannot be moved to another conversation, author or id.
        """
        sealed = self.sealer.seal(b"x", HERE)
        for context in ((8, 5, 5, 1), (7, 6, 5, 1), (7, 5, 7, 1), (7, 5, 5, 2)):
            with self.assertRaises(Unreadable):
                self.sealer.open(sealed, body_context(*context))

    def test_i7_damaged_record_does_not_open(self) -> None:
        """
        A record with any byte changed, or cut anywhere, is refused.
        """
        sealed = self.sealer.seal(b"some text", HERE)
        for n in range(len(sealed)):
            changed = sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :]
            for damaged in (changed, sealed[:n]):
                with self.assertRaises(Unreadable):
                    self.sealer.open(damaged, HERE)

    def test_older_keys_open(self) -> None:
        """
        The newest key seals; records of older keys can still be read.
        """
        old = Sealer(attrs.evolve(RING, newest=1), os.urandom).seal(b"old", HERE)
        self.assertEqual(1, int.from_bytes(old[:4], "big"))
        self.assertEqual(b"old", self.sealer.open(old, HERE))
        new = self.sealer.seal(b"new", HERE)
        self.assertEqual(2, int.from_bytes(new[:4], "big"))
        gone = Sealer(KeyRing(b"d" * 32, {2: b"2" * 32}, 2), os.urandom)
        self.assertRaises(Unreadable, gone.open, old, HERE)


class KeyTests(SynchronousTestCase):
    """The master key and what it wraps."""

    def test_keys_come_back(self) -> None:
        """
        The file made at the first start opens the keys at the next one.
        """
        place = Path(self.mktemp())
        wrapped = load_master_key(place, True, os.urandom).found()
        first = load_master_key(place, False, os.urandom).open(wrapped)
        again = load_master_key(place, True, os.urandom).open(wrapped)
        self.assertEqual(first, again)
        self.assertEqual(({1}, 1), (set(first.data_keys), first.newest))
        mode = (place / "master.key").stat().st_mode
        self.assertEqual(0o600, stat.S_IMODE(mode))

    def test_another_data_key_joins_the_ring(self) -> None:
        """
        A ring may hold several data keys, of which the newest seals.
        """
        master = load_master_key(Path(self.mktemp()), True, os.urandom)
        wrapped = master.found()
        name = wrapped.installation
        second = master.wrap_data_key(b"n" * 32, name, 2)
        keys = {**wrapped.data_keys, 2: second}
        ring = master.open(attrs.evolve(wrapped, data_keys=keys))
        self.assertEqual((b"n" * 32, 2), (ring.data_keys[2], ring.newest))
        swapped = {1: second, 2: wrapped.data_keys[1]}
        with self.assertRaises(ShardError):
            master.open(attrs.evolve(wrapped, data_keys=swapped))

    def test_keys_are_bound_to_the_installation(self) -> None:
        """
        Wrapped keys of one installation are no use in another of the same file.
        """
        master = load_master_key(Path(self.mktemp()), True, os.urandom)
        one, other = master.found(), master.found()
        mixed = WrappedKeys(
            one.installation, one.check, other.digest_key, one.data_keys
        )
        self.assertRaises(ShardError, master.open, mixed)

    def test_ring_does_not_show_its_keys(self) -> None:
        """
        A key ring that gets into a log or a traceback tells nothing.
        """
        self.assertNotIn("dddd", repr(RING))


class DigestTests(SynchronousTestCase):
    """Digests that stand for names, tokens and devices."""

    def test_i5_fields_do_not_run_together(self) -> None:
        """
        Two statements never share a digest because their parts join alike.
        """
        digests = Digests(b"k" * 32)
        account = digests.account
        names = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("c", "ab")]
        self.assertEqual(len(names), len({account(*name) for name in names}))
        self.assertNotEqual(digests.token("x"), digests.credential("x"))

    def test_i13_digests_are_keyed(self) -> None:
        """
        Without the key nobody can try names against digests.
        """
        one, other = Digests(b"k" * 32), Digests(b"l" * 32)
        device = Device("phone", 1)
        self.assertNotEqual(one.account("ada", ""), other.account("ada", ""))
        self.assertNotEqual(one.device(1, device), other.device(1, device))
        self.assertNotEqual(one.repeat(1, 2, b""), other.repeat(1, 2, b""))
        self.assertEqual(SHORT_BYTES, len(one.repeat(1, 2, b"")))

    def test_slot_is_twenty_bits(self) -> None:
        """
        The slot of a name is the first twenty bits of its digest.
        """
        self.assertEqual(0xABCDE, slot_in(bytes.fromhex("abcdef0123")))

    def test_any_text_has_octets(self) -> None:
        """
        No text a client could send makes a commit fail.
        """
        self.assertEqual(b"\xff", octets("\udcff"))
        self.assertEqual(b"\xed\xa0\x80", octets("\ud800"))


octet_texts = st.binary(max_size=40).map(lambda b: b.decode("utf-8", "surrogateescape"))
numbers = st.none() | st.integers(-(2**63), 2**63 - 1)
contents = st.builds(
    Content,
    st.none() | octet_texts,
    st.none() | st.binary(max_size=40),
    numbers,
    numbers,
    st.none() | st.dictionaries(octet_texts, octet_texts, max_size=4),
    st.none() | st.dictionaries(octet_texts, st.binary(max_size=9), max_size=4),
)


class RecordTests(SynchronousTestCase):
    """The stored form of contents."""

    @settings(max_examples=100, derandomize=True, deadline=None, database=None)
    @given(contents)
    def test_content_comes_back(self, content: Content) -> None:
        """
        Whatever was written comes back as it was.
        """
        packed = records.pack_content(content)
        self.assertEqual(content, records.unpack_content(packed))

    def test_older_profile(self) -> None:
        """
        A profile that holds a name alone, as it was stored once, is read.
        """
        for name in (None, b"Ada"):
            packed = msgspec.msgpack.encode((1, name))
            about = About(None if name is None else "Ada")
            self.assertEqual(about, records.unpack_profile(packed))

    def test_unknown_version_is_refused(self) -> None:
        """
        A record of a later program is not taken for one of this.
        """
        packed = msgspec.msgpack.encode((2, b"x", "what comes later"))
        self.assertRaises(records.UnknownRecord, records.unpack_content, packed)
        self.assertRaises(records.UnknownRecord, records.unpack_profile, packed)
