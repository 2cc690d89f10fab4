"""Calls, live rooms and files on the page, in real browsers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from timtw.loss.nodes import CONFIGURATION
from timtw.test.browser import DESKTOP, PASSWORD, PHONE, Browser, BrowserCase

ENTER, TAB, ESCAPE, SPACE = "\ue007", "\ue004", "\ue00c", " "
CAMERA: Final = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
"""A camera that shows a clock, a microphone that beeps, and nobody who has to agree."""
LARGE: Final = 48 * 1024 * 1024
"""Bytes that take longer than it takes to press a button."""
INTRUDER: Final = """
    const [node, pwd, done] = arguments;
    import("/wire.js").then(({ encode, encodePiece }) => {
      const socket = new WebSocket(`ws://${location.host}/tim`);
      socket.binaryType = "arraybuffer";
      const send = (type, body) => socket.send(encode(type, body));
      const signal = (value) => send(90, { msType: 2, odType: 5, toTid: { node },
        dataString: typeof value === "string" ? value : JSON.stringify(value) });
      const login = { name: "mallory", pwd, resource: "raw", termtyp: 4 };
      socket.onopen = () => send(16, login);
      socket.onmessage = ({ data }) => {
        const [type, ...payload] = new Uint8Array(data);
        if (type === 90) window.intruder.heard += String.fromCharCode(...payload);
        if (type !== 12) return;
        const { timType, n } = JSON.parse(String.fromCharCode(...payload));
        if (timType === 16) send(22, { rtype: 1 });
        if (timType !== 22) return;
        const push = (piece) => socket.send(encodePiece(n, Uint8Array.from(piece)));
        window.intruder = { signal, push, heard: "" };
        done(n);
      };
    });
"""
"""A line of Mallory's that says whatever it likes to a node; its virtual room."""
PIECES: Final[tuple[list[int], ...]] = (
    [],
    [0],
    [9, 1, 2, 3],
    [1],
    [1, 255],
    [1, 255, 216, 255, 192, 0, 17, 8, 255, 255, 255, 255, 3, 1, 0, 0],
    [1, 255, 216, 255, 192, 0, 17, 8, 0, 9, 0, 9, 3, 1, 0, 0],
    [2],
    [2, 1],
)
"""What is neither picture nor sound; one says it is as large as a picture can be."""
TAPPED: Final = """
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      const text = new TextDecoder().decode(data).replaceAll("\\\\", "");
      const found = /"room":"(\\w+)/.exec(text);
      if (found) window.tap = { line: this, room: found[1] };
      return send.call(this, data);
    };
"""
"""Remembers the line of a page and the virtual room that it names."""
TELL: Final = """
    const text = JSON.stringify({ msType: 2, odType: 12, roomTid: { node: tap.room },
      mid: arguments[0] });
    tap.line.onmessage({ data: new TextEncoder().encode("Z" + text).buffer });
"""
"""The node tells the page that so many pieces were left out."""
MODULES: Final = """
    const done = arguments[0];
    const names = ["sha256", "filenames", "jpeg"].map((name) => `/live/${name}.js`);
    Promise.all(names.map((name) => import(name)))
      .then(([{ Sha256 }, { cleanName }, { jpegSize, isShowable }]) => {
        const bytes = (text) => new TextEncoder().encode(text);
        const sum = (...texts) => texts
          .reduce((all, text) => all.update(bytes(text)), new Sha256()).digest();
        const million = Array.from({ length: 1000 }, () => "a".repeat(1000));
        const picture = (width, height) => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0,
          0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, height >> 8, height & 255,
          width >> 8, width & 255, 3, 1);
        const pictures = [picture(640, 480), picture(40000, 480), picture(0, 480),
          bytes("GIF89a"), new Uint8Array()];
        done({
          sums: [sum(), sum("a", "bc"), sum(...million), sum("abcdbcdecdefdefgefgh",
            "fghighijhijkijkljklmklmnlmnomnopnopq")],
          cleaned: ["../../etc/passwd", "..", "a\\u202egpj.exe", "tab\\there.txt ",
            "x".repeat(300) + ".tar", "C:\\\\temp\\\\a?.txt", ""].map(cleanName),
          size: jpegSize(pictures[0]),
          showable: pictures.map(isShowable),
        });
      }, (error) => done(String(error)));
"""
"""What modules of the page answer that need no person."""


class LiveCase(BrowserCase):
    """Ada has a camera, the others have none."""

    def ada(self, size: tuple[int, int] = DESKTOP, language: str = "en") -> Browser:
        """Somebody with a camera."""
        ada = self.browser(size, language, flags=CAMERA)
        ada.register("ada")
        return ada

    def meet(self, who: Browser, *names: str) -> None:
        """Write to these, and leave the last conversation open."""
        for name in names:
            who.keys(ESCAPE)
            who.find(name)
            who.say(f"Hello {name}")

    def moves(self, who: Browser, *names: str) -> None:
        """Wait until the tiles are those of these people and each shows what moves."""
        script = """
            return [...document.querySelectorAll(".tile")].map((tile) => {
              const canvas = tile.querySelector("canvas");
              return [tile.querySelector(".name").textContent, canvas
                ? canvas.toDataURL("image/jpeg", 0.3) : ""];
            })
        """
        expected = sorted(names)

        def seen() -> dict[str, str]:
            """The pictures by name, or nothing while other people are shown."""
            tiles = dict(who.run(script))
            return tiles if sorted(tiles) == expected and all(tiles.values()) else {}

        before = who.until(seen, f"tiles of {names}")
        who.until(
            lambda: (
                (now := seen()) and all(now[name] != before[name] for name in expected)
            ),
            f"pictures of {names} that move",
        )


class FriendsCallTests(LiveCase):
    """People who see and hear one another, where only friends may write."""

    configuration = CONFIGURATION.replace("from = anyone", "from = friends")

    def befriend(self, one: Browser, other: Browser, name: str) -> None:
        """One asks, the other accepts; the conversation is left open."""
        one.keys(ESCAPE)
        one.write("#find", name)
        one.click(".ask button")
        other.click("#tab-people")
        other.click("[data-act=accept]")
        one.one("#text")

    def test_call(self) -> None:
        """Two see and hear each other; a third finds it busy, is asked in, and then all
        three see one another, friends or not; when one hangs up the others go on, and
        when the next one closes the window the last one is told why it is over."""
        ada, bob, carl = self.ada(), self.person("bob", PHONE), self.person("carl")
        self.befriend(ada, carl, "carl")
        self.befriend(ada, bob, "bob")
        ada.click("[data-start=call]")
        ada.see("#stage h2", "Calling bob")
        bob.see(".ringing", "ada is calling")
        bob.click("[data-do=accept]")
        self.moves(ada, "You", "bob")
        self.moves(bob, "You", "ada")
        bob.one(".tile [data-speaking]")
        ada.click("[data-do=mute]")
        bob.gone(".tile [data-speaking]")
        carl.find("ada")
        carl.click("[data-start=call]")
        carl.see("#stage", "ada is in another call")
        carl.click("[data-do=close]")
        ada.one("#invite").send_keys("carl")
        ada.click(".invite button")
        carl.click("[data-do=accept]")
        self.moves(carl, "You", "ada", "bob")
        self.moves(bob, "You", "ada", "carl")
        self.moves(ada, "You", "bob", "carl")
        ada.click("[data-do=end]")
        ada.gone("#stage")
        self.moves(bob, "You", "carl")
        bob.driver.get("about:blank")
        carl.see("#stage", "bob has hung up")


class CallTests(LiveCase):
    """What a call looks like for fingers on keys."""

    def test_without_a_mouse(self) -> None:
        """Tab and Enter call, Escape declines; another call is accepted with the keys,
        and somebody from whom nothing comes any more is lost after twenty seconds."""
        ada, bob = self.person("ada", PHONE), self.person("bob", PHONE)
        self.meet(ada, "bob")
        self.call_with_keys(ada)
        bob.held(".ringing")
        bob.keys(ESCAPE)
        bob.gone(".ringing")
        ada.see("#stage", "bob has declined")
        ada.shifted(TAB, 3)
        ada.held("[data-do=close]")
        ada.keys(ENTER)
        ada.gone("#stage")
        self.call_with_keys(ada)
        bob.held(".ringing")
        bob.keys(TAB, ENTER)
        self.moves(ada, "You", "bob")
        bob.run("WebSocket.prototype.send = () => undefined")
        ada.run("const now = Date.now; Date.now = () => now() + 21000")
        ada.see("#stage", "The line to bob was lost")

    def call_with_keys(self, who: Browser) -> None:
        """From where one writes to the button that calls."""
        who.until(lambda: "sending" not in who.states(), "stored")
        who.run("document.querySelector('#text').focus()")
        who.shifted(TAB, 5)
        who.held("[data-start=call]")
        who.keys(ENTER)


class LiveRoomTests(LiveCase):
    """Somebody who is live for a group."""

    def test_viewers_and_a_cohost(self) -> None:
        """Two see who is live; one may show herself as well and is seen by all until
        that is taken back; at the end the viewers are told that it has ended."""
        ada, bob, carl = self.ada(), self.person("bob", PHONE), self.person("carl")
        number = self.group(ada)
        for one in (bob, carl):
            self.enter(one, number)
        ada.click("[data-start=live]")
        carl.run(TAPPED)
        for one in (bob, carl):
            one.see(".slip.live", "ada is live")
            one.click("[data-do=watch]")
            self.moves(one, "ada")
        ada.see("#stage .hint", "watching: 2")
        for count in (3, 4):
            carl.run(TELL, count)
        carl.see("#stage .hint", "left out on your line: 7")
        self.choose(ada, "bob")
        bob.click("[data-do=join]")
        self.moves(bob, "You", "ada")
        self.moves(carl, "ada", "bob")
        self.moves(ada, "You", "bob")
        self.choose(ada, "bob")
        self.moves(carl, "ada")
        self.moves(bob, "ada")
        self.moves(ada, "You")
        ada.click("[data-do=end]")
        for one in (bob, carl):
            one.see("#stage", "The live room of ada has ended")
            one.gone(".slip.live")

    def group(self, who: Browser) -> str:
        """An open group that somebody makes; its number."""
        who.click("#tab-groups")
        who.click("#make-group summary")
        who.click("#group-open")
        who.write("#group-name", "Engines")
        who.see("#peer", "Engines")
        who.click("#peer")
        number: str = who.one(".number").text
        who.click("#peer")
        return number

    def enter(self, who: Browser, number: str) -> None:
        """Go into an open group."""
        who.click("#tab-groups")
        who.click("#join-group summary")
        who.write("#group-number", number)
        who.one("#text")

    def choose(self, who: Browser, name: str) -> None:
        """Let a viewer show themselves, or no longer."""
        script = """
            [...document.querySelectorAll(".viewers li")]
              .find((one) => one.querySelector(".who").textContent === arguments[0])
              .querySelector("button").click()
        """
        who.see(".viewers", name)
        who.run(script, name)


class FileTests(LiveCase):
    """Files from one to another."""

    def setUp(self) -> None:
        """Ada and Bob write to each other; Bob's browser saves into a folder."""
        super().setUp()
        self.folder = Path(self.mktemp()).absolute()
        self.saved = self.folder / "saved"
        self.saved.mkdir(parents=True)
        self.sender, self.receiver = self.person("ada"), self.person("bob", PHONE)
        self.receiver.save_into(self.saved)
        self.meet(self.sender, "bob")
        self.receiver.click(".conversations .entry")

    def send(self, name: str, content: bytes) -> None:
        """Choose a file for Bob."""
        path = self.folder / name
        path.write_bytes(content)
        script = "document.querySelector('#file').hidden = false"
        self.sender.run(script)
        self.sender.one("#file").send_keys(str(path))

    def test_file(self) -> None:
        """What is offered is not saved before it is taken; then it is whole, and both
        sides say that it was checked. Whoever refuses or cancels ends it on both sides,
        also in the middle, and nothing more is saved."""
        content = bytes(range(256)) * 4000 + b"end"
        self.send("report.bin", content)
        self.receiver.see(".slip.file", "report.bin")
        self.sender.see(".slip.file", "Waiting until bob takes it")
        self.assertEqual([], list(self.saved.iterdir()))
        self.receiver.click("[data-do=take]")
        self.both("Received")
        self.sender.see(".slip.file", "checked")
        script = "return document.querySelector('#news').textContent"
        self.assertIn("report.bin: Received by bob", self.sender.run(script))
        target = self.saved / "report.bin"
        self.receiver.until(
            lambda: target.exists() and target.stat().st_size == len(content), "saved"
        )
        expected = hashlib.sha256(content).hexdigest()
        self.assertEqual(expected, hashlib.sha256(target.read_bytes()).hexdigest())
        self.close()
        self.send("small.bin", b"small")
        self.receiver.click("[data-do=refuse]")
        self.sender.see(".slip.file", "bob does not want it")
        self.sender.click("[data-do=close]")
        for who in (self.receiver, self.sender):
            self.send("large.bin", bytes(LARGE))
            self.receiver.click("[data-do=take]")
            for side in (self.sender, self.receiver):
                self.progresses(side)
            who.click("[data-do=cancel]")
            self.both("Cancelled")
            self.close()
        self.assertEqual([target], list(self.saved.iterdir()))

    def both(self, text: str) -> None:
        """Wait until both sides say this about the file."""
        for side in (self.sender, self.receiver):
            side.see(".slip.file", text)

    def close(self) -> None:
        """Both have seen how it ended."""
        for side in (self.sender, self.receiver):
            side.click("[data-do=close]")
            side.gone(".slip")

    def progresses(self, side: Browser) -> None:
        """Wait until something of the file has gone."""
        script = "return document.querySelector('progress').value"
        side.until(lambda: side.run(script) > 0, "progress")


class LiveModulesTests(LiveCase):
    """What the page is made of, where no person can see it."""

    def test_sums_names_and_pictures(self) -> None:
        """SHA-256 has the published values however the bytes are cut; names are cleaned
        for saving; only pictures of a decent size are decoded."""
        browser = self.browser()
        browser.one("#name")
        found = browser.driver.execute_async_script(MODULES)
        self.assertEqual(
            {
                "sums": [
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
                    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
                ],
                "cleaned": [
                    "_.._etc_passwd",
                    "file",
                    "agpj.exe",
                    "tabhere.txt",
                    "x" * 116 + ".tar",
                    "C__temp_a_.txt",
                    "file",
                ],
                "size": {"width": 640, "height": 480},
                "showable": [True, False, False, False, False],
            },
            found,
        )


class StrangerTests(LiveCase):
    """What comes from people who mean harm, or from programs that are wrong."""

    def test_signals_and_pieces(self) -> None:
        """Nobody rings, is live or offers files who was never written to; malformed
        signals and pieces do nothing; markup in a name is a text; a file that is not
        what was announced is not saved."""
        ada, mallory = self.person("ada"), self.person("mallory")
        node = ada.run(
            """
            const [text] = Object.entries(localStorage)
              .filter(([key]) => key.startsWith("timtw.slot."))
              .map(([, text]) => text);
            return JSON.parse(text).account.node
            """
        )
        room = mallory.driver.execute_async_script(INTRUDER, node, PASSWORD)
        good = {"timtw": 1, "kind": "call", "call": "c1", "say": "ring", "room": room}
        offer = {"timtw": 1, "kind": "file", "say": "offer", "room": room, "size": 5}
        self.signal(mallory, good, {**good, "kind": "live", "say": "on"})
        self.signal(mallory, {**offer, "name": "unasked"})
        ada.find("mallory")
        ada.say("Who are you?")
        mallory.see(".conversations", "Who are you?")
        self.signal(mallory, "not JSON", [], 7, None, {"timtw": 1})
        self.signal(
            mallory,
            {**good, "timtw": 2},
            {**good, "room": "<b>bold</b>"},
            {**good, "call": {"a": 1}},
            {**good, "say": ["ring"]},
            {**good, "kind": "__proto__"},
            {**offer, "name": {"a": 1}},
            {**offer, "name": "less", "size": -1},
            {**offer, "name": "more", "size": 1e30},
            {**offer, "name": "x" * 5000},
            {**offer, "name": "<img src=x onerror=alert(1)>"},
        )
        ada.see(".slip.file", "<img src=x onerror=alert(1)>".replace("<", "_")[1:-1])
        self.assertEqual(1, len(ada.all(".slip")))
        self.assertEqual([], ada.all(".ringing"))
        self.take(ada, mallory)
        mallory.run("intruder.push([1, 2, 3, 4, 5])")
        self.signal(mallory, {**offer, "say": "done", "sha256": "00" * 32})
        ada.see(".slip.file", "SHA-256 differs")
        self.assertEqual([], ada.all("[data-do=save]"))
        ada.click("[data-do=close]")
        self.signal(mallory, {**offer, "name": "longer"})
        self.take(ada, mallory)
        mallory.run("intruder.push([1, 2, 3, 4, 5, 6])")
        ada.see(".slip.file", "More arrived than was announced")
        self.signal(mallory, good)
        ada.click("[data-do=accept]")
        ada.see(".tile:first-child", "mallory")
        mallory.run("for (const piece of arguments[0]) intruder.push(piece)", PIECES)
        mallory.run("intruder.push([2, 255, 127, 255, 127])")
        ada.one(".tile [data-speaking]")
        ada.see(".tile .state", "Waiting for the picture")

    def take(self, ada: Browser, mallory: Browser) -> None:
        """Take what is offered, and wait until the other side has heard it."""
        mallory.run("intruder.heard = ''")
        ada.click("[data-do=take]")
        script = "return /say.{1,5}take/.test(intruder.heard)"
        mallory.until(lambda: mallory.run(script), "a file that is taken")

    def signal(self, mallory: Browser, *signals: object) -> None:
        """Send these whatever they are."""
        mallory.run("for (const one of arguments[0]) intruder.signal(one)", signals)


class LiveLookTests(LiveCase):
    """Every screen with something live, on a telephone, in Chinese."""

    def test_chinese(self) -> None:
        """Nothing is too wide, and axe-core finds nothing serious."""
        ada = self.ada(PHONE, "zh-CN")
        bob = self.person("W" * 60, PHONE, "zh-CN")
        self.meet(bob, "ada")
        self.meet(ada, "W" * 60)
        ada.click("[data-start=live]")
        bob.one(".slip.live")
        self.look(bob)
        bob.click("[data-do=watch]")
        ada.one(".viewers li")
        self.look(ada)
        self.look(bob)
        ada.click("[data-do=end]")
        bob.click("[data-do=close]")
        ada.click("[data-start=call]")
        bob.one(".ringing")
        self.look(bob)
        self.look(ada)
        bob.click("[data-do=accept]")
        self.moves(ada, "你", "W" * 60)
        self.look(ada)

    def look(self, browser: Browser) -> None:
        """The page as it is."""
        self.fits(browser)
        self.accessible(browser)
