"""Profiles become TimUserBeans, and back; docs/reference/protocol.md, section 6.1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from timtw.model.limits import SMALL_FRAME
from timtw.model.profiles import About, Profile
from timtw.protocols import structs
from timtw.protocols.codecs import THRIFT, Codec
from timtw.protocols.messages import plain
from timtw.protocols.refusals import READ_PROFILES

_HEAD = 16
"""More than a frame with profiles takes besides them."""


def about(bean: structs.TimUserBean) -> About:
    """What a client sets; ``createtime`` is the server's."""
    album = bean.photoTidAlbum
    return About(
        name=bean.name,
        nickname=bean.nickName,
        birthday=bean.brithday,
        gender=bean.gender,
        cover=bean.cover,
        area=bean.area,
        album=None if album is None else tuple(album),
        extend=bean.extend,
        extra=bean.extra,
    )


def bean_of(profile: Profile) -> structs.TimUserBean:
    """A profile as a client is told it."""
    told = profile.about
    return structs.TimUserBean(
        name=told.name,
        nickName=told.nickname,
        brithday=told.birthday,
        gender=told.gender,
        cover=told.cover,
        area=told.area,
        createtime=profile.account.created,
        photoTidAlbum=None if told.album is None else list(told.album),
        extend=None if told.extend is None else plain(told.extend),
        extra=None if told.extra is None else plain(told.extra),
    )


def profile_lists(codec: Codec, profiles: Sequence[Profile]) -> Iterator[bytes]:
    """
    TimNodes with all of these; ``usermap`` is there even when it is empty.

    Only in Thrift they may be several, none of them too long: clients that speak JSON
    wait for one.
    """
    usermap: dict[str, structs.TimUserBean] = {}
    used = _HEAD
    for profile in profiles:
        bean = bean_of(profile)
        node = profile.account.address.node
        size = len(codec.encode(bean)) + len(node) + 1 if codec is THRIFT else 0
        if usermap and used + size > SMALL_FRAME:
            yield codec.encode(structs.TimNodes(ntype=READ_PROFILES, usermap=usermap))
            usermap, used = {}, _HEAD
        usermap[node] = bean
        used += size
    yield codec.encode(structs.TimNodes(ntype=READ_PROFILES, usermap=usermap))
