"""A line that is being typed: keys in, what stands on the screen out; no terminal.

The line takes one row, however long it is: its visible part moves with the cursor. So
whatever is written above it needs to clear one row only.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

import attrs

from timtw.model.limits import CLIENT_LINE_CHARACTERS, CLIENT_LINES_REMEMBERED

_ESCAPE: Final = re.compile("\x1b(?:\\[[0-?]*[ -/]*([@-~])|O(.)|([^\\[O]))", re.DOTALL)
_PARTIAL: Final = re.compile("\x1b(?:\\[[0-?]*[ -/]*|O)?$")
_DELETE: Final = "\x1b[3~"
_JOINERS: Final = "\u200c\u200d"
"""They make one sign of several, in Persian and in emoji, and command nothing."""
_ON_TOP: Final = ("Mn", "Me", "Cf")
"""Categories of what stands on or between other letters and takes no column."""


@attrs.frozen
class Entered:
    """A line that was ended by Return."""

    text: str


@attrs.frozen
class Left:
    """Ctrl-D on an empty line, or Ctrl-C."""


def width(text: str) -> int:
    """Columns that a terminal uses for a text without control characters."""
    columns = 0
    for letter in text:
        if unicodedata.category(letter) in _ON_TOP:
            continue
        columns += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
    return columns


def harmless(text: str) -> str:
    """A text of somebody else without anything that commands a terminal.

    Control characters, those that turn the direction of writing included, become
    U+FFFD; ends of lines and tabs become spaces. Joiners stay.
    """
    spaced = re.sub("[\r\n\t]+", " ", text)
    kept = (
        letter
        if letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
        else "\ufffd"
        for letter in spaced
    )
    return "".join(kept)


def _is_letter(key: str) -> bool:
    """Whether a key belongs to what is written."""
    return key.isprintable() or key in _JOINERS


class LineEditor:
    """The line, the cursor in it, and the lines before.

    Attributes:
        column: Where ``shown`` has put the cursor.
    """

    def __init__(self) -> None:
        """An empty line."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._partial = ""
        self._letters: list[str] = []
        self._cursor = 0
        self._lines: list[str] = []
        self._place = 0
        self.column = 0

    def feed(self, data: bytes) -> list[Entered | Left]:
        """Take what was typed; what came of it."""
        text, self._partial = self._partial + self._decoder.decode(data), ""
        happened: list[Entered | Left] = []
        position = 0
        while position < len(text):
            if text[position] == "\x1b":
                if _PARTIAL.match(text, position):
                    self._partial = text[position:]
                    break
                match = _ESCAPE.match(text, position)
                assert match is not None
                self._move(match)
                position = match.end()
                continue
            event = self._key(text[position])
            if event is not None:
                happened.append(event)
            position += 1
        return happened

    def shown(self, prompt: str, columns: int) -> str:
        """What writes prompt and line over the row of the cursor, and sets the cursor.

        Args:
            columns: The width of the terminal.
        """
        room = max(8, columns - width(prompt) - 1)
        start = 0
        while width("".join(self._letters[start : self._cursor])) >= room:
            start += 1
        end = len(self._letters)
        while width("".join(self._letters[start:end])) > room:
            end -= 1
        visible = "".join(self._letters[start:end])
        self.column = width(prompt + "".join(self._letters[start : self._cursor]))
        back = width("".join(self._letters[self._cursor : end]))
        return f"\r\x1b[K{prompt}{visible}" + (f"\x1b[{back}D" if back else "")

    def _key(self, key: str) -> Entered | Left | None:
        """One key that is no sequence."""
        before, after = self._letters[: self._cursor], self._letters[self._cursor :]
        if key in "\r\n":
            return self._enter()
        if key == "\x03" or (key == "\x04" and not self._letters):
            return Left()
        if key in "\x7f\x08":
            self._set(before[:-1], after)
        elif key == "\x04":
            self._set(before, after[1:])
        elif key == "\x15":
            self._set([], after)
        elif key == "\x0b":
            self._set(before, [])
        elif key == "\x17":
            words = "".join(before).rstrip().rpartition(" ")
            self._set(list(words[0] + words[1]), after)
        elif key == "\x01":
            self._cursor = 0
        elif key == "\x05":
            self._cursor = len(self._letters)
        elif len(self._letters) < CLIENT_LINE_CHARACTERS and _is_letter(key):
            self._set([*before, key], after)
        return None

    def _move(self, match: re.Match[str]) -> None:
        """A sequence: an arrow, Home, End or Delete."""
        name = match[1] or match[2] or ""
        if match[0] == _DELETE:
            rest = self._letters[self._cursor + 1 :]
            self._set(self._letters[: self._cursor], rest)
        elif name == "C":
            self._cursor = min(len(self._letters), self._cursor + 1)
        elif name == "D":
            self._cursor = max(0, self._cursor - 1)
        elif name == "H":
            self._cursor = 0
        elif name == "F":
            self._cursor = len(self._letters)
        elif name in "AB" and name:
            self._recall(-1 if name == "A" else 1)

    def _recall(self, step: int) -> None:
        """Bring back a line from before, or go on to later ones."""
        self._place = min(len(self._lines), max(0, self._place + step))
        here = self._lines[self._place] if self._place < len(self._lines) else ""
        self._set(list(here), [])

    def _set(self, before: list[str], after: list[str]) -> None:
        """Put the cursor between two parts."""
        self._letters = before + after
        self._cursor = len(before)

    def _enter(self) -> Entered:
        """End the line."""
        text = "".join(self._letters)
        if text and self._lines[-1:] != [text]:
            self._lines = [*self._lines, text][-CLIENT_LINES_REMEMBERED:]
        self._place = len(self._lines)
        self._set([], [])
        return Entered(text)
