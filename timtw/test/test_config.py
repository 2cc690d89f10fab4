"""A node's configuration: what is understood, what is refused, and how it is told."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

import timtw
from timtw.config import (
    ConfigError,
    Engine,
    NodeConfig,
    Registration,
    Sender,
    StorageUrl,
    read_config,
)
from timtw.config.manual import manual
from timtw.config.reading import keys_of
from timtw.config.sections import NOT_BUILT, SECTIONS
from timtw.model.limits import FRAME_BEFORE_LOGIN, OUTBOX_BYTES, READERS

EXAMPLE = """\
[node]
state_dir = state            ; secrets
keys = /etc/timtw/keys       # elsewhere
[clients]
websocket = tcp:5080
    tcp:5081:interface=127.0.0.1
ping_timeout = 300
origins = https://Chat.example.org
    http://localhost:8000/
    https://github.com/Donnie4w/tim
tcp = tcp:5090
    tcp:5091
trusted_proxies = 10.0.0.0/8
    ::1
switched_off = TIMREGISTER
    timMessage
[accounts]
register = closed
device_limit = 3
device_type_limit = 2
displace_after = 0
token_seconds = 20
[messages]
from = anyone
find_by_name = no
[limits]
registers_per_minute = 0
logins_per_minute = 1
failed_logins_per_minute = 2
commands_per_second = 3
max_frame = 65536
connections = 10
[shard main]
url = sqlite:///data/chat.db
"""


class ConfigTestCase(unittest.SynchronousTestCase):
    """A configuration is read from a file of the test's own."""

    def setUp(self) -> None:
        """Choose the file."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "node.ini"

    def read(self, text: str, **environ: str) -> NodeConfig:
        """What a file with this text says."""
        self.path.write_text(text, "utf-8")
        return read_config(self.path, environ)

    def problems(self, text: str, **environ: str) -> list[str]:
        """What is wrong with a file with this text."""
        error = self.assertRaises(ConfigError, self.read, text, **environ)
        self.assertEqual("\n".join(error.problems), str(error))
        return list(error.problems)

    def assert_problem(self, sentence: str, text: str, **environ: str) -> None:
        """There is one problem, told by this sentence."""
        self.assertEqual([sentence], self.problems(text, **environ))


class ReadingTests(ConfigTestCase):
    """What a file says is what the node gets."""

    def test_x5_empty_file_is_the_defaults(self) -> None:
        """A node needs no key at all."""
        config = self.read("")
        self.assertEqual(self.folder / "state", config.node.state_dir)
        self.assertEqual(self.folder / "state" / "keys", config.node.keys)
        self.assertEqual(("tcp:5080",), config.clients.websocket)
        self.assertEqual(("tcp:5090",), config.clients.tcp)
        self.assertEqual((), config.clients.trusted_proxies)
        self.assertEqual((), config.clients.switched_off)
        self.assertEqual((), self.read("[clients]\ntcp =").clients.tcp)
        self.assertEqual(600, config.clients.ping_timeout)
        self.assertEqual((), config.clients.origins)
        self.assertEqual(Registration.OPEN, config.accounts.register)
        self.assertEqual(1, config.accounts.device_limit)
        self.assertEqual(Sender.FRIENDS, config.messages.sender)
        self.assertTrue(config.messages.find_by_name)
        self.assertEqual(1_048_576, config.limits.max_frame)
        (shard,) = config.shards
        self.assertEqual("main", shard.name)
        path = self.folder / "state" / "tim.db"
        self.assertEqual(StorageUrl(Engine.SQLITE, path), shard.url)

    def test_no_file_is_the_defaults_here(self) -> None:
        """Without a file, paths start in the current folder."""
        config = read_config(None, {})
        self.assertEqual(Path.cwd() / "state", config.node.state_dir)

    def test_every_key(self) -> None:
        """Each key arrives where it belongs, with comments left out."""
        config = self.read(EXAMPLE)
        self.assertEqual(Path("/etc/timtw/keys"), config.node.keys)
        clients = config.clients
        both = ("tcp:5080", "tcp:5081:interface=127.0.0.1")
        self.assertEqual(both, clients.websocket)
        self.assertEqual(300, clients.ping_timeout)
        self.assertEqual(
            (
                "https://chat.example.org",
                "http://localhost:8000",
                "https://github.com/Donnie4w/tim",
            ),
            clients.origins,
        )
        self.assertEqual(("tcp:5090", "tcp:5091"), clients.tcp)
        self.assertEqual(("10.0.0.0/8", "::1/128"), clients.trusted_proxies)
        self.assertEqual(("TIMREGISTER", "TIMMESSAGE"), clients.switched_off)
        accounts = config.accounts
        self.assertEqual(Registration.CLOSED, accounts.register)
        self.assertEqual((3, 2), (accounts.device_limit, accounts.device_type_limit))
        self.assertEqual((0, 20), (accounts.displace_after, accounts.token_seconds))
        messages = config.messages
        self.assertEqual(Sender.ANYONE, messages.sender)
        self.assertFalse(messages.find_by_name)
        limits = config.limits
        self.assertEqual(0, limits.registers_per_minute)
        self.assertEqual(1, limits.logins_per_minute)
        self.assertEqual(2, limits.failed_logins_per_minute)
        self.assertEqual(3, limits.commands_per_second)
        self.assertEqual((65536, 10), (limits.max_frame, limits.connections))
        self.assertEqual(self.folder / "data/chat.db", config.shards[0].url.path)

    def test_database_follows_the_state(self) -> None:
        """Another state_dir moves the database and the keys as well."""
        config = self.read("[node]\nstate_dir = /var/lib/timtw")
        self.assertEqual(Path("/var/lib/timtw/tim.db"), config.shards[0].url.path)
        self.assertEqual(Path("/var/lib/timtw/keys"), config.node.keys)

    def test_storage_urls(self) -> None:
        """Three slashes are relative, four absolute; memory needs no path."""
        for url, path in (
            ("memory:", None),
            ("sqlite:///tim.db", self.folder / "tim.db"),
            ("sqlite:////srv/tim.db", Path("/srv/tim.db")),
        ):
            config = self.read(f"[shard main]\nurl = {url}")
            self.assertEqual(path, config.shards[0].url.path)

    def test_storage_url_is_shown_as_written(self) -> None:
        """A storage place is shown as the URL that means it."""
        absolute = StorageUrl(Engine.SQLITE, Path("/srv/tim.db"))
        self.assertEqual("sqlite:////srv/tim.db", str(absolute))
        self.assertEqual("memory:", str(StorageUrl(Engine.MEMORY)))

    def test_percent_signs_are_themselves(self) -> None:
        """Nothing in a value is replaced by other values."""
        config = self.read("[node]\nstate_dir = 100%(x)s")
        self.assertEqual(self.folder / "100%(x)s", config.node.state_dir)


class EnvironmentTests(ConfigTestCase):
    """Every key can come from the environment."""

    def test_environment_goes_before_the_file(self) -> None:
        """A key in both is what the environment says."""
        text = "[clients]\nping_timeout = 5"
        config = self.read(text, TIMTW_CLIENTS_PING_TIMEOUT="7")
        self.assertEqual(7, config.clients.ping_timeout)

    def test_keys_with_other_names(self) -> None:
        """Blanks become underscores, and a key's spelling is the file's."""
        config = self.read(
            "", TIMTW_SHARD_MAIN_URL="memory:", TIMTW_MESSAGES_FROM="anyone"
        )
        self.assertEqual(Engine.MEMORY, config.shards[0].url.engine)
        self.assertEqual(Sender.ANYONE, config.messages.sender)

    def test_every_key_has_a_variable(self) -> None:
        """No two keys share a variable, and each is read."""
        names = [key.variable for section in SECTIONS for key in keys_of(section)]
        self.assertEqual(len(names), len(set(names)))
        found = self.problems("", **dict.fromkeys(names, "//"))
        told = {line.split(": ")[1] for line in found}
        taking_anything = {"TIMTW_NODE_STATE_DIR", "TIMTW_NODE_KEYS"}
        self.assertEqual(set(names) - taking_anything, told)

    def test_misspelt_variable(self) -> None:
        """A variable that is nearly ours is refused."""
        self.assert_problem(
            "environment: TIMTW_CLIENT_PING_TIMEOUT: is no setting; "
            "did you mean 'TIMTW_CLIENTS_PING_TIMEOUT'?",
            "",
            TIMTW_CLIENT_PING_TIMEOUT="7",
        )
        (problem,) = self.problems("", TIMTW_NODE_COLOUR="red")
        self.assertIn("TIMTW_NODE_COLOUR: is no setting", problem)

    def test_foreign_variables_are_left_alone(self) -> None:
        """What is not alike may be there for others."""
        self.read("", TIMTW_BUILD_HOST="x", PATH="/bin", TIMTW="1")

    def test_feature_to_come(self) -> None:
        """A variable for what does not exist yet is refused."""
        (problem,) = self.problems("", TIMTW_MESH_LISTEN="ssl:7711")
        self.assertIn("not built yet", problem)


class RefusalTests(ConfigTestCase):
    """What cannot be meant is refused, in one sentence each."""

    def test_unknown_key(self) -> None:
        """A misspelt key is refused with the right one."""
        self.assert_problem(
            "node.ini: [clients] ping_timout: is no key of this section; "
            "did you mean 'ping_timeout'?",
            "[clients]\nping_timout = 5",
        )

    def test_unknown_section(self) -> None:
        """A misspelt section is refused with the right one."""
        self.assert_problem(
            "node.ini: [acounts] is no section; did you mean 'accounts'?",
            "[acounts]\nregister = open",
        )

    def test_section_of_defaults_is_nothing_special(self) -> None:
        """The name that the standard parser reserves is unknown like any other."""
        self.assert_problem("node.ini: [DEFAULT] is no section", "[DEFAULT]\na = b")

    def test_everything_at_once(self) -> None:
        """All problems are told together."""
        text = "[clients]\na = b\nping_timeout = soon\n[zzz]\n[limits]\nmax_frame = 1"
        self.assertEqual(4, len(self.problems(text)))

    def test_features_to_come(self) -> None:
        """Each key whose feature does not exist yet is refused by name."""
        for section, keys in NOT_BUILT.items():
            for key in keys:
                (problem,) = self.problems(f"[{section}]\n{key} = 1")
                self.assertIn("not built yet", problem)

    def test_one_process(self) -> None:
        """One process is what there is; more are refused."""
        self.assertEqual(1, self.read("[node]\nworkers = 1").node.workers)
        self.assertEqual(1, len(self.problems("[node]\nworkers = 2")))

    def test_databases_on_servers(self) -> None:
        """The URL of a server is kept whole, and shown nowhere by accident."""
        for url, engine in (
            ("postgresql://user:hush@host/name", Engine.POSTGRESQL),
            ("mysql://user:hush@/name?host=/run/socket", Engine.MYSQL),
        ):
            config = self.read(f"[shard main]\nurl = {url}\nwait_for_database = 9")
            (shard,) = config.shards
            self.assertEqual((engine, 9), (shard.url.engine, shard.wait_for_database))
            self.assertEqual(url, str(shard.url))
            self.assertNotIn("hush", repr(config))

    def test_databases_to_come(self) -> None:
        """Another engine is refused, without a word of its URL's secrets."""
        for url in ("oracle://user:hush@host/name", "postgresql://user:hush@host"):
            (problem,) = self.problems(f"[shard main]\nurl = {url}")
            self.assertIn("postgresql", problem)
            self.assertNotIn("hush", problem)

    def test_databases_that_are_none(self) -> None:
        """What is no URL is refused without being repeated."""
        for url in ("hush", "sqlite:", "sqlite:///", "sqlite://tim.db", "memory:x", ""):
            (problem,) = self.problems(f"[shard main]\nurl = {url}")
            self.assertNotIn("hush", problem)

    def test_second_database(self) -> None:
        """One database is what there is."""
        (problem,) = self.problems("[shard other]\nurl = memory:")
        self.assertIn("not built yet", problem)

    def test_values_of_each_kind(self) -> None:
        """What cannot be read as its key's kind is refused."""
        for section, key, text in (
            ("node", "state_dir", ""),
            ("clients", "websocket", ""),
            ("clients", "websocket", "tcp"),
            ("clients", "websocket", "tcp:http"),
            ("clients", "websocket", "nothing:5080"),
            ("clients", "websocket", "tcp:5080:colour=red"),
            ("clients", "websocket", "ssl:5080:privateKey=/no/such/file"),
            ("clients", "origins", "chat.example.org"),
            ("clients", "origins", "https://chat.example.org/?page"),
            ("clients", "tcp", "tcp"),
            ("clients", "trusted_proxies", "proxy.example.org"),
            ("clients", "trusted_proxies", "10.0.0.1/8"),
            ("clients", "trusted_proxies", "10.0.0.0/33"),
            ("clients", "switched_off", "TIMMESSAGES"),
            ("clients", "switched_off", "TIMACK"),
            ("clients", "switched_off", "90"),
            ("clients", "ping_timeout", "ten"),
            ("clients", "ping_timeout", "1.5"),
            ("clients", "ping_timeout", "٣"),
            ("clients", "ping_timeout", "9" * 5000),
            ("accounts", "register", "maybe"),
            ("messages", "find_by_name", "perhaps"),
            ("messages", "from", ""),
        ):
            (problem,) = self.problems(f"[{section}]\n{key} = {text}")
            self.assertIn(f"[{section}] {key}: is ", problem)

    def test_old_tls(self) -> None:
        """Nobody can choose a TLS older than 1.2, not even by an endpoint's options."""
        endpoint = "ssl:5080:privateKey=/no/such/file:sslmethod=TLSv1_1_METHOD"
        (problem,) = self.problems(f"[clients]\nwebsocket = {endpoint}")
        self.assertIn("only TLS 1.2 and 1.3", problem)

    def test_bounds(self) -> None:
        """The smallest and the largest number are taken, the next ones not."""
        for section, key, lowest, highest in (
            ("limits", "max_frame", FRAME_BEFORE_LOGIN, OUTBOX_BYTES),
            ("limits", "connections", 1, None),
            ("limits", "logins_per_minute", 0, None),
            ("clients", "ping_timeout", 1, 86_400),
            ("accounts", "device_limit", 1, READERS),
            ("accounts", "device_type_limit", 1, READERS),
        ):
            self.read(f"[{section}]\n{key} = {lowest}")
            self.problems(f"[{section}]\n{key} = {lowest - 1}")
            if highest is not None:
                self.read(f"[{section}]\n{key} = {highest}")
                self.problems(f"[{section}]\n{key} = {highest + 1}")

    def test_broken_files(self) -> None:
        """What is no INI file is refused with the line, not with its content."""
        for text, told in (
            ("hush = 1", "line 1: stands before any [section]"),
            ("[node]\nkeys: a", "line 2: is neither [section] nor key = value"),
            ("[node]\nhush", "line 2: is neither [section] nor key = value"),
            ("[node]\n[node]", "line 2: section [node] stands twice"),
            ("[node]\nkeys = a\nkeys = hush", "line 3: [node] keys stands twice"),
        ):
            self.assert_problem(f"node.ini: {told}", text)

    def test_no_such_file(self) -> None:
        """A file that is not there is named."""
        error = self.assertRaises(ConfigError, read_config, self.path, {})
        self.assertEqual(
            (f"{self.path}: cannot be read: No such file or directory",),
            error.problems,
        )

    def test_not_text(self) -> None:
        """A file that is not UTF-8 is named."""
        self.path.write_bytes(b"[node]\nstate_dir = \xff")
        error = self.assertRaises(ConfigError, read_config, self.path, {})
        self.assertEqual((f"{self.path}: is not UTF-8 text",), error.problems)

    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(st.text(max_size=40), st.sampled_from(sorted(SECTIONS)))
    def test_any_text(self, text: str, section: str) -> None:
        """Whatever is in the file, it is understood or refused, never a crash."""
        for body in (text, f"[{section}]\n{text}"):
            self.path.write_text(body, "utf-8", errors="ignore")
            try:
                read_config(self.path, {})
            except ConfigError as error:
                self.assertNotEqual((), error.problems)


class ManualTests(unittest.SynchronousTestCase):
    """The manual is what the program does."""

    def test_manual_is_current(self) -> None:
        """The page in docs/ is what ``python -m timtw.config`` prints."""
        page = Path(timtw.__file__).parents[1] / "docs/reference/configuration.md"
        if not page.exists():
            raise unittest.SkipTest("this is not a checkout")
        self.assertEqual(manual(), page.read_text("utf-8"))

    def test_every_key_is_in_the_manual(self) -> None:
        """Each key is described, with its default and its variable."""
        text = manual()
        for section in SECTIONS:
            self.assertIn(f"## [{section}]\n", text)
            for key in keys_of(section):
                self.assertIn(f"### {key.name}\n", text)
                self.assertIn(f"`{key.variable}`", text)
