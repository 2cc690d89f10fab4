"""What is not offered yet, spelled out, so that the table can only shrink."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from timtw.model.commands import Unacceptable
from timtw.model.errors import (
    BadBigData,
    BadParameter,
    NotServed,
    TimError,
)
from timtw.protocols.codecs import JSON
from timtw.protocols.refusals import Note
from timtw.protocols.unserved import UNSERVED, Part
from timtw.test.wirekit import wire


class TheTable(SynchronousTestCase):
    """The table of what is answered with 4107."""

    def test_whole(self) -> None:
        """Exactly these requests are known and not offered."""
        table = {part: sorted(map(str, values)) for part, values in UNSERVED.items()}
        expected: dict[Part, list[object]] = {
            Part.FRAME: [22, 94, 95, 96, 97],
        }
        spelled = {part: sorted(map(str, values)) for part, values in expected.items()}
        self.assertEqual(table, spelled)


class Refusals(SynchronousTestCase):
    """Each part of the table is refused with 4107, and damage comes first."""

    def refused(self, frame: bytes, error: type[TimError], note: Note) -> None:
        """Check that a frame of a logged-in client is refused so."""
        (command,) = wire(JSON).receive(frame)
        assert isinstance(command, Unacceptable)
        self.assertIs(type(command.error), error, frame)
        self.assertEqual(command.about, note, frame)

    def test_virtual_rooms_and_streams(self) -> None:
        """Virtual rooms and streams are not offered, and name what was meant."""
        self.refused(b'\x96{"rtype":1,"node":"V"}', NotServed, Note(22, t=1, n="V"))
        self.refused(b"\x96[]", BadParameter, Note(22))
        stream = b'{"vNode":"V","body":"AQI="}'
        self.refused(b"\xde" + stream, NotServed, Note(94, n="V"))
        self.refused(b"\xde{}", BadParameter, Note(94))

    def test_big_data(self) -> None:
        """Big data is not offered; a damaged frame is refused as such."""
        for type, separator in ((95, b"|"), (96, b"\x83"), (97, b"\x83")):
            head = bytes([type | 0x80])
            whole = head + (10).to_bytes(4, "big") + b"bob" + separator + b"x"
            self.refused(whole, NotServed, Note(type, n="bob"))
            without_length = bytes([type]) + b"bob" + separator + b"hi"
            self.refused(without_length, NotServed, Note(type, n="bob"))
            self.refused(head + b"\0\0\0\x07bo", BadParameter, Note(type))
            self.refused(head + b"\0\0\0\x03bob", BadBigData, Note(type))
            self.refused(head + b"bob", BadBigData, Note(type))

    def test_business(self) -> None:
        """What does not exist is wrong."""
        for rtype in (-1, 0, 5, 10, 22, 63, 64, 65, 66, 67, 68):
            frame = b'\xa9{"rtype":%d,"reqStr":"bob"}' % rtype
            self.refused(frame, BadParameter, Note(41, t=rtype))
        self.refused(b'\xa9{"node":"R"}', BadParameter, Note(41, n="R"))
        self.refused(b"\xa9null", BadParameter, Note(41))
