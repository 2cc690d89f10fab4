"""The classes of the wire structures and what type checkers know of them."""

from twisted.trial.unittest import SynchronousTestCase

from timtw.protocols import structstub
from timtw.protocols.structs import Tid, TimAck, TimMessage


class StructTests(SynchronousTestCase):
    """What an engineer relies on when using the structures."""

    def test_stub_is_current(self) -> None:
        """The type checker sees the classes that the IDL makes."""
        self.assertEqual(structstub.STUB_PATH.read_text("utf-8"), structstub.stub())

    def test_values(self) -> None:
        """Structures are equal by value, mutable, and empty where nothing is set."""
        message = TimMessage(msType=2, odType=1, toTid=Tid(node="a"))
        self.assertIsNone(message.dataString)
        self.assertEqual(message, TimMessage(msType=2, odType=1, toTid=Tid(node="a")))
        message.mid = 5
        self.assertNotEqual(
            message, TimMessage(msType=2, odType=1, toTid=Tid(node="a"))
        )
        self.assertIn("mid=5", repr(message))

    def test_misspelt_field(self) -> None:
        """A field that does not exist cannot be set or forgotten."""
        self.assertRaises(AttributeError, setattr, Tid(node="a"), "nodes", "b")
        self.assertRaises(TypeError, lambda: TimAck(ok=True))  # type: ignore[call-arg]
