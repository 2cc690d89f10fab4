"""The parsers of frames under fuzzing, each alone and all of them as one wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from timtw.client.tcpframes import TcpFraming
from timtw.client.values import Presence
from timtw.client.wire import Speech
from timtw.client.wsframes import BadLine
from timtw.loss.frames import FrameReader
from timtw.model import commands, events
from timtw.model.commands import Command
from timtw.model.limits import COLLECTED_BYTES
from timtw.protocols.bigdata import BigData, BigDataReader, Reservations
from timtw.protocols.connection import ClientWire
from timtw.protocols.encodings import Encodings
from timtw.protocols.errors import BigDataError
from timtw.protocols.frames import (
    FrameType,
    ack_id,
    acked_frame,
    split_frame,
    tcp_message,
    websocket_message,
)
from timtw.test import scriptkit
from timtw.test.fuzz.meter import Meter, check
from timtw.test.fuzz.stage import answers
from timtw.test.scriptkit import SCRIPTS

LIMIT: Final = 2_000
"""Bytes of the largest big-data frame; small, so that inputs can be longer."""


class _Chosen(dict[str, int | str]):
    """What a server chose, for whoever asks."""

    def __missing__(self, name: str) -> int | str:
        return 5 if name.startswith("%") else "A"


def script_frames() -> Iterator[list[bytes]]:
    """What one client of each script sends."""
    for path in sorted(SCRIPTS.glob("*.tim")):
        lines = [one for one in scriptkit.lines(path) if one.sign in (">", ">>")]
        mine = [one.frame for one in lines if one.who == lines[0].who]
        yield [scriptkit.octets(one, _Chosen()) for one in mine]


def own_frames() -> Iterator[bytes]:
    """What our own client sends, in both encodings."""
    for speech in (Speech("json"), Speech("thrift")):
        yield speech.ping()
        yield speech.receipt(b"\0\0\0\1")
        yield from (speech.backlog(None), speech.backlog(5))
        yield from (speech.text("A", "hi", 5), speech.history("A", 0, 10))
        yield from (speech.find("bob"), speech.profiles(["A"]), speech.end())
        yield from (speech.describe({"name": "b"}), speech.read_mark("A", 5))
        yield from (speech.read_marks(""), speech.read_marks("A"))
        shown = Presence("", show=1, status="here", extend={"k": "v"})
        yield from (speech.presence(shown, None), speech.presence(shown, ["A"]))
        yield from (speech.new_live(True), speech.end_live("A"))
        yield from (speech.allow("A", "B", True), speech.subscribe("A", True))
        yield from (speech.push("A", b"x", None), speech.push("A", b"x", 1))
        yield from (speech.big("A", "x"), speech.big("A", b"x"))
        yield from (speech.signal("A", {"kind": "file"}, 5), speech.unsubscribe("A"))
        yield speech.logout()


def _messages(data: bytes) -> Iterator[bytes]:
    """Cut ``data`` into messages, each behind two bytes of length."""
    while data:
        size = int.from_bytes(data[:2], "big")
        yield data[2 : 2 + size]
        data = data[2 + size :]


def _packed(*messages: bytes) -> bytes:
    """Messages as ``_messages`` cuts them."""
    return b"".join(len(one).to_bytes(2, "big") + one for one in messages)


# Frames.


def frame_seeds() -> Iterator[bytes]:
    """Frames of clients."""
    yield b"\x0c\0\0\0\1"
    yield from own_frames()


def frames(data: bytes, meter: Meter) -> None:
    """What is taken apart can be put together, on either stream."""
    parts = meter.run(len(data), split_frame, data)
    if parts is None:
        check(not data, "a frame was ignored", data)
        return
    check(bytes([parts.type | 0x80 * parts.is_json]) + parts.payload == data, "changed")
    receipt = ack_id(parts.payload)
    if receipt is not None:
        acked = acked_frame(parts.type, receipt, parts.payload[4:])
        check(acked == bytes([parts.type | 0x80]) + parts.payload, "another receipt")
    reader = FrameReader(upgraded=True)
    heard = reader.feed(websocket_message(data) + websocket_message(b""))
    check([said for _, said in heard] == [data, b""], "another WebSocket message")
    check(TcpFraming().feed(tcp_message(data) * 2) == [data, data], "another on TCP")
    for encoding in ("json", "thrift"):
        with suppress(BadLine):
            meter.run(len(data), Speech(encoding).hear, data)


# Big data.


def big_data_seeds() -> Iterator[bytes]:
    """Big-data frames, whole and in pieces."""
    whole = b"\x5f\0\0\0\x0cA|hello"[:12]
    yield _packed(whole)
    yield _packed(whole[:7], whole[7:9], whole[9:])
    yield _packed(b"\x5fnode|text", b"\x5fnode\0text", b"\x60node\x83\1\2")
    yield _packed(b"\x61\0\0\0\x10A\x83", b"12345678", b"9")
    yield _packed(b"\x60\0\0\x10\0abc", b"\x60abc\x83")
    yield _packed(b"\x60\0\0\x08\0abc", b"x" * 1_500, b"y" * 600, b"\x60abc\x83")


def big_data(data: bytes, meter: Meter) -> None:
    """Only declared errors, never more kept than allowed, and pieces do not matter."""
    meter.run(len(data), _collect, data)


def _collect(data: bytes) -> None:
    """Bring messages to a reader."""
    reservations = Reservations()
    # Others collect so much that every second input finds little space.
    others = COLLECTED_BYTES - (LIMIT // 2 if len(data) & 1 else 4 * LIMIT)
    reservations.taken = others
    reader = BigDataReader(LIMIT, reservations, 7)
    for message in _messages(data):
        if not reader.missing and (not message or message[0] & 0x7F not in _BIG):
            continue
        began, skips = reader.missing > 0, reader._skips
        kept = bytes(reader._collected)
        try:
            found = reader.add(message) if began else reader.begin(message)
        except BigDataError:
            check(not skips, "refused twice")
            check(not reader.missing or reader._skips, "an error goes on")
            check(not reader._collected, "an error is kept")
            _balanced(reader, reservations.taken - others)
            continue
        _balanced(reader, reservations.taken - others)
        if skips:
            check(found is None and not reader._collected, "what was refused is kept")
            continue
        check(len(reader._collected) < LIMIT, "more is kept than allowed")
        check((found is None) == (reader.missing > 0), "neither done nor waiting")
        if found is not None:
            _in_pieces(kept + message, found)
    skips, told = reader._skips, reader.abandon()
    check(isinstance(told, BigDataError) != skips, "given up without an error")
    check(not reader.missing, "given up and going on")
    _balanced(reader, reservations.taken - others)


def _balanced(reader: BigDataReader, reserved: int) -> None:
    """What is collected has a reservation, and nothing else has one."""
    kept = len(reader._collected)
    check(reserved == (kept + reader.missing if kept else 0), "reserved", reserved)
    check(reserved <= LIMIT, "more will be kept than allowed")


_BIG: Final = (95, 96, 97)
_BEFORE_THE_END: Final = (commands.Ping, commands.Unacceptable)
"""What may be said to a frame that is not complete."""


def _in_pieces(frame: bytes, expected: BigData) -> None:
    """A frame that declares its length is the same from one message or from two."""
    if int.from_bytes(frame[1:5], "big") != len(frame) or len(frame) > LIMIT:
        return
    for cut in range(6, len(frame), 1 + len(frame) // 50):
        reader = BigDataReader(LIMIT, Reservations(), 7)
        check(reader.begin(frame[:cut]) is None, "done before its end")
        check(reader.add(frame[cut:]) == expected, "pieces matter", expected)


# The wire as a whole.


def wire_seeds() -> Iterator[bytes]:
    """Conversations as messages."""
    for number, messages in enumerate(script_frames()):
        yield bytes([number]) + _packed(*messages)
    for one in own_frames():
        yield b"\0" + _packed(b'\x90{"name":"a","extend":{"timtw":"1"}}', one)
        yield b"\3" + _packed(b"\x10\x18\x01a\0", one)
    yield b"\0" + _packed(b'\x90{"name":"a"}', b"\x5f\0\0\0\x0aA|", b"abc")


def wire(data: bytes, meter: Meter) -> None:
    """Any message makes commands, and whatever they bring about can be told."""
    if not data:
        return
    off = frozenset({FrameType.TIMAUTH, FrameType.TIMMESSAGE}) if data[0] == 255 else ()
    made = ClientWire(Encodings(), LIMIT, Reservations(), frozenset(off))
    other = ClientWire(Encodings(), LIMIT, Reservations())
    _log_in(other, as_json=bool(data[0] & 1))
    meter.run(len(data), _converse, made, other, list(_messages(data[1:])))
    if made.collecting:
        check(len(made.give_up()) <= 1, "told more than once")
    check(not made.collecting and not made.give_up(), "given up and going on")


def _log_in(wire: ClientWire, as_json: bool) -> None:
    """Log a client in, with the additions."""
    login = b'\x90{"name":"b","extend":{"timtw":"1"}}'
    if not as_json:
        login = b"\x10\x18\x01b\x6b\x01\x88\x05timtw\x011\0"
    for command in wire.receive(login):
        assert isinstance(command, commands.LogIn)
        for event in answers(command, 1):
            wire.encode(event)
    assert wire.logged_in


def _converse(made: ClientWire, other: ClientWire, messages: list[bytes]) -> None:
    """Bring messages to a wire, and tell both sides what comes of them."""
    for seq, message in enumerate(messages, 1):
        known = made.logged_in
        found = made.receive(message)
        check(len(found) <= 1, "more commands than messages")
        check(known or not made.collecting, "collecting before login")
        is_told = all(isinstance(one, _BEFORE_THE_END) for one in found)
        check(is_told or not made.collecting, "an answer before the end")
        for command in found:
            _tell(made, other, command, seq)


def _tell(made: ClientWire, other: ClientWire, command: Command, seq: int) -> None:
    """Whatever a command brings about is told to who asked and to somebody else."""
    made.too_long(b"")
    for event in answers(command, seq):
        frames = made.encode(event)
        check(made.logged_in or len(frames) <= 1, "told before login", event)
        if isinstance(event, events.Delivery):
            check(made.measure(event.entry) > 0, "an entry without a size")
        if not isinstance(event, events.LoggedIn | events.Refused):
            other.encode(event)
