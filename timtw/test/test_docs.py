"""The documentation names what exists: headings, files, error codes, vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twisted.trial.unittest import SkipTest, SynchronousTestCase

import timtw
from timtw.model import errors
from timtw.test.wiredata import VECTORS

PACKAGE: Final = Path(timtw.__file__).parent
TOP: Final = PACKAGE.parent
PROTOCOL: Final = "docs/reference/protocol.md"
SOURCES: Final = (".py", ".pyi", ".thrift", ".js", ".html", ".css")
FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
PAGE: Final = re.compile(r"\bdocs/[\w./-]+?\.md\b")
SECTION: Final = re.compile(
    r"protocol\.md, sections? (\d+(?:\.\d+)*(?:(?:,| and| to) \d+(?:\.\d+)*)*|[A-Z]\w+)"
)
ROW: Final = re.compile(r"^\| (\d{4}) \| ([^|]+?) \| ([^|]+?) \|", re.MULTILINE)


def pages() -> Iterator[Path]:
    """Every page for readers."""
    if not (TOP / PROTOCOL).exists():
        raise SkipTest("this is not a checkout")
    yield from sorted(TOP.glob("*.md"))
    yield from sorted((TOP / "docs").rglob("*.md"))


def headings(page: Path) -> list[str]:
    """The headings of a page, without what only looks like one in an example."""
    return HEADING.findall(FENCE.sub("", page.read_text("utf-8")))


def anchor(heading: str) -> str:
    """The fragment by which a link names a heading."""
    kept = re.sub(r"[^\w\s-]", "", heading.lower())
    return re.sub(r"\s", "-", kept)


def sources() -> Iterator[tuple[Path, str]]:
    """The files of the package as running text: no line ends, no comment signs."""
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in SOURCES and path.is_file():
            text = re.sub(r"\n\s*(?:#|//|\*)?", " ", path.read_text("utf-8"))
            yield path, re.sub(r"\s+", " ", text)


def numbered() -> tuple[set[str], set[str]]:
    """The numbers of the protocol's sections, and their titles."""
    split = [h.partition(" ") for h in headings(TOP / PROTOCOL)]
    sections = [(n, title) for n, _, title in split if n[0].isdigit()]
    return {n for n, _ in sections}, {title for _, title in sections}


class ReferenceTests(SynchronousTestCase):
    """Whoever follows a reference from the code arrives somewhere."""

    def test_pages_exist(self) -> None:
        """Every page of docs/ that the code names exists."""
        list(pages())
        missing = [
            (path.name, name)
            for path, text in sources()
            for name in PAGE.findall(text)
            if not (TOP / name).exists()
        ]
        self.assertEqual([], missing)

    def test_sections_exist(self) -> None:
        """Every section of the protocol that the code names exists."""
        list(pages())
        numbers, titles = numbered()
        seen, missing = 0, []
        for path, text in sources():
            for found in SECTION.finditer(text):
                seen += 1
                named = found[1]
                rest = text[found.start(1) :]
                if named[0].isdigit():
                    known = set(re.findall(r"\d+(?:\.\d+)*", named)) <= numbers
                else:
                    known = any(rest.startswith(title) for title in titles)
                if not known:
                    missing.append((path.name, named))
        self.assertEqual([], missing)
        self.assertGreater(seen, 20)

    def test_links(self) -> None:
        """Every link from page to page leads to a file and a heading."""
        broken = []
        for page in pages():
            for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
                if re.match("[a-z]+:", target):
                    continue
                name, _, fragment = target.partition("#")
                file = (page.parent / name) if name else page
                is_page = file.suffix == ".md" and file.exists()
                anchors = [anchor(one) for one in headings(file)] if is_page else []
                if not file.exists() or (fragment and fragment not in anchors):
                    broken.append((page.name, target))
        self.assertEqual([], broken)


class TableTests(SynchronousTestCase):
    """The tables of the protocol are those of the program."""

    def test_error_codes(self) -> None:
        """Each code with its text and its remedy is listed, and no other."""
        list(pages())
        text = (TOP / PROTOCOL).read_text("utf-8")
        start = text.index("\n## 8 ")
        rows = ROW.findall(text[start : text.index("\n## 9 ")])
        classes = errors.TimError.__subclasses__()
        self.assertEqual(
            sorted((str(e.code), e.info, e.remedy.value) for e in classes), rows
        )

    def test_vectors(self) -> None:
        """The vectors for authors of codecs are those that ours pass."""
        list(pages())
        text = (TOP / PROTOCOL).read_text("utf-8")
        blocks = re.findall(r"```\n(Tim\w+)\n([0-9a-f]+)\n(\{.*\})\n```", text)
        given = [(name, bytes.fromhex(t), json.loads(j)) for name, t, j in blocks]
        ours = [
            (type(value).__name__, bytes.fromhex(t), json.loads(j))
            for value, t, j in VECTORS
        ]
        self.assertEqual(ours, given)
