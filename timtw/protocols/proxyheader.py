"""The header in front of a connection by which a proxy names its client. Pure bytes.

The PROXY protocol, versions 1 and 2, as HAProxy defines it; see
docs/reference/protocol.md, section 1.8. Only stream connections over IP carry an
address; of anything else that is allowed, the connection's own address counts.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple

from timtw.model.limits import PROXY_HEADER

_TEXT: Final = b"PROXY "
_TEXT_BYTES: Final = 107
"""The longest header of version 1, its line end included."""
_TEXT_FORM: Final = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+)"
    rb" ([0-9]{1,5}) ([0-9]{1,5}))"
)
_BINARY: Final = b"\r\n\r\n\0\r\nQUIT\n"
_BINARY_HEAD: Final = 16
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_UNNAMED: Final = frozenset({0x00, 0x31})
"""Unspecified, and local sockets: there is no address to count for."""
_ADDRESSES: Final = {_TCP4: 4, _TCP6: 16}


class BadHeader(Exception):
    """What looks like a header is none."""


class Header(NamedTuple):
    """A header that was read.

    ``host`` and ``port`` name the client; no host: whoever made the connection.
    ``size`` is how many bytes the header takes, 0 where there is none.
    """

    host: str | None
    port: int
    size: int


NONE: Final = Header(None, 0, 0)


def read_header(data: bytes) -> Header | None:
    """The header at the beginning of ``data``; None: not all of it has come.

    Raises BadHeader.
    """
    for start, read in ((_TEXT, _read_text), (_BINARY, _read_binary)):
        if data.startswith(start):
            return read(data)
        if start.startswith(data):
            return None
    return NONE


def _read_text(data: bytes) -> Header | None:
    """Version 1: one line."""
    end = data.find(b"\r\n", 0, _TEXT_BYTES)
    if end < 0:
        if len(data) >= _TEXT_BYTES:
            raise BadHeader
        return None
    form = _TEXT_FORM.fullmatch(data, 0, end)
    if form is None:
        raise BadHeader
    version, *told = form.groups()
    if version is None:
        return Header(None, 0, end + 2)
    kind = ipaddress.IPv4Address if version == b"4" else ipaddress.IPv6Address
    try:
        host, _ = (kind(address.decode("ascii")) for address in told[:2])
    except ValueError as error:
        raise BadHeader from error
    ports = [int(port) for port in told[2:]]
    if max(ports) > 0xFFFF:
        raise BadHeader
    return Header(str(host), ports[0], end + 2)


def _read_binary(data: bytes) -> Header | None:
    """Version 2: sixteen bytes, and as many as they tell."""
    if len(data) < _BINARY_HEAD:
        return None
    command, family = data[12], data[13]
    length = int.from_bytes(data[14:16], "big")
    size = _BINARY_HEAD + length
    if command not in (_LOCAL, _PROXY) or size > PROXY_HEADER:
        raise BadHeader
    unnamed = command == _LOCAL or family in _UNNAMED
    octets = 0 if unnamed else _ADDRESSES.get(family, length)
    if not unnamed and length < 2 * octets + 4:  # Two addresses and two ports.
        raise BadHeader
    if len(data) < size:
        return None
    if unnamed:
        return Header(None, 0, size)
    host = ipaddress.ip_address(data[_BINARY_HEAD : _BINARY_HEAD + octets])
    ports = _BINARY_HEAD + 2 * octets
    port = int.from_bytes(data[ports : ports + 2], "big")
    return Header(str(host), port, size)
