"""Backing up and bringing back, by the commands of the how-to, word for word.

A part of the contract in ``timtw.test.contracts``; see there.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
from twisted.trial.unittest import SkipTest

from timtw.loss.nodes import ROOT
from timtw.loss.servers import NotInstalled, program
from timtw.model.posting import Posted
from timtw.shards.server.shard import ServerShard
from timtw.test.contracts import ADA, BOB, NOW, PAIR, PHONE, draft
from timtw.test.contracts_kinds import removal
from timtw.test.contracts_servers import ServerCase

PAGE = ROOT / "docs" / "how-to" / "run-on-a-database-server.md"
PASSWORD = "choose one"
"""What the page says, and what a command is told that asks for it."""
ODD = "\0 ' \\ \" \r\n %s 表"
"""A text with all that a dump might spoil."""
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(section: str, start: str) -> list[str]:
    """What is printed in a section behind the first line that begins like this."""
    text = PAGE.read_text("utf-8")
    part = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.split(rf"^{start}\b", part, maxsplit=1, flags=re.MULTILINE)[1]
    return [body for _kind, body in BLOCK.findall(found)]


class RestoreContract(ServerCase):
    """A dump of a database that is in use becomes another database."""

    name: ClassVar[str]
    """What the page calls the engine."""
    folder: Path
    """Where the commands are carried out."""
    owner: ClassVar[str]
    """What the engine calls whom databases belong to."""
    programs: ClassVar[tuple[str, ...]]
    """The programs of the page's commands."""

    def environment(self) -> Mapping[str, str]:
        """Where the commands find the server of this process."""
        raise NotImplementedError

    def place(self, database: str) -> str:
        """The url of a database of the page's user."""
        url = self.server.url(database)
        scheme, _colon, rest = url.partition("://")
        return f"{scheme}://timtw:choose%20one@{rest.partition('@')[2]}"

    def administer(self, statements: str) -> None:
        """Carry out statements one by one, as an administrator does."""
        for statement in filter(str.strip, statements.split(";")):
            self.server.ask(statement)

    def carry_out(self, commands: str) -> None:
        """Carry out commands of the page where no terminal is."""
        try:
            places = {str(Path(program(name)).parent) for name in self.programs}
        except NotInstalled as error:
            raise SkipTest(str(error)) from None
        path = os.pathsep.join([*sorted(places), os.environ["PATH"]])
        done = subprocess.run(
            ["sh", "-e", "-c", commands],
            cwd=self.folder,
            env={**os.environ, **self.environment(), "PATH": path},
            input=f"{PASSWORD}\n".encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.assertEqual(0, done.returncode, done.stdout.decode(errors="replace"))

    async def test_restore(self) -> None:
        """
        Everything that was there at the backup is there again, and numbers go on.
        """
        if not PAGE.exists():
            raise SkipTest("this is not a checkout")
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        made = blocks("Make a database", self.name)[0]
        backup, restore = blocks("Back up and restore", self.name)[:2]
        self.administer(made)
        self.addCleanup(self.drop)
        shard = await self.started(self.place("timtw"))
        ada = await shard.accounts.register("ada", "here", "hash", NOW)
        await shard.readers.open(BOB.number, PHONE, NOW)
        await self.post(shard, draft("1"), draft(ODD, ident=7), draft("3"))
        await self.post(shard, removal(1))
        before = await self.everything(shard)
        self.carry_out(backup)
        await self.post(shard, draft("too late"))
        await shard.stop()

        again = re.sub(r"CREATE (ROLE|USER)\b[^;]*;", "", made)
        self.administer(re.sub(r"\b(DATABASE|ON) timtw\b", r"\1 timtw2", again))
        self.carry_out(restore)
        shard = await self.started(self.place("timtw2"))
        self.assertEqual(ada, await shard.accounts.find("ada", "here"))
        self.assertEqual(before, await self.everything(shard))
        (repeated,) = await self.post(shard, draft(ODD, ident=7))
        (newer,) = await self.post(shard, draft("4"))
        for outcome, told in ((repeated, (2, True)), (newer, (4, False))):
            assert isinstance(outcome, Posted)
            self.assertEqual(told, (outcome.message.mid, outcome.repeated))

    async def everything(self, shard: ServerShard) -> Sequence[Any]:
        """What people have written and how far they are."""
        texts = await shard.messages.history(PAIR, 0, None, 9)
        logs = [await self.log(shard, who.number) for who in (ADA, BOB)]
        self.assertEqual(2, len(texts))
        state = await shard.readers.open(BOB.number, PHONE, NOW)
        return texts, logs, attrs.evolve(state, session=0)  # This look counts as one.

    def drop(self) -> None:
        """Remove what the page has made."""
        for what in (
            "DATABASE IF EXISTS timtw",
            "DATABASE IF EXISTS timtw2",
            f"{self.owner} timtw",
        ):
            self.server.ask(f"DROP {what}")
