"""Token buckets: how often something may happen, per key."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from timtw.model import limits


class Bucket:
    """Holds up to ``size`` tokens and regains them over a minute or a second."""

    __slots__ = ("_at", "_now", "_per_second", "_size", "_tokens")

    def __init__(
        self, size: float, per_second: float, now: Callable[[], float]
    ) -> None:
        """A full bucket. A ``size`` of 0 stands for no limit at all."""
        self._size = size
        self._per_second = per_second
        self._now = now
        self._tokens = size
        self._at = now()

    def take(self, count: int = 1) -> bool:
        """Take so many tokens if there are as many."""
        if not self._size:
            return True
        self._refill()
        if self._tokens < count:
            return False
        self._tokens -= count
        return True

    def overdraw(self, count: int = 1) -> float:
        """Take so many in any case; the seconds until the bucket owes none."""
        if not self._size:
            return 0.0
        self._refill()
        self._tokens -= count
        return max(0.0, -self._tokens / self._per_second)

    def give_back(self) -> None:
        """Put a token back that was taken for something that does not count."""
        self._tokens = min(self._size, self._tokens + 1)

    @property
    def is_full(self) -> bool:
        """Whether it holds all it may, as one that was never used does."""
        return self._tokens >= self._size

    def _refill(self) -> None:
        now = self._now()
        gained = (now - self._at) * self._per_second
        self._tokens = min(self._size, self._tokens + max(0.0, gained))
        self._at = now


class Buckets:
    """One bucket per key, for the ``BUCKETS`` keys that were used last."""

    def __init__(
        self, per_minute: float, now: Callable[[], float], size: float | None = None
    ) -> None:
        """
        ``per_minute`` tokens per key; 0 for no limit.

        Args:
            size: How many of them at once; without it, those of a minute.
        """
        self._per_minute = per_minute
        self._size = per_minute if size is None else size
        self._now = now
        self._buckets: OrderedDict[object, Bucket] = OrderedDict()

    def of(self, key: object) -> Bucket:
        """The bucket of ``key``."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = Bucket(self._size, self._per_minute / 60.0, self._now)
            self._buckets[key] = bucket
            if len(self._buckets) > limits.BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket

    def give_back(self, key: object) -> None:
        """Put back a token that was taken of ``key``; a full bucket is forgotten."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.give_back()
            if bucket.is_full:
                del self._buckets[key]
