"""Requests about accounts as JSON values, and their answers.

A request is an object whose ``do`` says what is wanted; the other keys are texts and
numbers. An answer is an object with ``ok``, and with ``error``, one sentence, where
that is false.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

from timtw.model.errors import BadParameter, TimError
from timtw.model.idents import node_of
from timtw.model.interfaces import IOffice
from timtw.model.limits import CONTROL_ACCOUNTS
from timtw.model.values import FIRST_ACCOUNT

Fields: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]


def read(line: bytes) -> Fields:
    """
    The request of a line.

    Raises BadParameter: it is none.
    """
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadParameter("a request is one line of JSON") from error
    if not isinstance(request, dict):
        raise BadParameter("a request is a JSON object")
    return request


def write(value: Fields) -> bytes:
    """A request or an answer as a line without its end."""
    return json.dumps(value).encode()


def refusal(error: TimError) -> Answer:
    """The answer to a request that was not carried out."""
    return {"ok": False, "error": str(error)}


def _text(request: Fields, key: str) -> str:
    """A text of a request; absent is empty."""
    value = request.get(key, "")
    if not isinstance(value, str):
        raise BadParameter(f"{key} is not a text")
    return value


def _number(request: Fields, key: str, default: int) -> int:
    """A number of a request."""
    value = request.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadParameter(f"{key} is not a number")
    return value


def _who(request: Fields) -> tuple[str, str]:
    """Name and domain of the account that a request is about."""
    return _text(request, "name"), _text(request, "domain")


async def _add(office: IOffice, request: Fields) -> Answer:
    name, domain = _who(request)
    address = await office.add(name, _text(request, "password"), domain)
    return {"node": address.node}


async def _set_password(office: IOffice, request: Fields) -> Answer:
    name, domain = _who(request)
    await office.set_password(name, domain, _text(request, "password"))
    return {}


async def _block(office: IOffice, request: Fields) -> Answer:
    name, domain = _who(request)
    await office.block(name, domain, _number(request, "seconds", 0))
    return {}


async def _unblock(office: IOffice, request: Fields) -> Answer:
    await office.unblock(*_who(request))
    return {}


async def _kick(office: IOffice, request: Fields) -> Answer:
    await office.kick(*_who(request))
    return {}


async def _list(office: IOffice, request: Fields) -> Answer:
    """A page of accounts; ``after`` is the ``next`` of the page before."""
    after = _number(request, "after", FIRST_ACCOUNT)
    lines = await office.accounts(after, CONTROL_ACCOUNTS)
    accounts = [
        {
            "name": line.name,
            "domain": line.account.address.domain,
            "node": line.account.address.node,
            "created": line.account.created,
            "blocked_until": line.blocked_until,
        }
        for line in lines
    ]
    full = len(lines) == CONTROL_ACCOUNTS
    return {"accounts": accounts} | ({"next": lines[-1].account.number} if full else {})


async def _live(office: IOffice, request: Fields) -> Answer:
    """What passes through virtual rooms; those with most subscribers come first."""
    report = office.live()
    rooms = [
        {
            "node": node_of(line.room.room),
            "founder": node_of(line.room.founder),
            "flow": line.room.flow.name.lower(),
            "home": line.room.home,
            "pushers": len(line.room.pushers),
            "subscribers": line.subscribers,
            "sent": line.sent,
            "dropped": line.dropped,
        }
        for line in report.rooms
    ]
    return {
        "pushed": report.pushed,
        "sent": report.sent,
        "dropped": report.dropped,
        "parcels": report.parcels,
        "queued_bytes": report.queued,
        "rooms": rooms,
    }


_OPERATIONS: Final[
    Mapping[str, Callable[[IOffice, Fields], Coroutine[Any, Any, Answer]]]
] = {
    "add": _add,
    "passwd": _set_password,
    "block": _block,
    "unblock": _unblock,
    "kick": _kick,
    "list": _list,
    "live": _live,
}


async def answer(office: IOffice, request: Fields) -> Answer:
    """Carry out a request; its answer, refusals included."""
    try:
        operation = _OPERATIONS.get(_text(request, "do"))
        if operation is None:
            raise BadParameter("there is no such request")
        return {"ok": True} | await operation(office, request)
    except TimError as error:
        return refusal(error)
