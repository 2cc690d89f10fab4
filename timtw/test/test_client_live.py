"""The client library passes on what nobody keeps: rooms, frames, files, signals."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from timtw.client import (
    Cancelled,
    Damaged,
    FileOffer,
    Refused,
    Signal,
)
from timtw.client.filetalk import Talk
from timtw.client.framequeue import Frames
from timtw.client.live import LiveRoom, RoomOver
from timtw.client.livespeech import passed_on, told_of
from timtw.client.values import Big, Ended, Frame, Missed
from timtw.client.wire import Speech
from timtw.client.wsframes import BadLine
from timtw.loss.nodes import ROOT
from timtw.model.limits import (
    CLIENT_FRAMES,
    CLIENT_FRAMES_BYTES,
)
from timtw.protocols.structs import Tid, TimMessage
from timtw.test.test_client_node import NodeCase, reactor

V = "6wDSbHa4Upk"


class SpeechTests(SynchronousTestCase):
    """Frames as the protocol has them."""

    def test_requests(self) -> None:
        """What our client writes is what the existing clients write."""
        json, thrift = Speech("json"), Speech("thrift")
        self.assertEqual(json.new_live(False), b'\x96{"rtype":1}')
        self.assertEqual(json.new_live(True), b'\x96{"rtype":1,"reqInt":1}')
        self.assertEqual(
            thrift.subscribe("V", True), bytes.fromhex("16 150a 180156 2602 00")
        )
        self.assertEqual(
            json.allow("V", "B", False), b'\x96{"rtype":4,"node":"V","node2":"B"}'
        )
        raw = bytes.fromhex("61 00000009 56 83 0102")
        self.assertEqual(json.push("V", b"\1\2", None), raw)
        self.assertEqual(thrift.push("V", b"\1\2", None), raw)
        stream = bytes.fromhex("5e 1600 180156 13 07 1802 0102 1800 00")
        self.assertEqual(thrift.push("V", b"\1\2", 7), stream)
        text = bytes.fromhex("5f 0000000c 626f62 7c e4b8ad")
        self.assertEqual(json.big("bob", "\u4e2d"), text)
        octets = bytes.fromhex("60 0000000b 626f62 83 0102")
        self.assertEqual(json.big("bob", b"\1\2"), octets)

    def test_passed_on(self) -> None:
        """Frames without a structure are read; damaged ones end the line."""
        self.assertEqual(passed_on(b"\x61V\x83\1\x83"), Frame("V", b"\1\x83"))
        self.assertEqual(passed_on(b"\x5fA|b|\xff"), Big("A", "b|\ufffd"))
        self.assertEqual(passed_on(b"\x60A\x83\1"), Big("A", "", b"\1"))
        for other in (b"", b"\x5a{}", b"\x0d"):
            self.assertIsNone(passed_on(other))
        self.assertRaises(BadLine, passed_on, b"\x60A|b")

    def test_told(self) -> None:
        """Notices and signals are known; other streams are messages."""
        room = Tid(node="V")

        def message(order: int, **more: Any) -> TimMessage:
            return TimMessage(msType=2, odType=order, **more)

        self.assertEqual(told_of(message(12, mid=5, roomTid=room)), Missed("V", 5))
        ended = message(13, dataString="idle", roomTid=room)
        self.assertEqual(told_of(ended), Ended("V", "idle"))
        sender = Tid(node="A")
        signal = message(5, fromTid=sender, dataString='{"timtw":1,"kind":"call"}')
        self.assertEqual(told_of(signal), Signal("A", {"timtw": 1, "kind": "call"}))
        for words in ("hello", '{"timtw":2}', "[1]", "[" * 100_000, "1"):
            self.assertIsNone(told_of(message(5, fromTid=sender, dataString=words)))


class QueueTests(SynchronousTestCase):
    """Frames that wait for a program to take them."""

    def frame(self, number: int) -> Frame:
        """A frame that can be told from others."""
        return Frame("V", b"x", ident=number)

    def test_v9_oldest_dropped(self) -> None:
        """Who is too slow loses the oldest, and reads before which frame how many."""
        frames = Frames(None)
        frames.lost(3)
        for number in range(CLIENT_FRAMES + 5):
            frames.came(self.frame(number), 1)
        self.assertEqual(frames.missed, 8)
        first = self.successResultOf(frames.next())
        self.assertEqual((first.ident, first.missed), (5, 8))
        second = self.successResultOf(frames.next())
        self.assertEqual((second.ident, second.missed), (6, 0))

    def test_large(self) -> None:
        """Bytes count as well, and a single frame is never dropped."""
        frames = Frames(None)
        frames.came(self.frame(1), 2 * CLIENT_FRAMES_BYTES)
        frames.came(self.frame(2), 1)
        self.assertEqual(self.successResultOf(frames.next()).ident, 2)

    def test_v9_held(self) -> None:
        """A room that loses nothing holds the line until half is taken."""
        told: list[bool] = []
        frames = Frames(told.append)
        for number in range(CLIENT_FRAMES + 1):
            frames.came(self.frame(number), 1)
        self.assertEqual(told, [True])
        for number in range(CLIENT_FRAMES // 2):
            self.assertEqual(self.successResultOf(frames.next()).ident, number)
        self.assertEqual(told, [True])
        self.successResultOf(frames.next())
        self.assertEqual(told, [True, False])
        self.assertEqual(frames.missed, 0)

    def test_over(self) -> None:
        """What has come can be taken after the end, and whoever waits is told."""
        frames = Frames(None)
        frames.came(self.frame(1), 1)
        frames.over(RoomOver("removed"))
        frames.came(self.frame(2), 1)
        self.assertEqual(self.successResultOf(frames.next()).ident, 1)
        self.failureResultOf(frames.next(), RoomOver)
        waiting = Frames(None)
        reader = waiting.next()
        waiting.over(RoomOver("removed"))
        self.failureResultOf(reader, RoomOver)

    def test_nobody_waits_any_more(self) -> None:
        """A reader that was cancelled takes nothing."""
        frames = Frames(None)
        reader = frames.next()
        reader.cancel()
        self.failureResultOf(reader, CancelledError)
        frames.came(self.frame(1), 1)
        self.assertEqual(self.successResultOf(frames.next()).ident, 1)


class LiveTests(NodeCase):
    """Virtual rooms and big data on a real node."""

    async def test_v1_v7_v8_room(self) -> None:
        """Frames arrive in order in either form; a co-host may push; an end is told."""
        ada = await self.client("ada")
        bob = await self.client("bob", encoding="thrift", addresses=[self.stream])
        room = await ada.live.create()
        plain = await bob.live.subscribe(room.node, binary=False)
        await room.subscribe()
        for number in range(100):
            await room.push(b"%d" % number, dtype=7)
        for number in range(100):
            frame = await plain.__anext__()
            told = frame.body, frame.sender, frame.dtype, frame.missed
            self.assertEqual(told, (b"%d" % number, self.ada, 7, 0))
            self.assertEqual(await room.__anext__(), Frame(room.node, b"%d" % number))
        await self.refused(plain)
        await room.allow(self.bob)
        self.assertTrue(await plain.push(b"from bob"))
        self.assertEqual((await room.__anext__()).body, b"from bob")
        self.assertEqual((await plain.__anext__()).sender, self.bob)
        await room.disallow(self.bob)
        await self.refused(plain)
        await room.end()
        self.assertEqual([frame async for frame in plain], [])
        self.assertEqual(plain.ended, "removed")
        error: Any = await self.assertFailure(bob.live.subscribe(room.node), Refused)
        self.assertEqual(5101, error.code)

    async def refused(self, room: LiveRoom) -> None:
        """A push is refused, which the next one tells."""
        await room.push(b"no")
        await room.subscribe(False)  # Its answer comes behind the refusal.
        error: Any = await self.assertFailure(room.push(b"no"), Refused)
        self.assertEqual(4105, error.code)

    async def test_a2_big(self) -> None:
        """Big texts and octets arrive, and are refused where messages would be."""
        ada = await self.client("ada")
        bob = await self.client("bob", encoding="thrift", addresses=[self.stream])
        text, octets = "\u4e2d|" * 50_000, random.Random(1).randbytes(500_000)
        for content in (text, octets):
            await ada.live.send_big(self.bob, content)
        self.assertEqual(await bob.live.receive_big(), Big(self.ada, text))
        self.assertEqual(await bob.live.receive_big(), Big(self.ada, "", octets))
        for node, code in (("zzz", 4106), (self.ada, 4105)):
            work = ada.live.send_big(node, "x")
            error: Any = await self.assertFailure(work, Refused)
            self.assertEqual(code, error.code)
        await bob.block(self.ada)
        error = await self.assertFailure(ada.live.send_big(self.bob, "x"), Refused)
        self.assertEqual(4105, error.code)

    async def test_signals(self) -> None:
        """A signal reaches the observer of the other program, and no message reader."""
        heard: Deferred[Signal] = Deferred()

        def observe(state: Any) -> None:
            if isinstance(state, Signal) and not heard.called:
                heard.callback(state)

        ada, bob = await self.client("ada"), await self.client("bob", observe=observe)
        await ada.signal(self.bob, {"kind": "call", "say": "ring"})
        told = await heard
        self.assertEqual((self.ada, "ring"), (told.peer, told.content["say"]))
        await ada.send(self.bob, "text")
        self.assertEqual("text", (await bob.receive()).text)
        error: Any = await self.assertFailure(ada.signal("zzz", {}), Refused)
        self.assertEqual(4106, error.code)


def start(server: str, *words: str) -> subprocess.Popen[str]:
    """Start a command of the client."""
    environ = {"TIMTW_SERVER": server, "TIMTW_PASSWORD": "secret"}
    return subprocess.Popen(
        [sys.executable, "-m", "timtw.cli", *words],
        env=os.environ | environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class FileTests(NodeCase):
    """Files from one program to another, on a real node."""

    def file(self, size: int) -> Path:
        """A file with content of its own."""
        path = self.directory / "picture.png"
        path.write_bytes(random.Random(size).randbytes(size))
        return path

    async def offer(self, size: int, **ways: Any) -> tuple[Any, FileOffer, Path]:
        """Ada offers a file to Bob: her sending, his offer, the file."""
        ada = await self.client("ada")
        bob = await self.client("bob", **ways)
        path = self.file(size)
        sending = ada.files.send(self.bob, path, self.note)
        return sending, await bob.files.offered(), path

    def note(self, done: int, of: int) -> None:
        """Note progress."""
        self.progress.append((done, of))

    async def setUp(self) -> None:  # type: ignore[override]
        """Nothing was sent."""
        await super().setUp()
        self.progress: list[tuple[int, int]] = []

    async def test_whole(self) -> None:
        """A file arrives with its bytes and checksum, and both sides see progress."""
        sending, offer, path = await self.offer(3_000_000, encoding="thrift")
        told = offer.peer, offer.name, offer.size, offer.type
        self.assertEqual(told, (self.ada, "picture.png", 3_000_000, "image/png"))
        target, came = self.directory / "got", list[int]()
        got = await offer.take(target, lambda done, of: came.append(done))
        sent = await sending
        data = path.read_bytes()
        self.assertEqual(target.read_bytes(), data)
        digest = hashlib.sha256(data).hexdigest()
        self.assertEqual((got.sha256, sent.sha256), (digest, digest))
        self.assertEqual(self.progress[-1], (3_000_000, 3_000_000))
        self.assertEqual(came, [done for done, _ in self.progress])
        self.assertEqual(sorted(self.directory.glob("*.part")), [])

    async def test_command(self) -> None:
        """``timtw send --file`` tells what has arrived, and why something has not."""
        bob, path = await self.client("bob"), self.file(200_000)
        words = ("send", "--name", "ada", "--to", "bob", "--json", "--file", str(path))
        sends = start(self.address, *words)
        target = self.directory / "got"
        got = await (await bob.files.offered()).take(target)
        out, complaint = await deferToThread(sends.communicate)
        self.assertEqual((sends.returncode, complaint), (0, ""))
        told = {"name": "picture.png", "size": 200_000, "sha256": got.sha256}
        self.assertEqual(json.loads(out), told)
        self.assertEqual(target.read_bytes(), path.read_bytes())
        sends = start(self.address, *words)
        (await bob.files.offered()).refuse()
        out, complaint = await deferToThread(sends.communicate)
        self.assertEqual((sends.returncode, out), (1, ""))
        self.assertIn("the other side says: refuse", complaint)
        sends = start(self.address, *words, "and a text")
        await deferToThread(sends.communicate)
        self.assertEqual(2, sends.returncode)

    async def test_empty(self) -> None:
        """An empty file is one as well."""
        sending, offer, _ = await self.offer(0)
        await offer.take(self.directory / "got")
        await sending
        self.assertEqual((self.directory / "got").read_bytes(), b"")

    async def test_refused(self) -> None:
        """Whoever does not want it says so."""
        sending, offer, _ = await self.offer(1000)
        offer.refuse()
        await self.assertFailure(sending, Cancelled)

    async def test_cancelled_by_the_receiver(self) -> None:
        """The receiver gives up in the middle: nothing of the file is left there."""
        sending, offer, _ = await self.offer(30_000_000)
        target, taking = self.directory / "got", list[Deferred[Any]]()

        def enough(done: int, of: int) -> None:
            if done > of // 3 and not taking[0].called:
                reactor.callLater(0, taking[0].cancel)

        taking.append(offer.take(target, enough))
        await self.assertFailure(taking[0], CancelledError)
        await self.assertFailure(sending, Cancelled)
        self.assertEqual(sorted(self.directory.glob("got*")), [])
        self.assertLess(self.progress[-1][0], 30_000_000)

    async def test_cancelled_by_the_sender(self) -> None:
        """The sender gives up: the receiver is told."""
        sending, offer, _ = await self.offer(30_000_000)
        target = self.directory / "got"

        def enough(done: int, of: int) -> None:
            if done > of // 3 and not sending.called:
                reactor.callLater(0, sending.cancel)

        taking = offer.take(target, enough)
        await self.assertFailure(taking, Cancelled)
        await self.assertFailure(sending, CancelledError)
        self.assertEqual(sorted(self.directory.glob("got*")), [])

    async def test_damaged(self) -> None:
        """What is longer than announced, or another file, is not kept."""
        ada, bob = await self.client("ada"), await self.client("bob")
        for size, digest in ((2, ""), (3, "0" * 64)):
            room = await ada.live.create(loses_nothing=True)
            content = {"kind": "file", "room": room.node}
            words = {"say": "offer", "name": "../a\n", "size": size, "type": "x"}
            await ada.signal(self.bob, content | words)
            offer = await bob.files.offered()
            self.assertEqual(offer.name, "a")
            taking = offer.take(self.directory / "got")
            talk = ada.files._talks[room.node] = Talk(self.bob)
            await talk.wait("take")
            await room.push(b"xyz")
            await ada.signal(self.bob, content | {"say": "done", "sha256": digest})
            await self.assertFailure(taking, Damaged)
            self.assertEqual(sorted(self.directory.glob("got*")), [])
