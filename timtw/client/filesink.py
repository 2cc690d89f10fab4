"""A file that comes piece by piece and is written as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO, Final

from timtw.client.filetalk import Damaged, Talk
from timtw.client.values import Frame

Progress = Callable[[int, int], None]
"""Called with how many bytes are done, and of how many."""
ALL: Final = "all"
"""What the receiver says to itself when it has all bytes."""


class FileSink:
    """Writes what is pushed, as it comes."""

    def __init__(
        self, file: BinaryIO, size: int, talk: Talk, progress: Progress
    ) -> None:
        self.digest = hashlib.sha256()
        self._file = file
        self._size = size
        self._talk = talk
        self._progress = progress
        self._done = 0
        self._look()

    def _look(self) -> None:
        """Whether that was all."""
        if self._done == self._size:
            self._talk.said(ALL, {})
        elif self._done > self._size:
            self._talk.failed(Damaged("it is longer than announced"))

    def came(self, frame: Frame) -> None:
        """A piece."""
        if self._talk.error is not None:
            return
        self._done += len(frame.body)
        self.digest.update(frame.body)
        try:
            self._file.write(frame.body)
        except OSError as error:
            self._talk.failed(error)
            return
        self._look()
        self._progress(self._done, self._size)

    def over(self, why: str) -> None:
        """The room has ended."""
        if self._done < self._size:
            self._talk.failed(Damaged(f"it has ended too early: {why}"))
