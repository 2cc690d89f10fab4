"""The chat in the browser: static files, and the resource that serves exactly these.

The page itself is plain ES modules and speaks the published client protocol
(docs/reference/protocol.md); nothing in Python knows what it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import attrs
from twisted.web.http import CACHED
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

CONTENT_TYPES: Final = {
    "html": b"text/html; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
}
"""What is served, by the end of the file's name; anything else is not."""

POLICY: Final = b"; ".join(
    [
        b"default-src 'none'",
        b"script-src 'self'",
        b"style-src 'self'",
        b"img-src 'self' data:",
        b"connect-src 'self'",
        b"base-uri 'none'",
        b"form-action 'none'",
        b"frame-ancestors 'none'",
    ]
)
"""Content-Security-Policy of the page: only its own files, only its own node."""

STRANGERS_ASK: Final = b'<meta name="timtw-strangers" content="ask">'
"""What the page is told by its markup where only friends may write to each other."""
STRANGERS_WRITE: Final = b'<meta name="timtw-strangers" content="write">'
"""The same where anybody may write to anybody."""

HEADERS: Final = {
    b"Content-Security-Policy": POLICY,
    b"X-Content-Type-Options": b"nosniff",
    b"Referrer-Policy": b"no-referrer",
    b"Cache-Control": b"no-cache",
}
"""Sent with every file. A browser asks each time and is told when nothing changed."""


@attrs.frozen
class PageFile:
    """One file of the page, read once."""

    content: bytes
    content_type: bytes
    etag: bytes


class FileResource(Resource):
    """Answers GET and HEAD with one file; 304 where the browser has it already."""

    def __init__(self, file: PageFile) -> None:
        """Serve ``file``."""
        super().__init__()
        self._file = file

    def render_GET(self, request: Request) -> bytes:
        """The content, or nothing with 304; HEAD comes here as well."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        request.setHeader(b"Content-Type", self._file.content_type)
        if request.setETag(self._file.etag) is CACHED:
            return b""
        return self._file.content


class Folder(Resource):
    """A folder of the page: its files and folders, no listing of its own."""

    def render(self, request: Request) -> bytes:
        """404: there is nothing to see but the files."""
        answer: bytes = notFound().render(request)
        return answer


def page(write_to_anyone: bool = False) -> IResource:
    """The root resource of the page; the caller may put further children into it.

    Args:
        write_to_anyone: Whether strangers may write to each other on this node, so
            that the page need not offer to ask first.

    Returns:
        A resource that answers ``/`` and each file of the page, and 404 otherwise.
    """
    folder = _folder(files(__name__))
    index = files(__name__).joinpath("index.html").read_bytes()
    if write_to_anyone:
        index = index.replace(STRANGERS_ASK, STRANGERS_WRITE)
    child = FileResource(_file(index, CONTENT_TYPES["html"]))
    for name in (b"", b"index.html"):
        folder.putChild(name, child)
    return folder


def _folder(source: Traversable) -> Resource:
    """The resource of a folder."""
    folder = Folder()
    for name, child in _children(source):
        folder.putChild(name.encode("ascii"), child)
    return folder


def _children(source: Traversable) -> Iterator[tuple[str, Resource]]:
    """The files of a folder that are part of the page, and folders that hold such."""
    for entry in source.iterdir():
        content_type = CONTENT_TYPES.get(entry.name.rpartition(".")[2])
        if entry.is_dir():
            folder = _folder(entry)
            if folder.children:
                yield entry.name, folder
        elif content_type is not None:
            yield entry.name, FileResource(_file(entry.read_bytes(), content_type))


def _file(content: bytes, content_type: bytes) -> PageFile:
    """A file with its entity tag, which follows from the content alone."""
    etag = b'"' + sha256(content).hexdigest()[:32].encode("ascii") + b'"'
    return PageFile(content, content_type, etag)
