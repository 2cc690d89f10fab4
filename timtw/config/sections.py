"""
The sections of a node's configuration, one class each.

The type, the default and the help of a field are the parser, the default and the
manual (docs/reference/configuration.md) of one key.  Keys and sections whose feature
is designed and not built are listed in `NOT_BUILT`; whoever builds one moves it.
"""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from timtw.config.values import (
    FRAME_NAMES,
    Bounds,
    Endpoint,
    FrameName,
    Network,
    Origin,
    StorageUrl,
)
from timtw.model.limits import FRAME_BEFORE_LOGIN, OUTBOX_BYTES, READERS

SOME = Bounds(1)
"""The bounds of a number that must not be zero."""

DEVICES = Bounds(1, READERS)
"""No more devices than positions in its messages are kept for one account."""

FRAME = Bounds(FRAME_BEFORE_LOGIN, OUTBOX_BYTES)
"""Bytes.  Less after login than before makes no sense; what is more than may wait for
one client could never be handed on."""

DAYS = Bounds(0, 36_500)
"""A hundred years: before that, times are no more what the machine can count."""

DAY = 86_400
"""Seconds: no time-out of a connection is sensibly longer."""


class Registration(enum.Enum):
    """Who may make an account."""

    OPEN = "open"
    CLOSED = "closed"


class Sender(enum.Enum):
    """Whom people get messages from.  A block holds whatever this says."""

    FRIENDS = "friends"
    ANYONE = "anyone"


class RoomHistory(enum.Enum):
    """From where on members read what was written to a room."""

    JOIN = "join"
    ALL = "all"


def option(
    default: object,
    help: str,
    *,
    key: str | None = None,
    bounds: Bounds | None = None,
    shown: str | None = None,
) -> Any:
    """
    One key of a section.

    Args:
        default: the text that stands for a missing key, read like any other; or None,
            where `settle` of the reading knows better.
        help: what the manual says about it.
        key: its spelling in the file, where Python reserves the word.
        bounds: what a number must lie between.
        shown: the manual's words for the default, where the text would not do.
    """
    metadata = {
        "default": default,
        "help": help,
        "key": key,
        "bounds": bounds or Bounds(),
        "shown": shown,
    }
    return attrs.field(metadata=metadata)


@attrs.frozen
class StateConfig:
    """What belongs to this node alone: its files and its processes."""

    state_dir: Path = option(
        "state", "Folder of secrets and of the embedded database; made when missing."
    )
    keys: Path = option(
        None,
        "Folder of the key ring; may lie elsewhere than the data it opens.",
        shown="`keys` in `state_dir`",
    )
    workers: int = option(
        "1",
        "Processes that share the listening sockets; more than one is not built yet.",
        bounds=Bounds(1, 1),
    )


@attrs.frozen
class ClientsConfig:
    """Where clients come in."""

    websocket: tuple[Endpoint, ...] = option(
        "tcp:5080",
        "Where WebSocket `/tim`, HTTP `/tim2` and the chat page at `/` are served.",
        bounds=SOME,
    )
    tcp: tuple[Endpoint, ...] = option(
        "tcp:5090", "Where clients without WebSocket are served. None: nowhere."
    )
    ping_timeout: int = option(
        "600",
        "Seconds after which a connection that says nothing is closed.",
        bounds=Bounds(1, DAY),
    )
    origins: tuple[Origin, ...] = option(
        "",
        "Web origins whose pages may connect. None: any, and programs that send no "
        "origin. Some: exactly these, as text, and nobody without one. Pages have one "
        "without a path; the Go and Java clients send `https://github.com/donnie4w/tim`.",
    )
    trusted_proxies: tuple[Network, ...] = option(
        "",
        "Proxies that may tell where a client comes from, by the PROXY protocol or by "
        "`X-Forwarded-For`. Nobody else is believed.",
    )
    switched_off: tuple[FrameName, ...] = option(
        "",
        f"Types of requests that are refused with 4107: {', '.join(FRAME_NAMES)}.",
    )


@attrs.frozen
class AccountsConfig:
    """Who gets an account, and with how many devices at a time."""

    register: Registration = option("open", "Whether people may make accounts.")
    device_limit: int = option(
        "1", "Devices of one account that are connected at a time.", bounds=DEVICES
    )
    device_type_limit: int = option(
        "1",
        "The same, of devices that state the same terminal type at login.",
        bounds=DEVICES,
    )
    displace_after: int = option(
        "10",
        "Seconds since the account's last login within which a further device is "
        "refused with 4111; later the oldest device makes room.",
    )
    token_seconds: int = option(
        "10", "Seconds in which a login token must be used.", bounds=SOME
    )


@attrs.frozen
class MessagesConfig:
    """Who may write to whom, and what is kept how long."""

    sender: Sender = option(
        "friends",
        "From whom people get messages. `anyone` waives friendship, never a block.",
        key="from",
    )
    find_by_name: bool = option(
        "yes", "Whether an account may be looked up by its exact name."
    )
    presence_offline_block: bool = option(
        "no", "Whether nobody is told that an account's last device has gone."
    )
    keep_days: int = option(
        "0",
        "Days after which texts are deleted from conversations, and whatever waits "
        "from the backlog. 0: never.",
        bounds=DAYS,
    )
    keep_unread_days: int = option(
        "365",
        "Days after which messages wait no more for devices that have not fetched "
        "them; conversations keep them. 0: never.",
        bounds=DAYS,
    )
    forget_devices_days: int = option(
        "90",
        "Days after which a device that was not connected has to log in with the "
        "password again, and is forgotten unless it is the account's last. 0: never.",
        bounds=DAYS,
    )


@attrs.frozen
class RoomsConfig:
    """What members of rooms see."""

    history: RoomHistory = option(
        "join",
        "From where on members read what was written to a room: from when they have "
        "joined, or `all` of it.",
    )


@attrs.frozen
class LiveConfig:
    """Virtual rooms and streams: how many there may be, and when they end."""

    idle: int = option(
        "300",
        "Seconds without a piece after which a virtual room ends, unless its founder "
        "is connected.",
        bounds=Bounds(1, DAY),
    )
    grace: int = option(
        "60",
        "Seconds that the founder of a virtual room may be away before it can end.",
        bounds=Bounds(0, DAY),
    )
    end_with_founder: bool = option(
        "no", "Whether a virtual room ends when its founder has been away for so long."
    )
    rooms: int = option(
        "16", "Virtual rooms of one account at a time. 0: none.", bounds=Bounds(0)
    )
    bytes_per_second: int = option(
        "33554432",
        "Bytes that one account may push into virtual rooms and send as big data, on "
        "one node; above that its connections are paused. 0 is no limit.",
        bounds=Bounds(0),
    )


@attrs.frozen
class LimitsConfig:
    """What one address, name or connection may ask of the node. 0 is no limit
    where the help does not say otherwise."""

    registers_per_minute: int = option("60", "Registrations per source address.")
    logins_per_minute: int = option("600", "Logins per source address.")
    failed_logins_per_minute: int = option(
        "10", "Failed logins per account name and source address."
    )
    commands_per_second: int = option(
        "200", "Commands per connection; above that its socket is paused."
    )
    max_frame: int = option(
        "1048576",
        f"Bytes of the largest frame after login ({FRAME_BEFORE_LOGIN} before it).",
        bounds=FRAME,
    )
    connections: int = option(
        "100000", "Connections at a time; further ones are closed at once.", bounds=SOME
    )


@attrs.frozen
class ShardConfig:
    """One database."""

    url: StorageUrl = option(
        None,
        "`memory:` keeps nothing over a restart. A relative path is written with three "
        "slashes, an absolute one with four. Options of a database on a server follow "
        "a question mark: `host` (a Unix socket), `sslmode`, `sslrootcert`, `sslcert`, "
        "`sslkey`.",
        shown="`tim.db` in `state_dir`",
    )
    wait_for_database: int = option(
        "0",
        "Seconds that the start waits for a database on a server.",
        bounds=Bounds(0, DAY),
    )
    name: str = attrs.field(default="main", kw_only=True)


@attrs.frozen
class NodeConfig:
    """All that an operator decides about a node.  Every path is absolute."""

    node: StateConfig
    clients: ClientsConfig
    accounts: AccountsConfig
    messages: MessagesConfig
    rooms: RoomsConfig
    live: LiveConfig
    limits: LimitsConfig
    shards: tuple[ShardConfig, ...]


SECTIONS: Mapping[str, type] = {
    "node": StateConfig,
    "clients": ClientsConfig,
    "accounts": AccountsConfig,
    "messages": MessagesConfig,
    "rooms": RoomsConfig,
    "live": LiveConfig,
    "limits": LimitsConfig,
    "shard main": ShardConfig,
}
"""Which class a section of the file fills."""

NOT_BUILT: Mapping[str, frozenset[str]] = {
    "mesh": frozenset({"listen", "seeds", "cluster"}),
    "office": frozenset({"http"}),
}
"""Keys, by section, whose feature is designed and not built."""
