"""The Python client: an account's device in a program of yours.

``connect`` logs in and gives a ``Client``; ``register`` makes an account. How to use
them, with examples, is in docs/how-to/write-a-client.md.
"""

from timtw.client.client import Client, connect
from timtw.client.registering import register
from timtw.client.values import (
    Busy,
    ClientError,
    Closed,
    Delivered,
    Displaced,
    Expired,
    Group,
    Login,
    Message,
    Offline,
    Online,
    Presence,
    Profile,
    Read,
    Refused,
    Stored,
    Unreachable,
    Unsure,
)
from timtw.client.ways import Ways

__all__ = [
    "Busy",
    "Client",
    "ClientError",
    "Closed",
    "Delivered",
    "Displaced",
    "Expired",
    "Group",
    "Login",
    "Message",
    "Offline",
    "Online",
    "Presence",
    "Profile",
    "Read",
    "Refused",
    "Stored",
    "Unreachable",
    "Unsure",
    "Ways",
    "connect",
    "register",
]
