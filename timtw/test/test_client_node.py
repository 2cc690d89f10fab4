"""The client library and its commands against the real program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from timtw.client import (
    Client,
    Closed,
    Login,
    Message,
    Offline,
    Online,
    Refused,
    Stored,
    Unreachable,
    Ways,
    connect,
    register,
)
from timtw.client.values import (
    FRIENDS,
    GROUP_REQUEST,
    JOINED,
    NOTICE,
    PULLED_IN,
    REJECTED,
    REQUEST,
    Presence,
    Read,
)
from timtw.client.ways import State
from timtw.loss.nodes import CONFIGURATION, ROOT, Node, free_port

reactor: Final[Any] = global_reactor
TEXTS: Final = 200
SECONDS: Final = 20.0


class NodeCase(TestCase):
    """A real node and the accounts of Ada and Bob."""

    timeout = 60.0

    async def setUp(self) -> None:  # type: ignore[override]
        """The node is up, the two are registered."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()
        port = free_port()
        stream = f"tcp:{port}:interface=127.0.0.1"
        self.stream = f"tcp://127.0.0.1:{port}"
        served = CONFIGURATION.replace("tcp =\n", f"tcp = {stream}\n")
        self.server = Node(self.directory, configuration=served, further=(port,))
        self.server.start()
        self.addCleanup(lambda: self.server.kill())
        self.address = f"ws://127.0.0.1:{self.server.port}"
        self.ada = await register(reactor, [self.address], "ada", "secret")
        self.bob = await register(reactor, [self.address], "bob", "secret")

    async def client(self, name: str, **ways: Any) -> Client:
        """Somebody's device, closed after the test."""
        addresses = ways.pop("addresses", [self.address])
        login = Login(name, "secret", resource=ways.pop("resource", "test"))
        client = await connect(reactor, addresses, login, Ways(**ways))
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client


class LibraryTests(NodeCase):
    """What programs rely on."""

    async def refusal(self, work: Deferred[Any]) -> Refused:
        """The refusal that something has to come to."""
        error: Any = await self.assertFailure(work, Refused)
        assert isinstance(error, Refused)
        return error

    async def test_node_that_dies_in_the_middle(self) -> None:
        """Of 200 texts around the death of a node, from a WebSocket to a plain stream,
        none is lost and none doubled, and all arrive in their order."""
        ada = await self.client("ada")
        bob = await self.client("bob", encoding="thrift", addresses=[self.stream])
        arrived: list[Message] = []

        async def read() -> None:
            async for message in bob.messages():
                arrived.append(message)
                if len(arrived) == TEXTS:
                    return

        reading = Deferred.fromCoroutine(read())
        sends = [ada.send(self.bob, f"text {n}") for n in range(TEXTS // 2)]
        begun: Deferred[None] = Deferred()

        def stored_one(one: Stored) -> Stored:
            begun.callback(None)
            return one

        _ = sends[20].addCallback(stored_one)
        await begun
        self.server.kill()
        sends += [ada.send(self.bob, f"text {n}") for n in range(TEXTS // 2, TEXTS)]
        await deferToThread(self.server.start)
        stored = await gatherResults(sends)
        await reading
        expected = [f"text {n}" for n in range(TEXTS)]
        self.assertEqual(expected, [message.text for message in arrived])
        self.assertEqual(
            list(range(1, TEXTS + 1)), [one.mid for one in stored], "echoes"
        )
        kept = await bob.history(self.ada, 0, 100)
        self.assertEqual(expected[:-101:-1], [message.text for message in kept])

    async def test_groups(self) -> None:
        """Groups are made, entered, led, listed and left; who is concerned hears."""
        ada = await self.client("ada", encoding="thrift", addresses=[self.stream])
        bob = await self.client("bob")
        group = await ada.groups.create("Chess")
        await bob.groups.join(group, "please")
        asked = await ada.receive()
        told = (asked.notice, asked.group, asked.peer, asked.text)
        self.assertEqual((GROUP_REQUEST, group, self.bob, "please"), told)
        await ada.groups.reject(group, self.bob, "not today")
        await bob.groups.join(group, "and now?")
        await ada.groups.pull_in(group, self.bob)
        await ada.groups.pull_in(await ada.groups.create("Go", private=False), self.bob)
        notices = [await bob.receive() for _ in range(3)]
        self.assertEqual(
            [(REJECTED, "not today"), (JOINED, ""), (PULLED_IN, "")],
            [(one.notice, one.text) for one in notices],
        )
        self.assertEqual([self.ada, self.bob], await bob.groups.members(group))
        await ada.groups.change(group, topic="Draughts", managers=[self.bob])
        found = (await bob.groups.info([group, "zzz"]))[group]
        self.assertEqual(
            ("Draughts", self.ada, (self.bob,), True),
            (found.topic, found.founder, found.managers, found.private),
        )
        self.assertEqual(2, len(await bob.groups.mine()))
        await bob.groups.block(group)
        self.assertEqual([group], await bob.groups.blocked())
        blocked = await self.refusal(ada.groups.pull_in(group, self.bob))
        self.assertEqual(4110, blocked.code)
        await bob.groups.leave(group)
        await ada.groups.bar(group, self.bob)
        self.assertEqual([self.bob], await ada.groups.barred(group))
        self.assertEqual(4110, (await self.refusal(bob.groups.join(group))).code)
        self.assertEqual(4104, (await self.refusal(bob.groups.members(group))).code)
        change = bob.groups.change(group, topic="mine")
        self.assertEqual(4105, (await self.refusal(change)).code)
        await ada.groups.remove(group, self.bob)
        await ada.groups.dissolve(group)
        self.assertEqual(4108, (await self.refusal(ada.groups.leave(group))).code)
        self.assertEqual({}, await ada.groups.info([group]))

    async def test_friends(self) -> None:
        """They befriend, list, end and block each other, and are told what happened."""
        ada, bob = await self.client("ada"), await self.client("bob", own=True)
        await ada.befriend(self.bob, "it is me")
        asked = await bob.receive()
        told = (asked.kind, asked.notice, asked.peer, asked.text)
        self.assertEqual((NOTICE, REQUEST, self.ada, "it is me"), told)
        bob.confirm(asked)
        await bob.befriend(self.ada)
        for client, peer in ((ada, self.bob), (bob, self.ada)):
            news = await client.receive()
            self.assertEqual((FRIENDS, peer), (news.notice, news.peer))
            client.confirm(news)
            self.assertEqual([peer], await client.friends())
        again = await self.refusal(ada.befriend(self.bob))
        self.assertEqual(4117, again.code)
        await ada.unfriend(self.bob)
        self.assertEqual(4104, (await self.refusal(ada.unfriend(self.bob))).code)
        await ada.block(self.bob)
        self.assertEqual(([], [self.bob]), (await ada.friends(), await ada.blocked()))
        self.assertEqual(4110, (await self.refusal(bob.befriend(self.ada))).code)
        self.assertEqual(4105, (await self.refusal(bob.send(self.ada, "why"))).code)
        await ada.unblock(self.bob)
        self.assertEqual(1, (await bob.send(self.ada, "thanks")).mid)

    async def test_presence(self) -> None:
        """Friends see each other announce themselves, answer, and go; also those who
        speak the other encoding."""
        told: list[Presence] = []
        seen: list[Deferred[Presence]] = []

        def observe(state: State) -> None:
            if isinstance(state, Presence):
                told.append(state)
                if seen:
                    seen.pop(0).callback(state)

        def next_one() -> Deferred[Presence]:
            seen.append(Deferred())
            return seen[0]

        ada = await self.client("ada", observe=observe)
        bob = await self.client("bob", encoding="thrift", addresses=[self.stream])
        await ada.befriend(self.bob)
        await bob.befriend(self.ada)
        coming = next_one()
        extra = {"k": b"\xfb\xff"}
        bob.announce("at my desk", 1, extend={"e": "f"}, extra=extra)
        shown = Presence(
            self.bob, False, 1, "at my desk", 1, "test", 4, {"e": "f"}, extra
        )
        self.assertEqual(shown, await coming)
        coming = next_one()
        bob.show([self.ada, self.ada], "for you", 4)
        answer = await coming
        self.assertEqual(
            ("for you", 4, 2), (answer.status, answer.show, answer.purpose)
        )
        self.assertRaises(ValueError, bob.announce, "x" * 5000)
        self.assertRaises(ValueError, bob.show, [self.ada] * 101)
        coming = next_one()
        await bob.close()
        gone = await coming
        self.assertEqual((self.bob, True), (gone.peer, gone.gone))
        self.assertEqual(3, len(told))

    async def test_profiles(self) -> None:
        """A profile is set piece by piece and read whole, in both encodings, however
        many are asked for."""
        ada = await self.client("ada")
        bob = await self.client("bob", encoding="thrift", addresses=[self.stream])
        long = "x" * 1000
        await ada.describe(name="Ada", nickname="A", birthday="1815", gender=2)
        await bob.describe(
            cover=long, area=long, album=("p", "q"), extra={"b": b"\xff"}
        )
        await ada.describe(nickname="", extend={"k": "v"})
        for client in (ada, bob):
            found = await client.profiles([self.ada, self.bob, "zzz"])
            self.assertEqual({self.ada, self.bob}, {*found})
            one, other = found[self.ada], found[self.bob]
            told = (one.name, one.nickname, one.birthday, one.gender, one.extend)
            self.assertEqual(("Ada", "", "1815", 2, {"k": "v"}), told)
            self.assertEqual((long, long), (other.cover, other.area))
            self.assertEqual((("p", "q"), {"b": b"\xff"}), (other.album, other.extra))
        self.assertRaises(TypeError, ada.describe, colour="red")
        refused = await self.refusal(bob.describe(area=long + long))
        self.assertEqual(4104, refused.code)
        found = await bob.profiles([self.ada])
        self.assertEqual("Ada", found[self.ada].name)

    async def test_unread(self) -> None:
        """All devices of an account come to the same numbers of unread texts, and the
        author is told how far is read."""
        told: list[Read] = []

        def observe(state: State) -> None:
            if isinstance(state, Read):
                told.append(state)

        ada = await self.client("ada", observe=observe)
        phone = await self.client("bob", resource="phone")
        desk = await self.client("bob", resource="desk", encoding="thrift")
        for number in range(5):
            await ada.send(self.bob, f"{number}")
        for client in (phone, desk):
            for _ in range(5):
                client.confirm(await client.receive())
            self.assertEqual({self.ada: 5}, await client.unread())
        phone.mark_read(self.ada, 3)
        phone.mark_read(self.ada, 2)
        while not told:
            await deferLater(reactor, 0.05)
        self.assertEqual([Read(self.bob, False, 3, 5)], told)
        for client in (phone, desk, await self.client("bob", resource="new")):
            self.assertEqual({self.ada: 2}, await client.unread())
        await desk.send(self.ada, "I see")
        desk.mark_read(self.ada, 6)
        while len(told) < 2:
            await deferLater(reactor, 0.05)
        for client in (phone, desk, ada):
            expected = {self.bob: 1} if client is ada else {}
            self.assertEqual(expected, await client.unread())

    async def test_unread_in_groups(self) -> None:
        """Devices come to the same numbers in groups, too, counted from where the
        account has joined; nobody else is told how far it has read."""
        told: list[Read] = []

        def observe(state: State) -> None:
            if isinstance(state, Read):
                told.append(state)

        ada = await self.client("ada", observe=observe)
        phone = await self.client("bob", resource="phone")
        desk = await self.client("bob", resource="desk", encoding="thrift")
        group = await ada.groups.create("Chess")
        await ada.send_to_group(group, "before")
        await ada.groups.pull_in(group, self.bob)
        for number in range(5):
            await ada.send_to_group(group, f"{number}")
        for client in (phone, desk):
            self.assertEqual({group: 5}, await client.unread_in_groups())
        phone.mark_read_in_group(group, 4)
        while await desk.unread_in_groups() != {group: 2}:
            await deferLater(reactor, 0.05)
        new = await self.client("bob", resource="new")
        for client in (phone, desk, new):
            self.assertEqual({group: 2}, await client.unread_in_groups())
            self.assertEqual({}, await client.unread())
        self.assertEqual([], [read for read in told if not read.own])
        await desk.groups.leave(group)
        for client in (phone, desk):
            self.assertEqual({}, await client.unread_in_groups())

    async def test_unconfirmed_comes_again(self) -> None:
        """A message that was not confirmed comes again to the next program of the
        device, one that was confirmed does not."""
        ada = await self.client("ada")
        bob = await self.client("bob")
        await gatherResults([ada.send(self.bob, "one"), ada.send(self.bob, "two")])
        first = await bob.receive()
        second = await bob.receive()
        self.assertEqual(["one", "two"], [first.text, second.text])
        bob.confirm(first)
        await bob.close()
        bob = await self.client("bob")
        again = await bob.receive()
        self.assertEqual(second.mid, again.mid)

    async def test_addresses_with_failover(self) -> None:
        """A dead address is passed over, and the observer is told where it went."""
        seen: list[State] = []
        dead = f"tcp://127.0.0.1:{free_port()}"
        addresses = [dead, self.address]
        ada = await self.client(
            "ada", addresses=addresses, observe=seen.append, rounds=2
        )
        self.assertEqual(self.ada, ada.node)
        self.assertIsInstance(seen[0], Offline)
        self.assertEqual(Online(self.ada, self.address), seen[-1])
        failing = connect(reactor, [dead], Login("ada", "secret"))
        await self.assertFailure(failing, Unreachable)

    async def test_questions(self) -> None:
        """Names, profiles and histories are answered, and refusals are raised."""
        ada = await self.client("ada", encoding="thrift")
        found = await ada.find("bob")
        self.assertEqual(self.bob, found and found.node)
        self.assertIsNone(await ada.find("nobody"))
        await ada.rename("Ada L.")
        profiles = await ada.profiles([self.ada, self.bob])
        self.assertEqual("Ada L.", profiles[self.ada].name)
        self.assertEqual([], await ada.history(self.bob))
        error = await self.refusal(ada.send("zzz", "x"))
        self.assertEqual(4106, error.code)
        error = await self.refusal(ada.history("zzz!"))
        self.assertEqual(4104, error.code)

    async def test_same_id_twice(self) -> None:
        """A text that a program sends again under its id is answered as before."""
        ada = await self.client("ada")
        first = await ada.send(self.bob, "once", ident=77)
        self.assertEqual(first, await ada.send(self.bob, "once", ident=77))
        self.assertEqual(1, len(await ada.history(self.bob)))

    async def test_sender_with_a_backlog(self) -> None:
        """A client that takes no messages sends although many wait for it, and they
        still wait afterwards."""
        bob = await self.client("bob")
        await gatherResults([bob.send(self.ada, f"{n}") for n in range(50)])
        sender = await self.client("ada", listens=False)
        stored = await sender.send(self.bob, "hello")
        self.assertEqual(51, stored.mid)
        await sender.close()
        reader = await self.client("ada")
        texts = [(await reader.receive()).text for _ in range(3)]
        self.assertEqual(["0", "1", "2"], texts)

    async def test_credential_and_ends(self) -> None:
        """A credential logs in until the logout; whoever waits is told the end."""
        ada = await self.client("ada")
        await ada.history(self.bob)
        login = Login(credential=ada.credential, resource="test")
        await ada.close()
        await self.assertFailure(ada.receive(), Closed)
        again = await connect(reactor, [self.address], login)
        self.assertEqual(self.ada, again.node)
        waiting = again.receive()
        await again.logout()
        await self.assertFailure(waiting, Closed)
        over = connect(reactor, [self.address], login)
        error = await self.refusal(over)
        self.assertEqual(4115, error.code)
        wrong = connect(reactor, [self.address], Login("ada", "guess"))
        error = await self.refusal(wrong)
        self.assertEqual(4105, error.code)

    async def test_name_that_is_taken(self) -> None:
        """Registering a name twice is refused, and so is registering nowhere."""
        for address, error in ((self.address, Refused), ("tcp://h:1", ValueError)):
            again = register(reactor, [address], "ada", "x")
            await self.assertFailure(Deferred.fromCoroutine(again), error)

    async def test_registering_with_failover(self) -> None:
        """Nodes are asked in turn: one that is down, or is none, is passed over."""
        dead, other = (f"ws://127.0.0.1:{free_port()}" for _ in range(2))
        stream = f"ws{self.stream.removeprefix('tcp')}"
        addresses = [dead, self.stream, stream, self.address]
        carol = await register(reactor, addresses, "carol", "secret")
        client = await self.client("carol")
        self.assertEqual(carol, client.node)
        nowhere = Deferred.fromCoroutine(register(reactor, [dead, other], "x", "x"))
        error: Any = await self.assertFailure(nowhere, Unreachable)
        for address in (dead, other):
            self.assertIn(f"{address}: nobody listens there", str(error))

    async def test_longer_than_the_operator_wants(self) -> None:
        """What this node does not take is given up with an error, on both doors and
        once; what was asked and written around it is answered."""
        self.server.kill()
        os.environ["TIMTW_LIMITS_MAX_FRAME"] = "8192"
        self.addCleanup(os.environ.pop, "TIMTW_LIMITS_MAX_FRAME")
        await deferToThread(self.server.start)
        for number, address in enumerate((self.address, self.stream)):
            lost: list[State] = []
            client = await self.client(
                "ada", addresses=[address], resource=address, observe=lost.append
            )
            texts = ["before", "x" * 9000, "y" * 4000, "z" * 10_000, "after"]
            found = client.find("bob")
            everybody = client.profiles([self.bob] * 2000)
            sends = [client.send(self.bob, text) for text in texts]
            for given_up in (sends[1], sends[3], everybody):
                error: Any = await self.assertFailure(given_up, ValueError)
                self.assertIn("longer than this node takes", str(error))
            stored = [(await sends[place]).mid for place in (0, 2, 4)]
            self.assertEqual([3 * number + n for n in (1, 2, 3)], sorted(stored))
            profile = await found
            self.assertEqual(self.bob, profile and profile.node)
            times = sum(isinstance(state, Offline) for state in lost)
            self.assertEqual(3, times, "each broke one line")


def _hear_signals() -> None:
    """Hear Ctrl-C, which whoever runs the tests in the background does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class CommandTests(NodeCase):
    """What scripts rely on."""

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        """Run the command; ended after the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "timtw.cli", *words],
            env=dict(os.environ, PYTHONPATH=str(ROOT), TIMTW_SERVER=self.address)
            | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_signals,
        )

        def end() -> None:
            process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def run_command(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Run the command to its end: status, what it wrote, what it complained of."""
        process = self.start(*words, **({"TIMTW_PASSWORD": "secret"} | environ))
        out, complaint = process.communicate(timeout=SECONDS)
        return process.returncode, out, complaint

    def test_send_and_listen(self) -> None:
        """What one script sends another reads, line by line, and once."""
        ada = ("send", "--name", "ada", "--to", "bob", "--json", "--id", "7")
        status, out, complaint = self.run_command(*ada, "Grüße\nund mehr")
        self.assertEqual((0, ""), (status, complaint))
        told = json.loads(out)
        self.assertEqual((1, 7), (told["mid"], told["id"]))
        self.assertEqual((0, out, ""), self.run_command(*ada, "Grüße\nund mehr"))
        (self.directory / "password").write_text("secret\n")
        secret = ("--password-file", str(self.directory / "password"))
        bob = ("listen", "--name", "bob", "--json", "--count", "1", *secret)
        status, out, _ = self.run_command(*bob, TIMTW_PASSWORD="wrong")
        self.assertEqual(0, status)
        told = json.loads(out)
        self.assertEqual("Grüße\nund mehr", told["text"])
        self.assertEqual((self.ada, 1, False), (told["peer"], told["mid"], told["own"]))
        self.run_command("send", "--name", "ada", "--to-node", self.bob, "second")
        status, out, _ = self.run_command(*bob)
        self.assertEqual("second", json.loads(out)["text"])

    def test_listener_that_is_killed(self) -> None:
        """A listener follows live, and what it has not written comes again."""
        listener = self.start(
            "listen", "--name", "bob", "--json", TIMTW_PASSWORD="secret"
        )
        assert listener.stdout is not None
        send = ("send", "--name", "ada", "--to", "bob")
        self.assertEqual(0, self.run_command(*send, "one")[0])
        self.assertEqual("one", json.loads(listener.stdout.readline())["text"])
        listener.kill()
        listener.wait()
        self.assertEqual(0, self.run_command(*send, "two")[0])
        status, out, _ = self.run_command("listen", "--name", "bob", "--count", "1")
        self.assertEqual(0, status)
        self.assertIn(out, (f"from {self.ada}: one\n", f"from {self.ada}: two\n"))

    def test_one_by_one(self) -> None:
        """A script that takes one message with each run gets on, from either door,
        although they all came in one page."""
        for text in ("one", "two", "three"):
            send = ("send", "--name", "ada", "--to", "bob", text)
            self.assertEqual(0, self.run_command(*send)[0])
        once = ("listen", "--name", "bob", "--count", "1")
        for text, server in (
            ("one", self.address),
            ("two", self.stream),
            ("three", self.address),
        ):
            status, out, _ = self.run_command(*once, TIMTW_SERVER=server)
            self.assertEqual((0, f"from {self.ada}: {text}\n"), (status, out))

    def test_signals(self) -> None:
        """Ctrl-C ends a listener in order: without complaints, and nothing that it
        wrote comes again."""
        for text in ("one", "two"):
            send = ("send", "--name", "ada", "--to", "bob", text)
            self.assertEqual(0, self.run_command(*send)[0])
        words = ("listen", "--name", "bob")
        secret = {"TIMTW_PASSWORD": "secret"}
        for signum in (signal.SIGINT, signal.SIGTERM):
            listener = self.start(*words, **secret)
            assert listener.stdout is not None
            assert listener.stderr is not None
            self.assertIn("connected", listener.stderr.readline())
            for text in ("one", "two") if signum == signal.SIGINT else ():
                self.assertIn(text, listener.stdout.readline())
            listener.send_signal(signum)
            self.assertEqual(("", ""), listener.communicate(timeout=SECONDS))
            self.assertEqual(130, listener.returncode)

    def test_what_is_no_text(self) -> None:
        """What a script pipes in loses the end of its last line; nothing at all, and
        what is no text, is refused, and so are ids that are none."""
        send = ("send", "--name", "ada", "--to", "bob")
        for piped, status in ((b"a\nb\n", 0), (b"", 2), (b"\n", 2), (b"\xff\n", 2)):
            done = subprocess.run(
                [sys.executable, "-m", "timtw.cli", *send],
                env=dict(
                    os.environ,
                    PYTHONPATH=str(ROOT),
                    TIMTW_SERVER=self.address,
                    TIMTW_PASSWORD="secret",
                ),
                input=piped,
                capture_output=True,
                check=False,
            )
            self.assertEqual(status, done.returncode, done.stderr)
            self.assertEqual(bool(status), done.stderr.startswith(b"timtw: "))
        for ident in ("0", "-5", "0x7", str(1 << 53)):
            status, _, complaint = self.run_command(*send, f"--id={ident}", "x")
            self.assertEqual(2, status)
            self.assertIn(f"{ident} is not between 1 and 2^53-1", complaint)
        listen = ("listen", "--name", "bob", "--json", "--count", "1")
        self.assertEqual("a\nb", json.loads(self.run_command(*listen)[1])["text"])

    def test_nowhere_to_write(self) -> None:
        """A disk that is full is told in a sentence, and the message comes again; a
        reader that has gone ends it without one."""
        send = ("send", "--name", "ada", "--to", "bob")
        for text in ("one", "two"):
            self.assertEqual(0, self.run_command(*send, text)[0])
        words = [sys.executable, "-m", "timtw.cli", "listen", "--name", "bob"]
        environ = dict(
            os.environ,
            PYTHONPATH=str(ROOT),
            TIMTW_SERVER=self.address,
            TIMTW_PASSWORD="secret",
        )
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                words, env=environ, stdin=subprocess.DEVNULL, stdout=full,
                stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        self.assertEqual(1, done.returncode)
        self.assertIn("No space left", done.stderr.splitlines()[-1])
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            words, env=environ, stdin=subprocess.DEVNULL, stdout=writer,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        os.close(writer)
        self.assertEqual(0, done.returncode)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        out = self.run_command("listen", "--name", "bob", "--count", "1")[1]
        self.assertIn("one", out)

    def test_exit_statuses(self) -> None:
        """Each kind of failure has its status and one sentence."""
        send = ("send", "--name", "ada", "--to")
        cases = [
            (67, (*send, "nobody", "x"), {}),
            (77, (*send, "bob", "x"), {"TIMTW_PASSWORD": "wrong"}),
            (75, (*send, "bob", "x"), {"TIMTW_SERVER": "ws://127.0.0.1:1"}),
            (77, ("send", "--name", "bob", "--to-node", "zzz", "x"), {}),
            (2, (*send, "bob", "--server", "http://x", "x"), {}),
            (2, (*send, "bob", "x", "--password-file", "/nowhere/x"), {}),
        ]
        running = [
            self.start(*words, **({"TIMTW_PASSWORD": "secret"} | environ))
            for _, words, environ in cases
        ]
        for (wanted, _, _), process in zip(cases, running, strict=True):
            out, complaint = process.communicate(timeout=SECONDS)
            self.assertEqual((wanted, ""), (process.returncode, out), complaint)
            self.assertEqual(1, len(complaint.splitlines()), complaint)
            self.assertTrue(complaint.startswith("timtw: "), complaint)

    def test_send_that_takes_too_long(self) -> None:
        """A node that does not answer ends the command in time, with a sentence."""
        os.kill(self.server.pid, 19)
        self.addCleanup(lambda: os.kill(self.server.pid, 18))
        begin = time.monotonic()
        status, _, complaint = self.run_command(
            "send", "--name", "ada", "--to", "bob", "--timeout", "0.5", "x"
        )
        self.assertEqual(75, status, complaint)
        self.assertIn("no answer within 0.5 s", complaint)
        self.assertLess(time.monotonic() - begin, SECONDS)
