"""Registration, and the proof of who somebody is."""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from timtw.core.logins import tickets
from timtw.core.settings import Settings
from timtw.model import limits
from timtw.model.commands import IssueToken, LogIn, LogOut, Register
from timtw.model.errors import (
    BadParameter,
    BadToken,
    NameTaken,
    NotServed,
    PermissionDenied,
    TimError,
    TooFrequent,
    WrongPassword,
)
from timtw.model.events import LoggedIn, LoggedOut, Refused
from timtw.model.values import Device
from timtw.test.stage import OPEN, Client, QuickPasswords, SlowPasswords, Stage

PHONE = Device("phone", 1)


def log_in(
    stage: Stage,
    name: str = "",
    password: str = "",
    token: str = "",
    domain: str = "",
    device: Device = PHONE,
    additions: bool = False,
    source: str = "home",
) -> Client:
    """A connection that has tried to log in."""
    client = stage.connect(source=source)
    client.asks(LogIn(name, password, token, domain, device, additions))
    stage.settle()
    return client


def outcome(client: Client) -> type[TimError] | None:
    """Why the last login failed, or ``None`` if it did not."""
    event = client.events[-1]
    if isinstance(event, Refused):
        return type(event.error)
    assert isinstance(event, LoggedIn), event
    return None


class RegisterTests(SynchronousTestCase):
    """Making an account."""

    def setUp(self) -> None:
        """A node without accounts."""
        self.stage = Stage()

    def register(self, name: str = "a", password: str = "b", domain: str = "") -> None:
        """Try it."""
        command = Register(name, password, domain)
        self.stage.ready(self.stage.cores["north"].register(command, "home"))

    def test_l16_names(self) -> None:
        """A name has 1 to 256 bytes of UTF-8, whatever its letters."""
        for name in ("n", "n" * limits.NAME_BYTES, "é" * (limits.NAME_BYTES // 2)):
            self.register(name)
        for name in ("", "n" * (limits.NAME_BYTES + 1), "é" * limits.NAME_BYTES):
            with self.assertRaises(BadParameter):
                self.register(name)

    def test_l16_passwords(self) -> None:
        """A password has 1 to 1,024 bytes."""
        self.register("a", "p")
        self.register("b", "p" * limits.PASSWORD_BYTES)
        for password in ("", "p" * (limits.PASSWORD_BYTES + 1)):
            with self.assertRaises(BadParameter):
                self.register("c", password)

    def test_l16_domains(self) -> None:
        """A domain may be missing and has at most 256 bytes."""
        self.register(domain="")
        self.register(domain="d" * limits.NAME_BYTES)
        with self.assertRaises(BadParameter):
            self.register(domain="d" * (limits.NAME_BYTES + 1))

    def test_taken(self) -> None:
        """A name is taken once per domain, and the first password stays."""
        self.register("ada", "first")
        with self.assertRaises(NameTaken):
            self.register("ada", "second")
        self.register("ada", "second", "elsewhere")
        self.assertIsNone(outcome(log_in(self.stage, "ada", "first")))
        wrong = log_in(self.stage, "ada", "second")
        self.assertIs(PermissionDenied, outcome(wrong))

    def test_i4_domains_apart(self) -> None:
        """Equal names in two domains are two accounts with two passwords."""
        self.register("ada", "one", "north")
        self.register("ada", "two", "south")
        north = log_in(self.stage, "ada", "one", domain="north")
        south = log_in(self.stage, "ada", "two", domain="south")
        self.assertIs(
            PermissionDenied, outcome(log_in(self.stage, "ada", "one", domain="south"))
        )
        nodes = {client.told(LoggedIn)[0].address.node for client in (north, south)}
        self.assertEqual(2, len(nodes))

    def test_x5_closed(self) -> None:
        """Where registration is closed nobody registers."""
        self.stage = Stage(settings=attrs.evolve(OPEN, register_open=False))
        with self.assertRaises(NotServed):
            self.register()

    def test_x2_bucket(self) -> None:
        """So many registrations a minute from one address; others are not touched."""
        self.stage = Stage(settings=attrs.evolve(OPEN, registers_per_minute=2.0))
        self.register("a")
        self.register("b")
        with self.assertRaises(TooFrequent):
            self.register("c")
        core = self.stage.cores["north"]
        self.stage.ready(core.register(Register("d", "d"), "elsewhere"))
        self.stage.clock.advance(30)
        self.register("e")


class TokenTests(SynchronousTestCase):
    """Tokens for one login."""

    def setUp(self) -> None:
        """Ada has an account in a domain."""
        self.stage = Stage()
        self.ada = self.stage.register("ada", "home")

    def token(self, name: str = "ada", domain: str = "home") -> str:
        """Ask for a token."""
        command = IssueToken(name, name, domain)
        return self.stage.ready(
            self.stage.cores["north"].issue_token(command, "somewhere")
        )

    def test_once(self) -> None:
        """A token is good for one login and no more."""
        token = self.token()
        client = log_in(self.stage, token=token)
        self.assertEqual(self.ada, client.told(LoggedIn)[0].address)
        self.assertIs(BadToken, outcome(log_in(self.stage, token=token)))

    def test_i10_expiry(self) -> None:
        """It is good for ten seconds, and not for longer."""
        young, old = self.token(), self.token()
        lifetime = Settings().token_seconds
        self.stage.clock.advance(lifetime - 0.5)
        self.assertIsNone(outcome(log_in(self.stage, token=young)))
        self.stage.clock.advance(0.5)
        self.assertIs(BadToken, outcome(log_in(self.stage, token=old)))

    def test_name_and_domain(self) -> None:
        """It is good for the name and domain it was asked for; no name is fine."""
        for name, domain, wanted in (
            ("ada", "home", None),
            ("", "", None),
            ("", "elsewhere", None),
            ("bob", "home", BadToken),
            ("ada", "", BadToken),
        ):
            client = log_in(self.stage, name, token=self.token(), domain=domain)
            self.assertIs(wanted, outcome(client), (name, domain))

    def test_left_over(self) -> None:
        """A used token beside a good password is no harm, beside a wrong one it is."""
        used = self.token()
        log_in(self.stage, token=used)
        for password, wanted in (("ada", None), ("wrong", PermissionDenied)):
            client = log_in(self.stage, "ada", password, used, "home")
            self.assertIs(wanted, outcome(client))

    def test_wrong_password(self) -> None:
        """Unknown names and wrong passwords get no token, and the same answer."""
        core = self.stage.cores["north"]
        for name, password in (
            ("ada", "wrong"),
            ("nobody", "wrong"),
            ("", ""),
            ("ada", ""),
        ):
            asked = core.issue_token(IssueToken(name, password, "home"), "home")
            with self.assertRaises(WrongPassword):
                self.stage.ready(asked)

    def test_nonsense(self) -> None:
        """Texts that were never tokens are refused, be they long or strange."""
        for token in ("x", "r-", "t-" + "A" * 100, "é", "\ud800", "t-" + "A" * 22):
            self.assertIs(BadToken, outcome(log_in(self.stage, token=token)), token)

    def test_extend(self) -> None:
        """The map of a token request has its limits."""
        core = self.stage.cores["north"]
        good = {str(n): "" for n in range(limits.EXTEND_ENTRIES)}
        long = {"k": "v" * (limits.EXTEND_BYTES - 1)}
        for extend in (None, {}, good, long):
            asked = core.issue_token(IssueToken("ada", "ada", "home", extend), "home")
            self.stage.ready(asked)
        for extend in (good | {"one more": ""}, {"k": "v" * limits.EXTEND_BYTES}):
            asked = core.issue_token(IssueToken("ada", "ada", "home", extend), "home")
            with self.assertRaises(BadParameter):
                self.stage.ready(asked)

    def test_extend_is_counted_in_bytes(self) -> None:
        """Letters of several bytes count as such."""
        core = self.stage.cores["north"]
        extend = {"k": "é" * (limits.EXTEND_BYTES // 2)}
        asked = core.issue_token(IssueToken("ada", "ada", "home", extend), "home")
        with self.assertRaises(BadParameter):
            self.stage.ready(asked)

    def test_i10_spelling(self) -> None:
        """Tokens and credentials differ, are random, long and harmless anywhere."""
        stage = self.stage
        made = {tickets.new_token(stage.entropy) for _ in range(50)}
        self.assertEqual(50, len(made))
        self.assertFalse(any(tickets.is_credential(token) for token in made))
        self.assertTrue(all(token == str(int(token)) for token in made))
        self.assertGreater(max(map(int, made)), 1 << 52)
        extremes = [b"\0" * 7, b"\0" * 6 + b"\x07", b"\0" * 6 + b"\x08", b"\xff" * 7]
        token = tickets.new_token(lambda _: extremes.pop(0))
        self.assertEqual("1", token)
        token = tickets.new_token(lambda _: extremes.pop(0))
        self.assertEqual(str((1 << 53) - 1), token)
        credential = tickets.new_credential(stage.entropy)
        self.assertTrue(tickets.is_credential(credential))
        self.assertEqual(45, len(credential))
        for ticket in (*made, credential):
            self.assertTrue(tickets.is_sane(ticket))
            self.assertTrue(ticket.replace("-", "").replace("_", "").isalnum())


class CredentialTests(SynchronousTestCase):
    """What lets a page keep its login."""

    def setUp(self) -> None:
        """Ada's phone has a credential."""
        self.stage = Stage()
        self.ada = self.stage.register("ada")
        self.first = log_in(self.stage, "ada", "ada", additions=True)
        self.credential = self.given(self.first)

    def given(self, client: Client) -> str:
        """The credential that a login was given."""
        credential = client.told(LoggedIn)[-1].credential
        assert credential is not None
        return credential

    def resume(self, device: Device = PHONE) -> Client:
        """Log in with the credential."""
        return log_in(self.stage, token=self.credential, device=device, additions=True)

    def test_resume(self) -> None:
        """It logs the same device in again and again, without a new one."""
        for _ in range(3):
            client = self.resume()
            (welcome,) = client.told(LoggedIn)
            self.assertEqual((self.ada, None), (welcome.address, welcome.credential))

    def test_only_for_who_asks(self) -> None:
        """A client that did not ask for additions gets none."""
        client = log_in(self.stage, "ada", "ada")
        self.assertIsNone(client.told(LoggedIn)[0].credential)
        self.assertIsNone(outcome(self.resume()))

    def test_bound_to_the_device(self) -> None:
        """On another device it is worth nothing."""
        for device in (Device("phone", 2), Device("desk", 1), Device(None, 1)):
            self.assertIs(BadToken, outcome(self.resume(device)), device)

    def test_replaced(self) -> None:
        """A new login by password of the same device ends it, of another does not."""
        log_in(self.stage, "ada", "ada", device=Device("desk", 1), additions=True)
        self.assertIsNone(outcome(self.resume()))
        newer = log_in(self.stage, "ada", "ada", additions=True)
        self.assertIs(BadToken, outcome(self.resume()))
        self.credential = self.given(newer)
        self.assertIsNone(outcome(self.resume()))

    def test_logout(self) -> None:
        """Logging out ends it, and that of no other device."""
        desk = log_in(
            self.stage, "ada", "ada", device=Device("desk", 1), additions=True
        )
        self.first.asks(LogOut())
        self.stage.settle()
        self.assertEqual(1, len(self.first.told(LoggedOut)))
        self.assertIs(BadToken, outcome(self.resume()))
        self.credential = self.given(desk)
        self.assertIsNone(outcome(self.resume(Device("desk", 1))))

    def test_by_token(self) -> None:
        """A login by token gets one as a login by password does."""
        command = IssueToken("ada", "ada")
        token = self.stage.ready(self.stage.cores["north"].issue_token(command, "x"))
        client = log_in(self.stage, token=token, device=Device("new"), additions=True)
        self.credential = self.given(client)
        self.assertIsNone(outcome(self.resume(Device("new"))))

    def test_survives_the_node(self) -> None:
        """It outlives a restart."""
        self.stage.start("north")
        self.assertIsNone(outcome(self.resume()))


class ProofTests(SynchronousTestCase):
    """Passwords, and what somebody who guesses learns."""

    def test_equal_paths(self) -> None:
        """An unknown name costs the same check as a wrong password."""
        passwords = SlowPasswords()
        stage = Stage(passwords=passwords)
        stage.register("ada")
        answers: list[type[TimError] | None] = []
        for name in ("ada", "nobody"):
            client = log_in(stage, name, "wrong")
            ((_verifier, password, _answer),) = passwords.checks
            self.assertEqual("wrong", password)
            passwords.decide()
            answers.append(outcome(client))
        self.assertEqual([PermissionDenied] * 2, answers)

    def test_empty(self) -> None:
        """A login without a name or password costs nothing and counts for nothing."""
        passwords = SlowPasswords()
        settings = attrs.evolve(OPEN, logins_per_minute=1.0)
        stage = Stage(settings=settings, passwords=passwords)
        for name, password in (("", ""), ("ada", ""), ("", "ada")):
            client = log_in(stage, name, password)
            self.assertIs(PermissionDenied, outcome(client))
        self.assertEqual([], passwords.checks)
        log_in(stage, "ada", "ada")
        self.assertEqual(1, len(passwords.checks))

    def test_what_nobody_can_have(self) -> None:
        """Names, domains and passwords beyond the limits are wrong, and no work."""
        passwords = SlowPasswords()
        stage = Stage(passwords=passwords)
        name, password = "n" * limits.NAME_BYTES, "p" * limits.PASSWORD_BYTES
        for client in (
            log_in(stage, name + "n", "p"),
            log_in(stage, "n", password + "p"),
            log_in(stage, "n", "p", domain=name + "d"),
        ):
            self.assertIs(PermissionDenied, outcome(client))
        self.assertEqual([], passwords.checks)
        log_in(stage, name, password, domain=name)
        self.assertEqual(1, len(passwords.checks))

    def test_resource(self) -> None:
        """The text about a device has at most 256 bytes."""
        stage = Stage()
        stage.register("ada")
        for size, wanted in ((limits.DEVICE_BYTES, None), (257, BadParameter)):
            device = Device("d" * size)
            client = log_in(stage, "ada", "ada", device=device)
            self.assertIs(wanted, outcome(client))

    def test_l8_i10_logins_of_an_address(self) -> None:
        """So many logins a minute from one address, good or not, tokens included."""
        stage = Stage(settings=attrs.evolve(OPEN, logins_per_minute=3.0))
        stage.register("ada")
        core = stage.cores["north"]
        token = stage.ready(core.issue_token(IssueToken("ada", "ada"), "home"))
        self.assertIsNone(outcome(log_in(stage, token=token)))
        self.assertIsNone(outcome(log_in(stage, "ada", "ada")))
        self.assertIs(TooFrequent, outcome(log_in(stage, "ada", "ada")))
        with self.assertRaises(TooFrequent):
            stage.ready(core.issue_token(IssueToken("ada", "ada"), "home"))
        self.assertIsNone(outcome(log_in(stage, "ada", "ada", source="elsewhere")))
        stage.clock.advance(20)
        self.assertIsNone(outcome(log_in(stage, "ada", "ada")))


class GuessingTests(SynchronousTestCase):
    """Wrong passwords are counted per name and address."""

    def setUp(self) -> None:
        """Three wrong passwords a minute."""
        self.settings = attrs.evolve(OPEN, failed_logins_per_minute=3.0)
        self.stage = Stage(settings=self.settings)
        self.stage.register("ada")
        self.stage.register("bob")

    def guess(self, password: str, name: str = "ada", source: str = "home") -> object:
        """Try a password."""
        client = log_in(self.stage, name, password, source=source)
        client.vanishes()
        return outcome(client)

    def test_l8_both_sides(self) -> None:
        """After three wrong ones even the right one is refused, for a while."""
        for _ in range(2):
            self.guess("wrong")
        self.assertIsNone(self.guess("ada"))
        self.assertIs(PermissionDenied, self.guess("wrong"))
        self.assertIs(TooFrequent, self.guess("ada"))
        self.assertIs(TooFrequent, self.guess("wrong"))
        self.assertIsNone(self.guess("bob", "bob"))
        self.assertIsNone(self.guess("ada", source="elsewhere"))
        self.stage.clock.advance(20)
        self.assertIsNone(self.guess("ada"))

    def test_right_ones_are_free(self) -> None:
        """Who knows the password may log in as often as they like."""
        for _ in range(20):
            self.assertIsNone(self.guess("ada"))

    def test_many_at_once(self) -> None:
        """Guesses that are made at the same moment are counted all the same."""
        passwords = SlowPasswords()
        self.stage = Stage(settings=self.settings, passwords=passwords)
        self.stage.register("ada")
        clients = [log_in(self.stage, "ada", f"guess {n}") for n in range(10)]
        self.assertEqual(3, len(passwords.checks))
        refused = [outcome(client) for client in clients[3:]]
        self.assertEqual([TooFrequent] * 7, refused)

    def test_unknown_names_count_too(self) -> None:
        """Whoever guesses names learns nothing from the limit."""
        for _ in range(3):
            self.assertIs(PermissionDenied, self.guess("x", "nobody"))
        self.assertIs(TooFrequent, self.guess("x", "nobody"))

    def test_a_busy_node_counts_nothing(self) -> None:
        """A password that could not be checked is no wrong one."""

        class Busy(QuickPasswords):
            def check(self, verifier: str | None, password: str) -> Deferred[bool]:
                return (
                    fail(TooFrequent()) if busy else super().check(verifier, password)
                )

        busy = True
        self.stage = Stage(settings=self.settings, passwords=Busy())
        self.stage.register("ada")
        for _ in range(5):
            self.assertIs(TooFrequent, self.guess("ada"))
        busy = False
        self.assertIsNone(self.guess("ada"))
