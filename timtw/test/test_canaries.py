"""What people write and choose is found nowhere in what a running node leaves behind.

``test_shards_canary`` looks at storage alone; here the real program is used over its
sockets, and its log and state are searched as well.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from timtw.loss.frames import BINARY, FrameReader, frame, handshake
from timtw.loss.nodes import Node
from timtw.test.planted import planted

SOURCE = "127.88.77.66"
"""Where the clients come from: an address of this machine like any other."""
KINDS = ("name", "password", "wrong", "domain", "resource", "text", "binary", "extend")


class Person:
    """A client on a blocking socket that speaks JSON."""

    def __init__(self, port: int) -> None:
        """Connect from ``SOURCE``."""
        address = ("127.0.0.1", port)
        self._line = socket.create_connection(address, 20, (SOURCE, 0))
        self._reader = FrameReader()
        self._heard: list[bytes] = []
        self._line.sendall(handshake("127.0.0.1"))

    def says(self, kind: int, **fields: object) -> None:
        """Send a frame."""
        payload = bytes([kind | 0x80]) + json.dumps(fields).encode()
        self._line.sendall(frame(payload))

    def raw(self, payload: bytes) -> None:
        """Send whatever is given."""
        self._line.sendall(frame(payload))

    def hears(self, kind: int) -> dict[str, Any]:
        """The payload of the next frame of a kind."""
        while True:
            while self._heard:
                payload = self._heard.pop(0)
                if payload[0] == kind:
                    found: dict[str, Any] = json.loads(payload[1:])
                    return found
            data = self._line.recv(65536)
            assert data, "the node has hung up"
            self._heard += [p for op, p in self._reader.feed(data) if op == BINARY]

    def leaves(self) -> None:
        """Hang up."""
        self._line.close()


class CanaryTests(SynchronousTestCase):
    """Every kind of secret, through every door, and then a search."""

    def play(self, node: Node, canaries: dict[str, str]) -> set[str]:
        """Use the node; the tokens and credentials it gave out."""
        given = set()
        auth = {"name": canaries["name"], "pwd": canaries["password"]}
        auth["domain"] = canaries["domain"]
        extend = {"timtw": "1", canaries["extend"]: canaries["extend"]}
        answers = [
            json.loads(node.post(b"\x8e" + json.dumps(fields).encode())[1:])
            for fields in (auth, {**auth, "name": canaries["name"] + "-peer"})
        ]
        peer = answers[1]["n"]
        token = json.loads(node.post(b"\x8f" + json.dumps(auth).encode())[1:])["n"]
        given.add(token)
        person = Person(node.port)
        login = {**auth, "resource": canaries["resource"], "extend": extend}
        person.says(16, **{**login, "pwd": canaries["wrong"]})
        assert not person.hears(12)["ok"]
        person.says(16, **{**login, "pwd": "", "token": token})
        assert person.hears(12)["ok"]
        given.add(person.hears(12)["n"])
        text = {"msType": 2, "odType": 1, "toTid": {"node": peer}, "id": 5}
        body = {"dataString": canaries["text"], "extend": extend}
        person.says(90, **text, **body, extra={canaries["binary"]: "AAAA"})
        assert person.hears(90)["dataString"] == canaries["text"]
        bean = {"name": canaries["text"]}
        person.says(42, ntype=6, usermap={"": bean})
        assert person.hears(12)["ok"]
        person.says(41, rtype=64, reqStr=canaries["name"] + "-peer")
        assert person.hears(42)["usermap"]
        person.says(41, rtype=8, node=canaries["text"], reqInt=1)
        room = person.hears(12)["n"]
        person.says(41, rtype=12, node=room, node2=peer, reqStr=canaries["text"])
        assert person.hears(12)["ok"]
        person.raw(b"\xda{" + canaries["text"].encode())
        assert not person.hears(12)["ok"]
        person.raw(b"\x5a" + canaries["text"].encode())
        assert not person.hears(12)["ok"]
        person.leaves()
        return given

    def leftovers(self, launcher: list[str]) -> tuple[set[str], set[str]]:
        """Which canaries there were, and which of them are found afterwards."""
        canaries = {kind: f"canary-{kind}-{os.urandom(6).hex()}" for kind in KINDS}
        with tempfile.TemporaryDirectory() as folder:
            node = Node(Path(folder), launcher)
            node.start()
            try:
                given = self.play(node, canaries)
            finally:
                node.kill()
            secrets = {*canaries.values(), *given, SOURCE}
            left = [one for one in Path(folder).rglob("*") if one.is_file()]
            content = b"\n".join(one.read_bytes() for one in left)
            names = {one.name for one in left}
        self.assertLessEqual({"tim.db", "tim.db-wal", "node.log", "master.key"}, names)
        return secrets, {one for one in secrets if one.encode() in content}

    def test_i3_i7_nothing_is_found(self) -> None:
        """Database, write-ahead log, keys and log hold none of it."""
        _secrets, found = self.leftovers([])
        self.assertEqual(set(), found)

    def test_the_search_finds(self) -> None:
        """A node that seals nothing is found out by the same search."""
        _secrets, found = self.leftovers(planted("sealing-off"))
        kinds = {one.split("-")[1] for one in found if one.startswith("canary")}
        self.assertLessEqual({"name", "domain", "text", "binary", "extend"}, kinds)
