"""
The kinds of values a configuration knows: how each is read from text, and how it is
described in the manual.

A parser gets the text of one key, stripped, and the folder that relative paths start
from.  It raises `ValueError` with what is wrong, worded to follow "is".
"""

import enum
import ipaddress
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import NewType

import attrs
from twisted.internet.endpoints import serverFromString

Endpoint = NewType("Endpoint", str)
"""A Twisted server endpoint description, such as ``tcp:5080``."""

Origin = NewType("Origin", str)
"""What a browser sends as ``Origin``: scheme, host and port, no path."""

Network = NewType("Network", str)
"""An address or a network, such as ``10.0.0.0/8``, in its usual spelling."""

FrameName = NewType("FrameName", str)
"""The name of a frame type, such as ``TIMMESSAGE``."""

FRAME_NAMES = (
    "TIMREGISTER",
    "TIMTOKEN",
    "TIMAUTH",
    "TIMOFFLINEMSG",
    "TIMBROADPRESENCE",
    "TIMLOGOUT",
    "TIMPULLMESSAGE",
    "TIMVROOM",
    "TIMBUSINESS",
    "TIMNODES",
    "TIMMESSAGE",
    "TIMPRESENCE",
    "TIMREVOKEMESSAGE",
    "TIMBURNMESSAGE",
    "TIMSTREAM",
    "TIMBIGSTRING",
    "TIMBIGBINARY",
    "TIMBIGBINARYSTREAM",
)
"""What clients may ask for. Acknowledgements and pings ask for nothing."""

Parser = Callable[[str, Path], object]

_ORIGIN = re.compile(r"(https?://[^/?#@\s]+)(/[^?#\s]*)?", re.IGNORECASE)
_URL = re.compile(r"([a-z][a-z0-9+]*):(.*)", re.IGNORECASE | re.DOTALL)
_SERVER = re.compile(r"//[^/?\s]*/[^/?\s]+(\?\S*)?")
_TRUTHS = {"yes": True, "true": True, "on": True, "1": True}
_TRUTHS |= {"no": False, "false": False, "off": False, "0": False}


class Engine(enum.Enum):
    """What keeps the data."""

    MEMORY = "memory"
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


@attrs.frozen
class StorageUrl:
    """
    Where one shard's data lie.

    `path` is absolute, and there for `Engine.SQLITE` alone.  `Engine.MEMORY` forgets
    everything when the node stops.  `server` is the URL of a database on a server,
    password included, which is therefore shown by `str` alone.
    """

    engine: Engine
    path: Path | None = None
    server: str = attrs.field(default="", repr=False)

    def __str__(self) -> str:
        if self.path is not None:
            return f"sqlite:///{self.path}"
        return self.server or "memory:"


@attrs.frozen
class Bounds:
    """The smallest and the largest number that a key takes, both included."""

    lowest: int = 0
    highest: int | None = None

    def check(self, number: int) -> None:
        """Raises: `ValueError` when the number is outside."""
        if number < self.lowest:
            raise ValueError(f"less than {self.lowest}")
        if self.highest is not None and number > self.highest:
            raise ValueError(f"more than {self.highest}")


def parser_of(kind: object, bounds: Bounds) -> Parser:
    """The parser of a field's type; `bounds` matter to numbers and to counts."""
    if kind is int:
        return partial(_number, bounds)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return partial(_choice, kind)
    if kind == tuple[Endpoint, ...]:
        return partial(_endpoints, bounds)
    return _PARSERS[kind]


def kind_in_words(kind: object, bounds: Bounds) -> str:
    """What the manual says a value of this type looks like."""
    if kind is int:
        if bounds.highest is None:
            return f"whole number, {bounds.lowest} or more"
        if bounds.highest == bounds.lowest:
            return f"{bounds.lowest}"
        return f"whole number, {bounds.lowest} to {bounds.highest}"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return " or ".join(f"`{member.value}`" for member in kind)
    return _WORDS[kind]


def _number(bounds: Bounds, text: str, base: Path) -> int:
    """Decimal digits, with a sign at most."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError("not a whole number")
    number = int(text)
    bounds.check(number)
    return number


def _choice(kind: type[enum.Enum], text: str, base: Path) -> enum.Enum:
    """One of the words that the enumeration lists."""
    for member in kind:
        if member.value == text.lower():
            return member
    raise ValueError("not " + " or ".join(str(member.value) for member in kind))


def _truth(text: str, base: Path) -> bool:
    """A yes or no, in the words that INI files use for it."""
    try:
        return _TRUTHS[text.lower()]
    except KeyError:
        raise ValueError("not yes or no") from None


def _path(text: str, base: Path) -> Path:
    """A path, made absolute; a leading ``~`` is somebody's home."""
    if not text:
        raise ValueError("empty, where a path is needed")
    try:
        return base / Path(text).expanduser()
    except RuntimeError:
        raise ValueError("a path in a home that nobody has") from None


def _endpoints(bounds: Bounds, text: str, base: Path) -> tuple[Endpoint, ...]:
    """One endpoint description per line, as many as the bounds demand."""
    endpoints = tuple(Endpoint(line) for line in _lines(text))
    if len(endpoints) < bounds.lowest:
        raise ValueError("empty, where at least one endpoint is needed")
    for endpoint in endpoints:
        if ":sslmethod=" in endpoint:
            raise ValueError("with sslmethod; only TLS 1.2 and 1.3 are ever spoken")
        try:
            # The reactor is only kept by what this makes, and that is dropped.
            serverFromString(None, endpoint)
        except (ValueError, TypeError, LookupError, OSError) as error:
            raise ValueError(
                f"no endpoint description in {endpoint!r} ({error})"
            ) from None
    return endpoints


def _origins(text: str, base: Path) -> tuple[Origin, ...]:
    """One origin per line, or none; some programs send one with a path."""
    origins = []
    for line in _lines(text):
        found = _ORIGIN.fullmatch(line.rstrip("/"))
        if found is None:
            raise ValueError(f"not an origin like https://chat.example.org: {line!r}")
        origins.append(Origin(found[1].lower() + (found[2] or "")))
    return tuple(origins)


def _networks(text: str, base: Path) -> tuple[Network, ...]:
    """One address or network per line, or none."""
    networks = []
    for line in _lines(text):
        try:
            networks.append(Network(str(ipaddress.ip_network(line))))
        except ValueError:
            raise ValueError(
                f"not an address or a network like 10.0.0.0/8: {line!r}"
            ) from None
    return tuple(networks)


def _frames(text: str, base: Path) -> tuple[FrameName, ...]:
    """One name of a frame type per line, or none; any letter case."""
    names = tuple(FrameName(line.upper()) for line in _lines(text))
    for name in names:
        if name not in FRAME_NAMES:
            near = get_close_matches(name, FRAME_NAMES, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"not a type that can be switched off: {name!r}{hint}")
    return names


def _storage(text: str, base: Path) -> StorageUrl:
    """``memory:``, ``sqlite:///path`` (four slashes: absolute), or of a server."""
    if text == "memory:":
        return StorageUrl(Engine.MEMORY)
    if text.startswith("sqlite:///") and text != "sqlite:///":
        return StorageUrl(Engine.SQLITE, _path(text.removeprefix("sqlite:///"), base))
    # The text may hold a password, so no part of it but the scheme is repeated.
    named = _URL.fullmatch(text)
    if named is None:
        raise ValueError(f"not a URL like {_COMPLETE['sqlite']} or memory:")
    scheme = named[1].lower()
    if scheme not in _COMPLETE:
        raise ValueError(f"for {scheme!r}; use {', '.join(sorted(_COMPLETE))}")
    if not _SERVER.fullmatch(named[2]) or scheme in {"memory", "sqlite"}:
        raise ValueError(f"not complete (try {_COMPLETE[scheme]})")
    return StorageUrl(Engine(scheme), server=f"{scheme}:{named[2]}")


def _lines(text: str) -> list[str]:
    """The lines that hold something, stripped."""
    return [line.strip() for line in text.splitlines() if line.strip()]


_COMPLETE = {
    "sqlite": "sqlite:///state/tim.db",
    "memory": "memory:",
    "postgresql": "postgresql://user:password@host/name",
    "mysql": "mysql://user:password@host/name",
}

_PARSERS: dict[object, Parser] = {
    bool: _truth,
    Path: _path,
    tuple[Origin, ...]: _origins,
    tuple[Network, ...]: _networks,
    tuple[FrameName, ...]: _frames,
    StorageUrl: _storage,
}

_WORDS: dict[object, str] = {
    bool: "`yes` or `no`",
    Path: "path",
    tuple[Endpoint, ...]: "Twisted endpoint descriptions, one per line",
    tuple[Origin, ...]: "origins, one per line",
    tuple[Network, ...]: "addresses and networks, one per line",
    tuple[FrameName, ...]: "names of frame types, one per line",
    StorageUrl: "`sqlite:///path`, `postgresql://user:password@host/name`, "
    "`mysql://user:password@host/name` or `memory:`",
}
