"""What an account tells about itself."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from timtw.model import limits
from timtw.model.errors import BadParameter, TimError
from timtw.model.value import value
from timtw.model.values import Account


@value
class About:
    """What an account has set of its profile; ``None`` is what it never has.

    Nothing of it means anything to the server. Texts may hold surrogate escapes where
    a client sent bytes that are not UTF-8.

    Args:
        name: The display name.
        cover: The picture, as a text of the application.
        album: Further pictures.
    """

    name: str | None = None
    nickname: str | None = None
    birthday: str | None = None
    gender: int | None = None
    cover: str | None = None
    area: str | None = None
    album: tuple[str, ...] | None = None
    extend: Mapping[str, str] | None = None
    extra: Mapping[str, bytes] | None = None

    def merged(self, changes: About) -> About:
        """With what ``changes`` sets; empty texts, lists and maps are values."""
        new = attrs.asdict(changes, recurse=False)
        given = {name: what for name, what in new.items() if what is not None}
        return attrs.evolve(self, **given)

    @property
    def weight(self) -> int:
        """Its size in bytes, about."""
        return sum(size for _field, size, _most in self._sizes())

    def fault(self) -> TimError | None:
        """Which part is larger than it may be."""
        for field, size, most in self._sizes():
            if size > most:
                return BadParameter(f"{field} has at most {most} bytes")
        return None

    def _sizes(self) -> list[tuple[str, int, int]]:
        """Each field, how large it is, and how large it may be."""
        short, long = limits.DISPLAY_NAME_BYTES, limits.PROFILE_FIELD_BYTES
        extend, extra = self.extend or {}, self.extra or {}
        return [
            ("name", _size(self.name), short),
            ("nickName", _size(self.nickname), short),
            ("brithday", _size(self.birthday), long),
            ("cover", _size(self.cover), long),
            ("area", _size(self.area), long),
            ("photoTidAlbum", sum(_size(one) + 2 for one in self.album or ()), long),
            ("extend", sum(_size(k) + _size(extend[k]) + 4 for k in extend), long),
            ("extra", sum(_size(k) + len(extra[k]) + 4 for k in extra), long),
        ]


def _size(text: str | None) -> int:
    return len((text or "").encode("utf-8", "surrogateescape"))


@value
class Profile:
    """An account, and what it tells about itself."""

    account: Account
    about: About = About()
