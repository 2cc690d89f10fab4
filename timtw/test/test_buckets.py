"""How often something may happen."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.buckets import Bucket, Buckets
from timtw.model import limits


class BucketTests(SynchronousTestCase):
    """One bucket."""

    def test_both_sides(self) -> None:
        """Three tokens are three takes, and not four."""
        bucket = Bucket(3, 1, Clock().seconds)
        self.assertEqual([True, True, True, False], [bucket.take() for _ in range(4)])

    def test_refills(self) -> None:
        """A token comes back in its time, not earlier, and never too many."""
        clock = Clock()
        bucket = Bucket(2, 0.5, clock.seconds)
        bucket.take()
        bucket.take()
        clock.advance(1.75)
        self.assertFalse(bucket.take())
        clock.advance(0.25)
        self.assertTrue(bucket.take())
        clock.advance(1000)
        self.assertEqual([True, True, False], [bucket.take() for _ in range(3)])

    def test_no_limit(self) -> None:
        """A size of 0 is no limit."""
        bucket = Bucket(0, 0, Clock().seconds)
        self.assertTrue(all(bucket.take() for _ in range(1000)))
        self.assertEqual(0.0, bucket.overdraw())

    def test_overdraw(self) -> None:
        """Whoever takes more than there is waits until it is paid back."""
        clock = Clock()
        bucket = Bucket(2, 2, clock.seconds)
        waits = [bucket.overdraw() for _ in range(5)]
        self.assertEqual([0.0, 0.0, 0.5, 1.0, 1.5], waits)
        clock.advance(1.5)
        self.assertEqual(0.5, bucket.overdraw())

    def test_given_back(self) -> None:
        """A token that is given back can be taken again, beyond the size never."""
        bucket = Bucket(1, 1, Clock().seconds)
        bucket.give_back()
        self.assertTrue(bucket.take())
        self.assertFalse(bucket.take())
        bucket.give_back()
        self.assertTrue(bucket.take())


class BucketsTests(SynchronousTestCase):
    """A bucket for each key."""

    def test_x2_keys_are_apart(self) -> None:
        """One key that has used up its tokens leaves those of others alone."""
        buckets = Buckets(1, Clock().seconds)
        self.assertTrue(buckets.of("a").take())
        self.assertFalse(buckets.of("a").take())
        self.assertTrue(buckets.of("b").take())

    def test_full_ones_are_forgotten(self) -> None:
        """Whoever has a password right takes no memory; failures stay counted."""
        buckets = Buckets(2, Clock().seconds)
        bucket = buckets.of("a")
        self.assertTrue(bucket.take() and bucket.take())
        buckets.give_back("a")
        self.assertIs(bucket, buckets.of("a"))
        buckets.give_back("a")
        self.assertIsNot(bucket, buckets.of("a"))
        buckets.give_back("b")

    def test_per_minute(self) -> None:
        """Six a minute are six at once, then one every ten seconds."""
        clock = Clock()
        bucket = Buckets(6, clock.seconds).of("a")
        self.assertEqual(6, sum(bucket.take() for _ in range(9)))
        clock.advance(10)
        self.assertEqual(1, sum(bucket.take() for _ in range(9)))

    def test_keys_are_limited(self) -> None:
        """So many keys are remembered; one more drops the one used longest ago."""
        buckets = Buckets(1, Clock().seconds)
        for key in range(limits.BUCKETS):
            buckets.of(key).take()
        self.assertFalse(buckets.of(0).take())
        buckets.of("one more")
        self.assertFalse(buckets.of(0).take())
        self.assertTrue(buckets.of(1).take())
