"""Writes docs/reference/defects.md: ``python -m timtw.test.defectspage > PAGE``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from timtw.test.defects import DEFECTS, Defect

HEAD = """\
# Known defects of the older server, and what keeps them out

The existing TIM clients were written for another server, in which the faults below were
found. For each one that conversations of people and groups can show, this page names
the tests of timtw that would see it, or says why it cannot occur, or which feature of a
later version it belongs to. Faults of clusters are not listed.

Each test is named after the faults that it would see. The page is made from the names
by `python -m timtw.test.defectspage`; another test compares the two.
One test is run by `python -m twisted.trial timtw.test.NAME`.
"""

CHAPTERS = {
    "D": "Delivery and the backlog",
    "L": "Logins, sessions, devices",
    "H": "History",
    "X": "Limits and abuse",
    "Q": "Behaviour towards clients",
    "I": "Identity and secrets",
    "A": "Rights",
    "R": "Friends and blocks",
    "G": "Groups",
    "P": "Presence",
    "V": "Virtual rooms and streams",
}

_IN_CLASS: Final = re.compile(r"([A-OQ-Z]\d+)[A-Z]")
"""Classes that begin with P and a number are named after promises."""
_IN_METHOD: Final = re.compile(r"test((?:_[a-z]\d+)+)_")


def numbers_of(case: str, method: str) -> set[str]:
    """The faults that a test of a class is named after."""
    found = {match[1] for match in [_IN_CLASS.match(case)] if match}
    named = _IN_METHOD.match(method)
    if named:
        found |= {number.upper() for number in named[1].split("_")[1:]}
    return {number for number in found if number[0] in CHAPTERS}


def named_tests() -> dict[str, list[str]]:
    """The tests that are named after each fault, below ``timtw.test``."""
    tests: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = import_module(f"timtw.test.{path.stem}")
        for case, found in sorted(vars(module).items()):
            is_case = isinstance(found, type) and issubclass(found, SynchronousTestCase)
            if not is_case or found.__module__ != module.__name__:
                continue
            for method in dir(found):
                if method.startswith("test_"):
                    for number in numbers_of(case, method):
                        name = f"{path.stem}.{case}.{method}"
                        tests.setdefault(number, []).append(name)
    return tests


def answer(defect: Defect, tests: list[str]) -> str:
    """The last cell of a row."""
    if defect.never:
        return f"does not apply: {defect.never}"
    if defect.later:
        return f"belongs to a later version: {defect.later}"
    return "<br>".join(f"`{test}`" for test in tests)


def page() -> Iterator[str]:
    """The lines of the page."""
    tests = named_tests()
    yield HEAD
    for letter, title in CHAPTERS.items():
        yield f"## {title}\n"
        yield "| number | what went wrong | seen by |"
        yield "|---|---|---|"
        for one in DEFECTS:
            if one.number[0] == letter:
                seen_by = answer(one, tests.get(one.number, []))
                yield f"| {one.number} | {one.title} | {seen_by} |"
        yield ""


def text() -> str:
    """The page."""
    return "\n".join(page()).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
