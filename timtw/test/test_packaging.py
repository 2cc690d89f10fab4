"""What the installed distribution brings along."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

from twisted.application.service import IServiceMaker, ServiceMaker
from twisted.plugin import getPlugins
from twisted.trial import unittest

import timtw

TOP = Path(timtw.__file__).parents[1]
"""The checkout, where there is one."""


class PackagingTests(unittest.SynchronousTestCase):
    """The distribution has what a node needs beside its modules."""

    def test_twistd_knows_us(self) -> None:
        """``twistd tim`` is there, once."""
        found = [
            maker.module
            for maker in getPlugins(IServiceMaker)
            if isinstance(maker, ServiceMaker) and maker.tapname == "tim"
        ]
        self.assertEqual(["timtw.tap"], found)

    def test_listing_us_costs_nothing(self) -> None:
        """``twistd --help`` imports no module of ours but the package."""
        program = (
            "import sys, twisted.plugins.timtw_plugin\n"
            "print(sorted(m for m in sys.modules if m.startswith('timtw')))\n"
            "print('twisted.internet.reactor' in sys.modules)\n"
        )
        printed = subprocess.run(
            [sys.executable, "-c", program],
            cwd=TOP,
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual("[]\nFalse\n", printed.stdout)

    def test_idl_is_shipped(self) -> None:
        """The description of the protocol's structures can be read."""
        idl = files("timtw").joinpath("protocols", "idl", "tim.thrift")
        self.assertIn("struct TimMessage", idl.read_text("utf-8"))

    def test_types_are_published(self) -> None:
        """Programs that use timtw are checked against its types."""
        self.assertTrue(files("timtw").joinpath("py.typed").is_file())

    def test_nothing_but_the_plugin_is_ours_in_twisted(self) -> None:
        """The folder of plugins stays open to other distributions."""
        ours = TOP / "twisted"
        self.assertFalse((ours / "plugins" / "__init__.py").exists())


class DistributionTests(unittest.SynchronousTestCase):
    """What pip was told about us."""

    def setUp(self) -> None:
        """These need the distribution, not only the modules."""
        try:
            self.distribution = distribution("timtw")
        except PackageNotFoundError:
            raise unittest.SkipTest("timtw is not installed") from None

    def test_versions_agree(self) -> None:
        """The distribution has the version that the package states."""
        self.assertEqual(timtw.__version__, self.distribution.version)

    def test_plain_install_brings_no_tools(self) -> None:
        """What only tests, checks or later databases need is an extra."""
        plain = [
            line for line in self.distribution.requires or () if "extra ==" not in line
        ]
        for tool in ("hypothesis", "mypy", "ruff", "psycopg2", "txpostgres"):
            self.assertEqual([], [line for line in plain if line.startswith(tool)])


class CheckoutTests(unittest.SynchronousTestCase):
    """The files around the package fit together."""

    def setUp(self) -> None:
        """These need the checkout; the installed package has none."""
        if not (TOP / "setup.cfg").exists():
            raise unittest.SkipTest("this is not a checkout")

    def test_page_is_where_make_says(self) -> None:
        """The address that ``make run`` prints is the one that run.ini listens on."""
        makefile = (TOP / "Makefile").read_text("utf-8")
        settings = (TOP / "run.ini").read_text("utf-8")
        self.assertIn("PAGE = http://127.0.0.1:5080/\n", makefile)
        self.assertIn("websocket = tcp:5080:interface=127.0.0.1\n", settings)

    def test_fragments_have_a_kind(self) -> None:
        """Every news fragment is of a kind that a release collects."""
        kinds = {"feature", "bugfix", "doc", "removal", "packaging", "misc"}
        for fragment in (TOP / "newsfragments").iterdir():
            if fragment.name not in {"README.md", ".gitignore"}:
                _, kind, suffix = fragment.name.rsplit(".", 2)
                self.assertIn(kind, kinds, fragment.name)
                self.assertEqual("md", suffix, fragment.name)
