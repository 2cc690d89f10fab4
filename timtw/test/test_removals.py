"""Texts that are revoked or burnt, as the people concerned see it."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from timtw.model import limits
from timtw.model.commands import FetchBacklog, PullHistory, SendMessage
from timtw.model.errors import BadParameter, PermissionDenied, TimError, UnknownAccount
from timtw.model.events import Delivery, History, Marked, Page, Refused, Removed
from timtw.model.values import BURN, REVOCATION, TEXT, Address, Content
from timtw.test.stage import OPEN, Client, Stage


def revoke(peer: Address, mid: int, words: str = "sorry") -> SendMessage:
    """The wish to take an own text back."""
    return SendMessage(peer.node, Content(words), kind=REVOCATION, mid=mid)


def burn(peer: Address, mid: int) -> SendMessage:
    """The wish to remove a text that one has read."""
    return SendMessage(peer.node, Content(), kind=BURN, mid=mid)


def seen(client: Client) -> list[tuple[int, int]]:
    """Kind and number of everything that came, in order, repeats included."""
    return [(one.message.kind, one.message.mid) for one in client.entries]


class RemovalCase(SynchronousTestCase):
    """Ada writes to Bob."""

    def setUp(self) -> None:
        """Both have an account, Ada is there."""
        self.stage = Stage()
        self.address = {name: self.stage.register(name) for name in ("ada", "bob")}
        self.bob = self.address["bob"]
        self.ada = self.stage.log_in("ada")

    def write(self, *texts: str) -> None:
        """Ada writes."""
        for text in texts:
            self.ada.writes(self.bob, text)
        self.stage.settle()

    def ask(self, client: Client, command: SendMessage) -> type[TimError] | None:
        """Ask for a removal; why it was refused."""
        before = len(client.told(Refused))
        client.asks(command)
        self.stage.settle()
        refused = client.told(Refused)[before:]
        return type(refused[0].error) if refused else None


class LiveTests(RemovalCase):
    """Everybody is there."""

    def test_revoked(self) -> None:
        """All devices of both sides hear of it, with number, words and receipt."""
        laptop, phone = self.stage.log_in("ada", "laptop"), self.stage.log_in("bob")
        self.write("1", "2")
        command = revoke(self.bob, 1)
        self.assertIsNone(self.ask(self.ada, command))
        for client in (self.ada, laptop, phone):
            self.assertEqual([(TEXT, 1), (TEXT, 2), (REVOCATION, 1)], seen(client))
            told = client.told(Delivery)[-1]
            self.assertGreater(told.receipt, 0)
            self.assertEqual("sorry", told.entry.message.content.text)
            self.assertEqual(self.bob, told.entry.message.recipient)
        self.assertEqual([Removed(command)], self.ada.told(Removed))
        self.assertEqual([], laptop.told(Removed) + phone.told(Removed))

    def test_burnt(self) -> None:
        """Who has read a text can remove it for both sides."""
        phone = self.stage.log_in("bob")
        self.write("1")
        command = burn(self.address["ada"], 1)
        self.assertIsNone(self.ask(phone, command))
        self.assertEqual([(TEXT, 1), (BURN, 1)], seen(self.ada))
        self.assertEqual([(TEXT, 1), (BURN, 1)], seen(phone))
        self.assertEqual([Removed(command)], phone.told(Removed))

    def test_history(self) -> None:
        """A conversation does not tell what was taken back."""
        self.write("1", "2")
        self.ask(self.ada, revoke(self.bob, 2))
        self.ada.asks(PullHistory(self.bob.node, 0, 10))
        self.stage.settle()
        (history,) = self.ada.told(History)
        self.assertEqual([1], [message.mid for message in history.messages])

    def test_delivered_mark(self) -> None:
        """To have heard of a removal does not count as having the text."""
        author = self.stage.log_in("ada", "page", additions=True)
        self.write("1", "2")
        self.ask(self.ada, revoke(self.bob, 2))
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle(1)
        self.assertEqual([(TEXT, 1), (REVOCATION, 2)], seen(phone))
        self.assertEqual([1], [told.mark.mid for told in author.told(Marked)])


class RightsTests(RemovalCase):
    """Who may remove what."""

    def test_refusals(self) -> None:
        """Others' texts, own ones to burn, absent numbers and strangers are refused."""
        phone = self.stage.log_in("bob")
        self.write("1")
        ada = self.address["ada"]
        for client, command, error in (
            (phone, revoke(ada, 1), PermissionDenied),
            (self.ada, burn(self.bob, 1), PermissionDenied),
            (self.ada, revoke(self.bob, 2), BadParameter),
            (self.ada, revoke(ada, 1), PermissionDenied),
            (self.ada, revoke(Address(2, "2"), 1), UnknownAccount),
        ):
            self.assertIs(error, self.ask(client, command))
        self.assertEqual([(TEXT, 1)], seen(phone))

    def test_once(self) -> None:
        """A second removal of one text is refused."""
        self.write("1")
        self.assertIsNone(self.ask(self.ada, revoke(self.bob, 1)))
        self.assertIs(BadParameter, self.ask(self.ada, revoke(self.bob, 1)))

    def test_friendship_does_not_matter(self) -> None:
        """Where one may not write any more one may still take back."""
        self.write("1")
        self.stage.settings = attrs.evolve(OPEN, write_to_anyone=False)
        self.stage.start("north")
        again = self.stage.log_in("ada")
        write = SendMessage(self.bob.node, Content("2"))
        self.assertIs(PermissionDenied, self.ask(again, write))
        self.assertIsNone(self.ask(again, revoke(self.bob, 1)))
        self.assertEqual(1, len(again.told(Removed)))

    def test_repeated_send(self) -> None:
        """A text that is sent again after its removal is answered, and stays gone."""
        phone = self.stage.log_in("bob")
        self.ada.writes(self.bob, "1", ident=5)
        self.stage.settle()
        self.ask(self.ada, revoke(self.bob, 1))
        self.ada.writes(self.bob, "1", ident=5)
        self.stage.settle(15)
        self.assertEqual([(TEXT, 1), (REVOCATION, 1)], seen(phone))


class WaitingTests(RemovalCase):
    """Somebody is away, or slow."""

    def test_d1_d4_away(self) -> None:
        """Who was away gets the removal and not the text, asked for or not."""
        self.write("1", "2")
        self.ask(self.ada, revoke(self.bob, 1))
        phone, laptop = self.stage.log_in("bob"), self.stage.log_in("bob", "laptop")
        phone.asks(FetchBacklog())
        self.stage.settle(5)
        for client in (phone, laptop):
            self.assertEqual([(TEXT, 2), (REVOCATION, 1)], seen(client))
        self.assertEqual(2, len(phone.told(Page)[0].entries))
        self.assertTrue(all(told.backlog for told in laptop.told(Delivery)))

    def test_own_device_away(self) -> None:
        """The remover's own other devices hear of it when they come back."""
        self.stage.log_in("ada", "laptop").vanishes()
        self.write("1", "2")
        self.ask(self.ada, revoke(self.bob, 1))
        laptop = self.stage.log_in("ada", "laptop")
        laptop.asks(FetchBacklog())
        self.stage.settle()
        self.assertEqual([(REVOCATION, 1)], seen(laptop))

    def test_not_transmitted_again(self) -> None:
        """A text that was not confirmed is not sent again after its removal."""
        phone = self.stage.log_in("bob", acknowledges=False)
        self.write("1", "2")
        self.ask(self.ada, revoke(self.bob, 1))
        phone.events.clear()
        self.stage.settle(limits.ACK_SECONDS)
        self.assertEqual([(TEXT, 2), (REVOCATION, 1)], seen(phone))

    def test_behind_a_full_window(self) -> None:
        """What waits for room is not sent after its removal."""
        phone = self.stage.log_in("bob", acknowledges=False)
        full = limits.WINDOW_FRAMES
        self.write(*[str(number) for number in range(full + 2)])
        self.assertEqual(full, len(seen(phone)))
        self.ask(self.ada, revoke(self.bob, full + 1))
        phone.acknowledges = True
        self.stage.settle(limits.ACK_SECONDS)
        fresh = [one for one in seen(phone) if one[1] > full]
        self.assertEqual([(TEXT, full + 2), (REVOCATION, full + 1)], fresh)

    def test_after_a_restart(self) -> None:
        """A removal survives the node that took it."""
        self.write("1")
        self.ask(self.ada, revoke(self.bob, 1))
        self.stage.start("north")
        phone = self.stage.log_in("bob")
        phone.asks(FetchBacklog())
        self.stage.settle()
        self.assertEqual([(REVOCATION, 1)], seen(phone))


class NodesTests(SynchronousTestCase):
    """Several nodes over one storage."""

    def test_lost_hint(self) -> None:
        """A node that did not hear of a removal sends the text no more either."""
        stage = Stage(("north", "south"))
        bob = stage.register("bob")
        stage.register("ada")
        ada = stage.log_in("ada")
        phone = stage.log_in("bob", node="south", acknowledges=False)
        full = limits.WINDOW_FRAMES
        for number in range(full):
            ada.writes(bob, str(number))
        stage.settle()
        self.assertEqual(full, len(seen(phone)))
        stage.hub.cut("north", "south")
        ada.asks(revoke(bob, 1))
        stage.settle(limits.LOOK_SECONDS + 0.2)
        phone.events.clear()
        stage.settle(limits.ACK_SECONDS)
        self.assertNotIn((TEXT, 1), seen(phone))
        self.assertIn((TEXT, 2), seen(phone))
