"""The files of the chat page over HTTP, without a socket."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial import unittest
from twisted.web.http_headers import Headers
from twisted.web.server import Site

import timtw.web
from timtw.web import CONTENT_TYPES, STRANGERS_ASK, STRANGERS_WRITE, page

FOLDER = Path(timtw.web.__file__).parent


class PageTests(unittest.SynchronousTestCase):
    """What a browser gets when it asks the node for the page."""

    write_to_anyone = False

    def get(self, path: str, *lines: str) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer to GET, with these header lines."""
        channel = Site(page(self.write_to_anyone), reactor=Clock()).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        request = [f"GET /{path} HTTP/1.1", "Host: x", "Connection: close", *lines]
        channel.dataReceived("\r\n".join([*request, "", ""]).encode())
        head, _, body = transport.value().partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        headers = Headers()
        for line in rest:
            name, _, value = line.partition(": ")
            headers.addRawHeader(name, value)
        return int(first.split()[1]), headers, body

    def header(self, path: str, name: str) -> str:
        """One header of the answer to GET."""
        _, headers, _ = self.get(path)
        return ", ".join(headers.getRawHeaders(name, []))

    def test_root_is_the_page(self) -> None:
        """The address of the node alone shows the chat."""
        status, _, body = self.get("")
        self.assertEqual(200, status)
        self.assertEqual((FOLDER / "index.html").read_bytes(), body)

    def test_strangers(self) -> None:
        """The page knows whether strangers may write here, and the browser that it is
        another page where they may."""
        self.assertIn(STRANGERS_ASK, self.get("")[2])
        etag = self.header("", "ETag")
        self.write_to_anyone = True
        for name in ("", "index.html"):
            self.assertIn(STRANGERS_WRITE, self.get(name)[2])
        self.assertNotEqual(etag, self.header("", "ETag"))

    def test_every_file(self) -> None:
        """Each file of the page is served as it is, with its type."""
        names = [
            path.relative_to(FOLDER).as_posix()
            for path in FOLDER.rglob("*")
            if path.suffix[1:] in CONTENT_TYPES
        ]
        self.assertIn("views/chat.js", names)
        for name in names:
            status, headers, body = self.get(name)
            self.assertEqual(200, status, name)
            self.assertEqual((FOLDER / name).read_bytes(), body)
            expected = CONTENT_TYPES[name.rpartition(".")[2]].decode()
            self.assertEqual([expected], headers.getRawHeaders("Content-Type"))

    def test_nothing_else(self) -> None:
        """Modules of Python, folders and inventions are not found."""
        for name in ("__init__.py", "views", "views/", "nothing.js", "index.html/x"):
            self.assertEqual(404, self.get(name)[0], name)

    def test_policy(self) -> None:
        """The browser is told to run and load only what comes from this node."""
        policy = self.header("", "Content-Security-Policy").split("; ")
        self.assertIn("default-src 'none'", policy)
        self.assertIn("script-src 'self'", policy)
        self.assertIn("style-src 'self'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", "".join(policy))

    def test_other_headers(self) -> None:
        """Types are not guessed, addresses not passed on, copies not used unasked."""
        self.assertEqual("nosniff", self.header("app.js", "X-Content-Type-Options"))
        self.assertEqual("no-referrer", self.header("app.js", "Referrer-Policy"))
        self.assertEqual("no-cache", self.header("app.js", "Cache-Control"))

    def test_unchanged_file(self) -> None:
        """A browser that has the file is told so instead of getting it again."""
        etag = self.header("app.js", "ETag")
        status, headers, body = self.get("app.js", f"If-None-Match: {etag}")
        self.assertEqual((304, b""), (status, body))
        self.assertTrue(headers.hasHeader("Content-Security-Policy"))
        self.assertEqual(200, self.get("app.js", 'If-None-Match: "other"')[0])
        self.assertNotEqual(etag, self.header("wire.js", "ETag"))

    def test_nothing_inline(self) -> None:
        """The page's markup holds no script, no style and no foreign address."""
        markup = (FOLDER / "index.html").read_text("utf-8")
        self.assertNotRegex(markup, r"<style|\sstyle=|\son\w+=|https?:|<script>")

    def test_no_boxes_and_no_markup_from_texts(self) -> None:
        """No module opens a box of the browser or makes markup out of a text."""
        forbidden = re.compile(
            r"\b(alert|confirm|prompt|eval)\(|innerHTML|outerHTML|insertAdjacentHTML"
        )
        for path in FOLDER.rglob("*.js"):
            self.assertIsNone(forbidden.search(path.read_text("utf-8")), path.name)

    def test_languages_are_complete(self) -> None:
        """Every text of the page exists in every language."""
        english, chinese = (
            {
                key
                for path in (FOLDER / "texts").glob(f"{language}*.js")
                for key in re.findall(
                    r'^  "?([\w.-]+)"?:', path.read_text("utf-8"), re.MULTILINE
                )
            }
            for language in ("en", "zh")
        )
        self.assertIn("list.title", english)
        self.assertEqual(english ^ chinese, set())
