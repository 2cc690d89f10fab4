"""
The architecture as a test: who may import whom (docs/architecture.md).

Every import counts, at the top of a module or in a function, for types alone or not.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from twisted.trial import unittest

import timtw

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "": frozenset(),
    "model": frozenset({"model"}),
    "core": frozenset({"core", "model"}),
    "rooms": frozenset({"core", "model", "rooms"}),
    "protocols": frozenset({"model", "protocols"}),
    "mesh": frozenset({"mesh", "model"}),
    "shards": frozenset({"model", "shards"}),
    "office": frozenset({"config", "model", "office"}),
    "client": frozenset({"client", "model", "protocols"}),
    "config": frozenset({"config", "model"}),
    "logs": frozenset(),
    "loss": frozenset({"", "loss"}),
    "web": frozenset(),
    "node": frozenset(
        {
            "", "config", "core", "logs", "mesh", "model", "office", "protocols",
            "rooms", "shards", "web",
        }
    ),
    "tap": frozenset({"config", "logs", "node"}),
    "users": frozenset({"config", "core", "model", "office", "shards"}),
    "cli": frozenset({"", "client", "loss", "office", "users"}),
}  # fmt: skip
"""Which parts of timtw a part may import.  A part is a folder or a module at the top;
"" is `timtw` itself.  This table is the architecture: a change to it is a decision."""

ONLY: Mapping[str, frozenset[str]] = {
    "argon2": frozenset({"core"}),
    "autobahn": frozenset({"protocols"}),
    "txaio": frozenset({"protocols"}),
    "thriftpy2": frozenset({"protocols"}),
    "cryptography": frozenset({"shards"}),
    "sqlalchemy": frozenset({"shards"}),
    # The loss checker breaks databases from outside.
    "sqlite3": frozenset({"loss", "shards"}),
    "psycopg2": frozenset({"loss", "shards"}),
    "pymysql": frozenset({"loss", "shards"}),
    "txpostgres": frozenset({"shards"}),
    "twisted.enterprise": frozenset({"shards"}),
    "msgspec": frozenset({"protocols", "shards"}),
    "twisted.spread": frozenset({"mesh"}),
    # The two commands: twistd has a reactor for tap, and cli runs its own.
    "twisted.internet.reactor": frozenset({"cli", "tap"}),
}
"""The one door, or two, of a library.  Tests may import them all."""

NEVER = ("unittest.mock", "mock", "twisted.internet.defer.inlineCallbacks")
"""What nobody imports, tests included: there are memory twins, and `async`."""

FREE = "test"
"""The part that may import everything else."""


def imported(source: str, package: str) -> Iterator[str]:
    """
    The dotted names that a module's text imports.

    ``from a.b import c`` yields ``a.b.c``, which may be a module or a name in one.

    Args:
        source: the text.
        package: the dotted name of the package it lies in, for relative imports.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            steps = package.split(".")
            above = steps[: len(steps) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{origin}.{alias.name}"


def part_of(name: str) -> str:
    """The part of timtw that a dotted name of ours belongs to."""
    steps = name.split(".")
    return steps[1] if len(steps) > 1 else ""


def is_under(name: str, top: str) -> bool:
    """Whether a dotted name is `top` or lies in it."""
    return name == top or name.startswith(f"{top}.")


def violations(module: str, source: str, *, package: bool = False) -> list[str]:
    """
    What a module imports against the tables, one sentence each.

    Args:
        module: its dotted name, beginning with ``timtw``.
        source: its text.
        package: whether it is the ``__init__`` of a package.
    """
    part = part_of(module)
    home = module if package else module.rpartition(".")[0]
    found = []
    if part != FREE and part not in MAY_IMPORT:
        found.append(f"{module} belongs to no part that the table knows")
    for name in imported(source, home):
        if any(is_under(name, never) for never in NEVER):
            found.append(f"{module} imports {name}, which nobody may")
        if part == FREE:
            continue
        if is_under(name, "timtw"):
            other = part_of(name) if part_of(name) in MAY_IMPORT else ""
            if part_of(name) == FREE:
                found.append(f"{module} imports {name}, a test")
            elif other not in MAY_IMPORT.get(part, ()):
                found.append(f"{module} imports {name}, beyond its part")
        for library, doors in ONLY.items():
            if is_under(name, library) and part not in doors:
                found.append(f"{module} imports {name}, for {sorted(doors)} alone")
    return found


def modules() -> Iterator[tuple[str, Path]]:
    """The dotted name and the file of every module of timtw."""
    top = Path(timtw.__file__).parent
    for path in sorted(top.rglob("*.py")):
        steps = path.relative_to(top.parent).with_suffix("").parts
        yield ".".join(step for step in steps if step != "__init__"), path


class ArchitectureTests(unittest.SynchronousTestCase):
    """The modules of timtw keep to the tables."""

    def test_every_module_keeps_to_its_part(self) -> None:
        """No module imports what the tables do not let it import."""
        found: list[str] = []
        for name, path in modules():
            source = path.read_text("utf-8")
            is_package = path.name == "__init__.py"
            found += violations(name, source, package=is_package)
        self.assertEqual([], found)

    def test_all_modules_are_seen(self) -> None:
        """The modules looked at are those on disk, this one among them."""
        names = [name for name, _ in modules()]
        self.assertIn(__name__, names)
        self.assertIn("timtw", names)
        self.assertIn("timtw.model", names)


class RuleTests(unittest.SynchronousTestCase):
    """Each rule finds what it is there to find."""

    def assert_refused(self, module: str, source: str) -> None:
        """Exactly one sentence is said about the module."""
        self.assertEqual(1, len(violations(module, source)), violations(module, source))

    def test_parts_are_kept_apart(self) -> None:
        """A part that the table does not list is refused, however it is imported."""
        for source in (
            "import timtw.shards.sqlite",
            "from timtw.shards import sqlite",
            "from timtw import shards",
            "from ..shards import sqlite",
            "from .. import shards",
            "def f():\n    from timtw.shards.sqlite import open",
        ):
            self.assert_refused("timtw.protocols.websocket", source)

    def test_own_part_and_model_are_open(self) -> None:
        """Neighbours and the model may be imported, also relatively."""
        source = (
            "from . import frames\n"
            "from .frames import Frame\n"
            "from timtw.model.values import Ident\n"
            "from timtw.model import errors\n"
        )
        self.assertEqual([], violations("timtw.protocols.websocket", source))

    def test_package_itself_resolves_relative_imports(self) -> None:
        """One dot in the __init__ of a package means the package."""
        source = "from .frames import Frame\nfrom ..model import errors"
        self.assertEqual([], violations("timtw.protocols", source, package=True))

    def test_only_the_command_imports_the_composition_root(self) -> None:
        """Nobody but tap imports node."""
        self.assert_refused("timtw.core.session", "from timtw.node import build")
        self.assertEqual([], violations("timtw.tap", "from timtw.node import build"))

    def test_global_reactor_has_two_users(self) -> None:
        """Only the two commands import the reactor; not even functions of others do."""
        for source in (
            "from twisted.internet import reactor",
            "import twisted.internet.reactor",
            "def f():\n    from twisted.internet import reactor",
        ):
            self.assert_refused("timtw.node", source)
            self.assertEqual([], violations("timtw.tap", source))
            self.assertEqual([], violations("timtw.cli", source))
            self.assert_refused("timtw.client.commands", source)

    def test_libraries_have_their_doors(self) -> None:
        """Each library is refused outside of the folders it belongs to."""
        for library, doors in ONLY.items():
            for part in MAY_IMPORT:
                found = violations(f"timtw.{part}.some", f"import {library}")
                self.assertEqual(part not in doors, bool(found), (library, part))

    def test_alike_names_are_not_the_library(self) -> None:
        """A library whose name only begins alike is somebody else's."""
        self.assertEqual([], violations("timtw.core.some", "import sqlite3x"))

    def test_mocks_are_nowhere(self) -> None:
        """Mocks are refused in tests as well."""
        self.assert_refused("timtw.test.test_some", "from unittest import mock")
        self.assert_refused("timtw.test.test_some", "from unittest.mock import Mock")

    def test_product_does_not_import_tests(self) -> None:
        """What is shipped to run does not lean on what tests it."""
        self.assert_refused("timtw.core.some", "from timtw.test.contracts import A")

    def test_unknown_parts_are_refused(self) -> None:
        """A new folder or top module needs a line in the table."""
        self.assert_refused("timtw.gadgets", "import json")
