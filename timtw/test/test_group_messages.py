"""What members of a group see of what is written to it."""

from __future__ import annotations

import attrs

from timtw.model.commands import Acknowledge, FetchBacklog, PullHistory, SendMessage
from timtw.model.errors import PermissionDenied, UnknownAccount
from timtw.model.events import (
    Accepted,
    EndOfBacklog,
    History,
    Page,
    Repeated,
    Revoked,
    Streamed,
)
from timtw.model.values import (
    REVOCATION,
    STREAM,
    TEXT,
    Address,
    Content,
)
from timtw.test.roomkit import (
    Case,
    deliveries,
    entries,
    heard,
    make_room,
    pull_in,
    refusals,
    revokes,
    says,
)
from timtw.test.stage import OPEN, Client, Stage


class Speaking(Case):
    """What is written to a group reaches its members, and nobody else."""

    def test_everybody_hears(self) -> None:
        """Every device of every member gets the text, also the author's, once."""
        stage = self.stage
        clients = [
            stage.log_in("ada"),
            stage.log_in("ada", "laptop"),
            stage.log_in("bob"),
            stage.log_in("cyd"),
        ]
        stranger = stage.log_in("dan")
        says(clients[0], self.room, "hello")
        says(clients[2], self.room, "hi")
        stage.settle(60)
        for client in clients:
            self.assertEqual(["hello", "hi"], heard(client))
            receipts = [one.receipt for one in deliveries(client)]
            self.assertEqual(2, len(set(receipts) - {0}), "to be confirmed")
            mids = [one.message.mid for one in entries(client)]
            self.assertEqual([1, 2], mids)
        self.assertEqual([], heard(stranger))

    def test_away(self) -> None:
        """Who was away gets what was written meanwhile, once, with the next login."""
        stage = self.stage
        bob = stage.log_in("bob")
        bob.vanishes()
        ada = stage.log_in("ada")
        for n in range(40):
            says(ada, self.room, f"{n}")
        stage.settle(1)
        bob = stage.log_in("bob")
        stage.settle(5)
        self.assertEqual([f"{n}" for n in range(40)], heard(bob))
        self.assertTrue(all(one.backlog for one in deliveries(bob)))
        bob.vanishes()
        stage.settle(1)
        again = stage.log_in("bob")
        stage.settle(5)
        self.assertEqual([], heard(again))

    def test_every_device_gets_everything(self) -> None:
        """What the phone has confirmed still waits for the laptop."""
        stage = self.stage
        for device in ("phone", "laptop"):
            stage.log_in("bob", device).vanishes()
        ada = stage.log_in("ada")
        says(ada, self.room, "hello")
        stage.settle(1)
        for device in ("phone", "laptop"):
            client = stage.log_in("bob", device)
            stage.settle(5)
            self.assertEqual(["hello"], heard(client), device)

    def test_new_device_begins_where_others_are(self) -> None:
        """A device never seen before gets what no device has confirmed."""
        stage = self.stage
        ada, bob = stage.log_in("ada"), stage.log_in("bob")
        says(ada, self.room, "old")
        stage.settle(1)
        bob.vanishes()
        says(ada, self.room, "new")
        stage.settle(1)
        tablet = stage.log_in("bob", "tablet")
        stage.settle(5)
        self.assertEqual(["new"], heard(tablet))

    def test_pages(self) -> None:
        """What waits comes as pages: the own log, then the groups, and one end."""
        stage = self.stage
        other = make_room(stage, self.ada, self.bob)
        stage.log_in("bob").vanishes()
        ada = stage.log_in("ada")
        for n in range(12):
            says(ada, self.room, f"one {n}")
            says(ada, other, f"two {n}")
        ada.writes(self.bob, "direct")
        stage.settle(1)
        bob = stage.log_in("bob")
        bob.asks(FetchBacklog())
        stage.settle(2)
        pages = [[e.message for e in page.entries] for page in bob.told(Page)]
        places = [{one.conversation for one in page} for page in pages]
        self.assertTrue(all(len(place) == 1 for place in places))
        self.assertEqual("direct", pages[0][-1].content.text)
        self.assertEqual([f"one {n}" for n in range(12)], self.of(bob, self.room))
        self.assertEqual([f"two {n}" for n in range(12)], self.of(bob, other))
        self.assertEqual(1, len(bob.told(EndOfBacklog)))
        self.assertIsInstance(bob.events[-1], EndOfBacklog)
        self.assertEqual([], deliveries(bob))

    def of(self, client: Client, room: Address) -> list[str | None]:
        """What came of one room."""
        return [
            one.message.content.text
            for one in entries(client)
            if one.message.recipient.number == room.number
        ]

    def test_repeated_send(self) -> None:
        """The same id and content again is one text; the author is answered again."""
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        for _ in range(2):
            says(ada, self.room, "once", ident=7)
            self.stage.settle()
        self.assertEqual(["once"], heard(bob))
        self.assertEqual(["once"], heard(ada))
        self.assertEqual([1], [one.message.mid for one in ada.told(Repeated)])

    def test_q7_custom_kinds(self) -> None:
        """A kind of the application reaches everybody and has no place in history."""
        ada, bob = self.stage.log_in("ada", additions=True), self.stage.log_in("bob")
        says(ada, self.room, "ding", kind=40)
        self.stage.settle()
        self.assertEqual(["ding"], heard(bob))
        self.assertEqual(0, entries(bob)[0].message.mid)
        self.assertEqual(["ding"], heard(ada))
        self.assertEqual(1, len(ada.told(Accepted)))
        bob.asks(PullHistory(self.room.node, 0, 10, of_room=True))
        self.stage.settle()
        self.assertEqual([History(())], bob.told(History))

    def test_streams(self) -> None:
        """A stream reaches those who are there, and nobody later."""
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        says(ada, self.room, "now", kind=STREAM)
        self.stage.settle()
        for client in (ada, bob):
            (one,) = client.told(Streamed)
            self.assertEqual("now", one.message.content.text)
            self.assertTrue(one.message.conversation.is_of_room)
        cyd = self.stage.log_in("cyd")
        self.stage.settle(5)
        self.assertEqual([], cyd.told(Streamed))

    def test_unanswered_frames_come_again(self) -> None:
        """A device that does not confirm is sent the text three times, no more."""
        ada = self.stage.log_in("ada")
        bob = self.stage.log_in("bob", acknowledges=False)
        says(ada, self.room, "hello")
        self.stage.settle(60)
        receipts = [one.receipt for one in deliveries(bob)]
        self.assertEqual(3, len(receipts))
        self.assertEqual(1, len(set(receipts)))
        bob.asks(Acknowledge(receipts[0]))
        says(ada, self.room, "again")
        self.stage.settle()
        self.assertEqual(["hello"] * 3 + ["again"], heard(bob))

    def test_receipts_are_unique(self) -> None:
        """No two frames of a connection are confirmed by the same number."""
        stage = self.stage
        other = make_room(stage, self.ada, self.bob)
        ada = stage.log_in("ada")
        bob = stage.log_in("bob", acknowledges=False)
        for n in range(5):
            says(ada, self.room, f"{n}")
            says(ada, other, f"{n}")
            ada.writes(self.bob, f"{n}")
        stage.settle(5)
        receipts = [one.receipt for one in deliveries(bob)]
        self.assertEqual(15, len(set(receipts)))

    def test_who_does_not_read_delays_nobody(self) -> None:
        """A member that takes nothing is served later; the others do not wait."""
        stage = self.stage
        ada, bob = stage.log_in("ada"), stage.log_in("bob")
        cyd = stage.log_in("cyd", acknowledges=False)
        cyd.session.writable(False)
        for n in range(100):
            says(ada, self.room, f"{n}")
            stage.settle(0.02)
        self.assertEqual([f"{n}" for n in range(100)], heard(bob))
        self.assertEqual([], heard(cyd))
        cyd.acknowledges = True
        cyd.session.writable(True)
        stage.settle(2)
        self.assertEqual([f"{n}" for n in range(100)], heard(cyd))

    def test_line_that_breaks(self) -> None:
        """What was on its way when a line broke goes out again at once."""
        stage = self.stage
        ada = stage.log_in("ada")
        bob = stage.log_in("bob", acknowledges=False)
        says(ada, self.room, "hello")
        stage.settle()
        bob.vanishes()
        bob = stage.log_in("bob")
        self.assertEqual(["hello"], heard(bob))

    def test_after_a_restart(self) -> None:
        """A node that was restarted has everything, and goes on with the numbers."""
        stage = self.stage
        ada = stage.log_in("ada")
        stage.log_in("bob").vanishes()
        says(ada, self.room, "before")
        stage.settle(1)
        core = stage.cores["north"]
        _ = stage.ready(core.stop())
        stage.start("north")
        bob = stage.log_in("bob")
        stage.settle(5)
        self.assertEqual(["before"], heard(bob))
        says(bob, self.room, "after")
        stage.settle(1)
        self.assertEqual([1, 2], [one.message.mid for one in entries(bob)])


class Rights(Case):
    """Who may write to a group and read it."""

    def test_strangers(self) -> None:
        """Who is no member may not write; a room that is none is unknown."""
        dan = self.stage.log_in("dan")
        says(dan, self.room, "hello")
        says(dan, attrs.evolve(self.room, node="zzz"), "hello")
        says(dan, self.bob, "hello")
        self.stage.settle()
        self.assertEqual(
            [PermissionDenied, UnknownAccount, UnknownAccount], refusals(dan)
        )

    def test_a7_no_setting_opens_groups(self) -> None:
        """Where anybody may write to anybody, groups stay their members'."""
        self.assertTrue(self.stage.settings.write_to_anyone)
        dan = self.stage.log_in("dan")
        says(dan, self.room, "hello")
        dan.asks(PullHistory(self.room.node, 0, 10, of_room=True))
        self.stage.settle()
        self.assertEqual([PermissionDenied] * 2, refusals(dan))

    def test_a4_history_is_for_members(self) -> None:
        """The history of a group is shown to its members and to nobody else."""
        ada, dan = self.stage.log_in("ada"), self.stage.log_in("dan")
        says(ada, self.room, "hello")
        self.stage.settle()
        for client in (ada, dan):
            client.asks(PullHistory(self.room.node, 0, 10, of_room=True))
        self.stage.settle()
        (history,) = ada.told(History)
        self.assertEqual(["hello"], [m.content.text for m in history.messages])
        self.assertEqual([], dan.told(History))
        self.assertEqual([PermissionDenied], refusals(dan))
        # As the conversation with an account it is nobody's.
        dan.asks(PullHistory(self.room.node, 0, 10))
        self.stage.settle()
        self.assertEqual([History(())], dan.told(History))

    def test_h6_history_from_the_join(self) -> None:
        """A new member reads from its joining on, or all, as the operator wants."""
        for whole, expected in ((False, ["new"]), (True, ["new", "old"])):
            self.play(Stage(settings=attrs.evolve(OPEN, whole_room_history=whole)))
            ada = self.stage.log_in("ada")
            says(ada, self.room, "old")
            self.stage.settle()
            pull_in(self.stage, self.room.number, self.ada, self.dan)
            says(ada, self.room, "new")
            self.stage.settle()
            dan = self.stage.log_in("dan")
            dan.asks(PullHistory(self.room.node, 0, 10, of_room=True))
            self.stage.settle(5)
            (history,) = dan.told(History)
            self.assertEqual(expected, [m.content.text for m in history.messages])
            self.assertEqual(["new"], heard(dan))

    def test_a9_private_messages_in_a_group(self) -> None:
        """Members may write to each other in a group unless one of them blocks."""
        self.play(Stage(settings=attrs.evolve(OPEN, write_to_anyone=False)))
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        cyd = self.stage.log_in("cyd")

        def whispers(peer: Address) -> None:
            ada.asks(SendMessage(peer.node, Content("psst"), room=self.room.node))
            self.stage.settle(5)

        whispers(self.bob)
        (message,) = [one.message for one in entries(bob)]
        self.assertEqual(self.room.number, message.content.room)
        self.assertFalse(message.conversation.is_of_room)
        self.assertEqual([], heard(cyd))
        whispers(self.dan)
        self.assertEqual([PermissionDenied], refusals(ada))


class TakingBack(Case):
    """Revocations in groups."""

    def test_revoked(self) -> None:
        """Everybody hears of it, all devices of the author are told it is done."""
        ada, laptop = self.stage.log_in("ada"), self.stage.log_in("ada", "laptop")
        bob = self.stage.log_in("bob")
        says(ada, self.room, "oops")
        self.stage.settle()
        revokes(ada, self.room, 1)
        self.stage.settle(60)
        for client in (ada, laptop, bob):
            kinds = [one.message.kind for one in entries(client)]
            self.assertEqual([TEXT, REVOCATION], kinds)
        for client in (ada, laptop):
            self.assertEqual([Revoked(self.room.node, 1)], client.told(Revoked))
        self.assertEqual([], bob.told(Revoked))
        cyd = self.stage.log_in("cyd")
        self.stage.settle(5)
        self.assertEqual([REVOCATION], [one.message.kind for one in entries(cyd)])

    def test_only_authors_revoke(self) -> None:
        """Nobody takes back what somebody else wrote, be it in a group."""
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        says(ada, self.room, "mine")
        self.stage.settle()
        revokes(bob, self.room, 1)
        self.stage.settle()
        self.assertEqual([PermissionDenied], refusals(bob))
        self.assertEqual([TEXT], [one.message.kind for one in entries(ada)])

    def test_a10_private_messages_are_revoked(self) -> None:
        """A private message in a group is revoked by its author, friend or not."""
        self.play(Stage(settings=attrs.evolve(OPEN, write_to_anyone=False)))
        ada, bob = self.stage.log_in("ada"), self.stage.log_in("bob")
        whisper = SendMessage(self.bob.node, Content("psst"), room=self.room.node)
        ada.asks(whisper)
        self.stage.settle()
        self.stage.settle(5)
        ada.asks(attrs.evolve(whisper, content=Content(), kind=REVOCATION, mid=1))
        self.stage.settle()
        kinds = [e.message.kind for e in entries(bob)]
        self.assertEqual([TEXT, REVOCATION], kinds[-2:])
