"""What lies inside the sealed fields, with a version of its own.

Each record is a MessagePack array that begins with its version. The stored form is
nobody else's: neither clients nor other nodes ever see it, so both can change without
the other. The newest version is written; every version that was ever released can be
read.

Texts are stored as bytes: a text may hold surrogate escapes, which stand for bytes that
are no UTF-8, and comes back as it was. Maps are stored in the order of their keys, so
that equal content is stored as equal bytes, whichever order its client used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from timtw.model.profiles import About
from timtw.model.roominfo import RoomInfo
from timtw.model.values import Account, Content, TokenGrant
from timtw.shards.digests import octets

VERSION: Final = 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class UnknownRecord(ValueError):
    """A record of a version that this program does not know."""


def text_of(data: bytes) -> str:
    """The text that ``octets`` made these bytes of."""
    return data.decode("utf-8", "surrogateescape")


def pack_content(content: Content) -> bytes:
    """The stored form of what an author wrote."""
    text = content.text
    fields = (
        VERSION,
        None if text is None else octets(text),
        content.binary,
        content.udtype,
        content.udshow,
        _pack_texts(content.extend) if content.extend is not None else None,
        _pack_extra(content.extra) if content.extra is not None else None,
    )
    return _encode((*fields, content.room) if content.room else fields)


def unpack_content(data: bytes) -> Content:
    """What an author wrote, from its stored form."""
    _version, text, binary, udtype, udshow, extend, extra, *room = _opened(data)
    return Content(
        None if text is None else text_of(text),
        binary,
        udtype,
        udshow,
        None if extend is None else _unpack_texts(extend),
        None if extra is None else _unpack_extra(extra),
        *room,
    )


def pack_identity(name: str, domain: str) -> bytes:
    """The stored form of a login name and its domain."""
    return _encode((VERSION, octets(name), octets(domain)))


def unpack_domain(data: bytes) -> str:
    """The domain of a stored identity."""
    _version, _name, domain = _opened(data)
    return text_of(domain)


def unpack_name(data: bytes) -> str:
    """The login name of a stored identity."""
    _version, name, _domain = _opened(data)
    return text_of(name)


def pack_profile(about: About) -> bytes:
    """The stored form of a profile."""
    texts = (about.name, about.nickname, about.birthday, about.cover, about.area)
    album = about.album
    return _encode(
        (
            VERSION,
            *(None if text is None else octets(text) for text in texts),
            about.gender,
            None if album is None else [octets(one) for one in album],
            None if about.extend is None else _pack_texts(about.extend),
            None if about.extra is None else _pack_extra(about.extra),
        )
    )


def unpack_profile(data: bytes) -> About:
    """A stored profile; older ones have a name alone."""
    _version, *fields = _opened(data)
    fields += [None] * (9 - len(fields))
    *texts, gender, album, extend, extra = fields
    name, nickname, birthday, cover, area = (
        None if text is None else text_of(text) for text in texts
    )
    return About(
        name,
        nickname,
        birthday,
        gender,
        cover,
        area,
        None if album is None else tuple(text_of(one) for one in album),
        None if extend is None else _unpack_texts(extend),
        None if extra is None else {text_of(key): value for key, value in extra},
    )


def pack_room(domain: str) -> bytes:
    """The stored form of whose room a room is."""
    return _encode((VERSION, octets(domain)))


def unpack_room(data: bytes) -> str:
    """The domain of a stored room."""
    _version, domain = _opened(data)
    return text_of(domain)


def pack_info(info: RoomInfo) -> bytes:
    """The stored form of what a room tells about itself."""
    texts = [
        None if one is None else octets(one)
        for one in (info.topic, info.cover, info.label)
    ]
    extend = None if info.extend is None else _pack_texts(info.extend)
    extra = None if info.extra is None else _pack_extra(info.extra)
    return _encode((VERSION, *texts, info.kind, extend, extra))


def unpack_info(data: bytes) -> RoomInfo:
    """What a room tells about itself, from its stored form."""
    _version, *texts, kind, extend, extra = _opened(data)
    topic, cover, label = [None if one is None else text_of(one) for one in texts]
    return RoomInfo(
        topic,
        cover,
        label,
        kind,
        None if extend is None else _unpack_texts(extend),
        None if extra is None else _unpack_extra(extra),
    )


def pack_grant(grant: TokenGrant) -> bytes:
    """The stored form of what a token was asked for with, without its account."""
    extend = None if grant.extend is None else _pack_texts(grant.extend)
    return _encode((VERSION, octets(grant.name), extend, grant.version))


def unpack_grant(data: bytes, account: Account) -> TokenGrant:
    """What a token of ``account`` was asked for with; older ones have no version."""
    _version, name, extend, *later = _opened(data)
    texts = None if extend is None else _unpack_texts(extend)
    return TokenGrant(account, text_of(name), texts, *later)


def _opened(data: bytes) -> Any:
    """The fields of a record, whose version is checked."""
    fields = _decode(data)
    if fields[0] != VERSION:
        raise UnknownRecord(f"a record has version {fields[0]}, known is {VERSION}")
    return fields


def _pack_texts(texts: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return sorted([(octets(key), octets(value)) for key, value in texts.items()])


def _unpack_texts(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {text_of(key): text_of(value) for key, value in pairs}


def _pack_extra(extra: Mapping[str, bytes]) -> list[tuple[bytes, bytes]]:
    return sorted([(octets(key), value) for key, value in extra.items()])


def _unpack_extra(pairs: list[tuple[bytes, bytes]]) -> dict[str, bytes]:
    return {text_of(key): value for key, value in pairs}
