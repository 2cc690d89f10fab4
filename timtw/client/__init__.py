"""The Python client: an account's device in a program of yours.

``connect`` logs in and gives a ``Client``; ``register`` makes an account. How to use
them, with examples, is in docs/how-to/write-a-client.md.
"""

from timtw.client.client import Client, connect
from timtw.client.files import File, FileOffer
from timtw.client.filetalk import Cancelled, Damaged
from timtw.client.live import LiveRoom
from timtw.client.registering import register
from timtw.client.values import (
    Big,
    Busy,
    ClientError,
    Closed,
    Delivered,
    Displaced,
    Expired,
    Frame,
    Group,
    Login,
    Message,
    Offline,
    Online,
    Presence,
    Profile,
    Read,
    Refused,
    Signal,
    Stored,
    Unreachable,
    Unsure,
)
from timtw.client.ways import Ways

__all__ = [
    "Big",
    "Busy",
    "Cancelled",
    "Client",
    "ClientError",
    "Closed",
    "Damaged",
    "Delivered",
    "Displaced",
    "Expired",
    "File",
    "FileOffer",
    "Frame",
    "Group",
    "LiveRoom",
    "Login",
    "Message",
    "Offline",
    "Online",
    "Presence",
    "Profile",
    "Read",
    "Refused",
    "Signal",
    "Stored",
    "Unreachable",
    "Unsure",
    "Ways",
    "connect",
    "register",
]
