"""What a client says and hears: TIM frames in JSON and in Thrift, made by hand.

The numbers are those of docs/reference/protocol.md, section 3.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from timtw.loss.compact import I8, I32, I64, MAP, STRUCT, TEXT, Reader, structure

ACK: Final = 12
PING: Final = 13
REGISTER: Final = 14
TOKEN: Final = 15
LOGIN: Final = 16
BACKLOG: Final = 17
END: Final = 18
LOGOUT: Final = 20
BUSINESS: Final = 41
NEW_GROUP: Final = 8
JOIN: Final = 9
OPEN: Final = 2
MESSAGE: Final = 90
ADDITIONS: Final[Mapping[str, str]] = {"timtw": "1"}


@attrs.frozen
class Login:
    """What a login states. A credential takes the place of name and password."""

    name: str
    password: str
    resource: str
    kind: int
    additions: bool
    credential: str = ""


@attrs.frozen
class Answer:
    """A TimAck."""

    ok: bool
    about: int
    code: int = 0
    text: str = ""
    number: int = 0


@attrs.frozen
class Text:
    """A text as it came: a page holds several."""

    body: str
    sender: str
    recipient: str
    mid: int
    ident: int = 0
    seq: int = 0
    in_group: bool = False


@attrs.frozen
class Texts:
    """
    Texts of one frame.

    Args:
        receipt: What is to be sent back, empty if nothing is.
        others: The numbers in the log of entries that are no texts.
    """

    texts: tuple[Text, ...]
    receipt: bytes
    page: bool
    others: tuple[int, ...] = ()


@attrs.frozen
class Signal:
    """A frame without texts: an answer to a ping, an end marker, a mark."""

    about: int


Heard = Answer | Texts | Signal


class Speech:
    """How a client encodes what it says; subclasses know one encoding each."""

    bit = 0
    """What is set in the type byte of every frame this client sends."""

    def login(self, login: Login) -> bytes:
        """A login frame."""
        return self._frame(LOGIN, self._auth(login))

    def register(self, name: str, password: str) -> bytes:
        """What is posted in order to register."""
        return self._frame(REGISTER, self._auth(Login(name, password, "", 0, False)))

    def text(
        self, peer: str, body: str, ident: int = 0, to_group: bool = False
    ) -> bytes:
        """A text for one account or one group; ``ident`` 0 is none."""
        return self._frame(MESSAGE, self._message(peer, body, ident, to_group))

    def business(self, kind: int, node: str, number: int = 0) -> bytes:
        """Found a group, or join one."""
        return self._frame(BUSINESS, self._wish(kind, node, number))

    def backlog(self, resume: int | None = None) -> bytes:
        """Ask for what waits, or resume behind a number of the log."""
        return self._frame(BACKLOG, b"" if resume is None else self._request(resume))

    def ping(self) -> bytes:
        """A sign of life that is answered."""
        return self._frame(PING, b"")

    def acknowledge(self, receipt: bytes) -> bytes:
        """The acknowledgement of one frame."""
        return self._frame(ACK, receipt)

    def hear(self, payload: bytes) -> Heard:
        """What a frame of the server says."""
        kind, start = payload[0], 1
        receipt = b""
        if kind & 0x80:
            kind, start, receipt = kind & 0x7F, 5, payload[1:5]
        if kind == ACK:
            return self._answer(payload[start:])
        if kind == MESSAGE:
            return self._entries([self._one(payload[start:])], receipt, False)
        if kind == BACKLOG:
            return self._entries(self._page(payload[start:]), receipt, True)
        return Signal(kind)

    def _entries(
        self, entries: Sequence[Text | int], receipt: bytes, page: bool
    ) -> Heard:
        """What one frame brings."""
        texts = tuple(one for one in entries if isinstance(one, Text))
        others = tuple(one for one in entries if isinstance(one, int))
        if not (texts or receipt):
            return Signal(MESSAGE)
        return Texts(texts, receipt, page, others)

    def _frame(self, kind: int, payload: bytes) -> bytes:
        """A whole frame."""
        return bytes((kind | self.bit,)) + payload

    def _auth(self, login: Login) -> bytes:
        """A TimAuth."""
        raise NotImplementedError

    def _message(self, peer: str, body: str, ident: int, to_group: bool) -> bytes:
        """A TimMessage with a text."""
        raise NotImplementedError

    def _wish(self, kind: int, node: str, number: int) -> bytes:
        """A TimReq about a group."""
        raise NotImplementedError

    def _request(self, resume: int) -> bytes:
        """A TimReq that resumes behind ``resume``."""
        raise NotImplementedError

    def _answer(self, payload: bytes) -> Answer:
        """A TimAck that came."""
        raise NotImplementedError

    def _one(self, payload: bytes) -> Text | int:
        """A TimMessage that came; of what is no text the number in the log, or 0."""
        raise NotImplementedError

    def _page(self, payload: bytes) -> list[Text | int]:
        """The same of a TimMessageList that came."""
        raise NotImplementedError


class JsonSpeech(Speech):
    """JSON, with the bit set on every frame."""

    bit = 0x80

    def _auth(self, login: Login) -> bytes:
        return _json(
            name=login.name,
            pwd=login.password,
            resource=login.resource,
            termtyp=login.kind,
            token=login.credential or None,
            extend=dict(ADDITIONS) if login.additions else None,
        )

    def _message(self, peer: str, body: str, ident: int, to_group: bool) -> bytes:
        place = "roomTid" if to_group else "toTid"
        return _json(
            msType=3 if to_group else 2,
            odType=1,
            id=ident or None,
            dataString=body,
            **{place: {"node": peer}},
        )

    def _wish(self, kind: int, node: str, number: int) -> bytes:
        return _json(rtype=kind, node=node, reqInt=number, reqStr="")

    def _request(self, resume: int) -> bytes:
        return _json(reqInt=resume)

    def _answer(self, payload: bytes) -> Answer:
        got: dict[str, Any] = json.loads(payload)
        error = got.get("error") or {}
        return Answer(
            got["ok"],
            got["timType"],
            error.get("code", 0),
            got.get("n", ""),
            got.get("t2", 0),
        )

    def _one(self, payload: bytes) -> Text | int:
        return _json_text(json.loads(payload))

    def _page(self, payload: bytes) -> list[Text | int]:
        return [_json_text(entry) for entry in json.loads(payload)["messageList"]]


class ThriftSpeech(Speech):
    """Thrift's compact encoding."""

    def _auth(self, login: Login) -> bytes:
        fields = [(1, TEXT, login.name), (2, TEXT, login.password)]
        fields += [(4, TEXT, login.resource)]
        fields += [(6, TEXT, login.credential)] if login.credential else []
        kind = (5, I8, login.kind)
        extend = [(7, MAP, ADDITIONS)] if login.additions else []
        return structure([*fields[:3], kind, *fields[3:], *extend])

    def _message(self, peer: str, body: str, ident: int, to_group: bool) -> bytes:
        return structure(
            [
                (1, I8, 3 if to_group else 2),
                (2, I8, 1),
                *([(3, I64, ident)] if ident else []),
                (8 if to_group else 7, STRUCT, structure([(1, TEXT, peer)])),
                (10, TEXT, body),
            ]
        )

    def _request(self, resume: int) -> bytes:
        return structure([(1, I32, 1), (4, I64, resume)])

    def _answer(self, payload: bytes) -> Answer:
        got = Reader(payload).structure()
        code = got.get(3, {}).get(1, 0)
        return Answer(got[1], got[2], code, got.get(5, b"").decode(), got.get(6, 0))

    def _one(self, payload: bytes) -> Text | int:
        return _thrift_text(Reader(payload).structure())

    def _page(self, payload: bytes) -> list[Text | int]:
        return [_thrift_text(entry) for entry in Reader(payload).structure()[2]]


def _json(**fields: object) -> bytes:
    """An object as timjs would write it."""
    return json.dumps(fields, separators=(",", ":")).encode()


def _json_text(got: dict[str, Any]) -> Text | int:
    """The text in a JSON TimMessage, or the number of what is none."""
    if got["odType"] != 1:
        return int(got.get("seq", 0))
    in_group = got["msType"] == 3
    return Text(
        got["dataString"],
        got["fromTid"]["node"],
        got["roomTid" if in_group else "toTid"]["node"],
        got["mid"],
        got.get("id", 0),
        got.get("seq", 0),
        in_group,
    )


def _thrift_text(got: dict[int, Any]) -> Text | int:
    """The same of a Thrift TimMessage; ``seq`` is field 64."""
    if got[2] != 1:
        return int(got.get(64, 0))
    in_group = got[1] == 3
    return Text(
        got[10].decode(),
        got[6][1].decode(),
        got[8 if in_group else 7][1].decode(),
        got[4],
        got.get(3, 0),
        got.get(64, 0),
        in_group,
    )
