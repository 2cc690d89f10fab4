"""What a client may be told when something is refused.

Each class is one code of docs/reference/protocol.md, section Error codes, and exists
once. Its docstring is a sentence that a client developer can act on; ``info`` is the
text that travels with the code. Anything that is not a ``TimError`` is a bug of ours
and is answered with ``Undefined`` and a reference.
"""

from __future__ import annotations

import enum
from typing import ClassVar


class Remedy(enum.Enum):
    """What the receiver of an error can do about it."""

    CORRECT = "correct the request"
    RETRY = "wait and repeat"
    LOG_IN = "log in again"
    NONE = "give up"


class TimError(Exception):
    """The base of everything a client may be told."""

    code: ClassVar[int]
    info: ClassVar[str]
    remedy: ClassVar[Remedy] = Remedy.CORRECT

    def __init__(self, detail: str = "") -> None:
        """``detail`` takes the place of the class's own text."""
        super().__init__(detail or self.info)


class NameTaken(TimError):
    """This name is registered in this domain already. Choose another."""

    code = 4101
    info = "this name is taken"


class AlreadyMember(NameTaken):
    """The account is in this room already. There is nothing to do."""

    info = "is a member already"
    remedy = Remedy.NONE


class WrongPassword(TimError):
    """A token was asked for with an unknown name or a wrong password."""

    code = 4102
    info = "unknown name or wrong password"


class NotPending(TimError):
    """There is no open request of this account; somebody else may have answered it."""

    code = 4103
    info = "no open request"
    remedy = Remedy.NONE


class BadParameter(TimError):
    """A part of the request is missing or not what it has to be."""

    code = 4104
    info = "a parameter is missing or wrong"


class PermissionDenied(TimError):
    """The login is wrong, or the account may not do this."""

    code = 4105
    info = "not allowed"


class UnknownAccount(TimError):
    """The node is malformed, unknown, or belongs to another domain."""

    code = 4106
    info = "no such account"


class NotServed(TimError):
    """This server does not offer the request, or has it switched off."""

    code = 4107
    info = "not offered by this server"
    remedy = Remedy.NONE


class RoomDissolved(TimError):
    """The room was dissolved and does not come back."""

    code = 4108
    info = "this room is dissolved"
    remedy = Remedy.NONE


class NotThere(TimError):
    """There is no such room, or the account has nothing to do with it."""

    code = 4109
    info = "no such thing"


class BlockedByOther(TimError):
    """The other account has blocked this one, which can ask it for nothing."""

    code = 4110
    info = "blocked by the other account"
    remedy = Remedy.NONE


class TooManyDevices(TimError):
    """The account has as many devices as it may have. Log out on one of them."""

    code = 4111
    info = "too many devices are logged in"
    remedy = Remedy.LOG_IN


class WrongOldPassword(TimError):
    """The old password is wrong, or the new one is missing, empty or too long."""

    code = 4112
    info = "the old password is wrong, or the new one cannot be used"


class Undecodable(TimError):
    """The payload of a message or presence frame is damaged or incomplete."""

    code = 4113
    info = "the payload cannot be decoded"


class BadBigData(TimError):
    """The length or the separator of a big-data frame is wrong."""

    code = 4114
    info = "a big-data frame is damaged"


class BadToken(TimError):
    """The token or credential is unknown, used, expired or made for somebody else."""

    code = 4115
    info = "unknown, used or expired token"
    remedy = Remedy.LOG_IN


class AlreadyFriends(TimError):
    """Both accounts are friends already. There is nothing to do."""

    code = 4117
    info = "already friends"
    remedy = Remedy.NONE


class Undefined(TimError):
    """A fault of the server, told with a reference that its log repeats."""

    code = 5101
    info = "internal error"
    remedy = Remedy.RETRY


class StorageUnavailable(TimError):
    """The database did not take or give it; nothing was done. Repeat later."""

    code = 5103
    info = "the database is not available"
    remedy = Remedy.RETRY


class Overloaded(TimError):
    """The node has more to do than it can, and this can wait. Repeat later."""

    code = 5104
    info = "the server is busy, wait a little"
    remedy = Remedy.RETRY


class TooFrequent(TimError):
    """One client or address asks too often. Wait and repeat."""

    code = 5105
    info = "too many requests, wait a little"
    remedy = Remedy.RETRY
