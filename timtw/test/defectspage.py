"""Writes docs/reference/defects.md: ``python -m timtw.test.defectspage > PAGE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from timtw.test.defects import DEFECTS, Defect

HEAD = """\
# Known defects of the older server, and what keeps them out

The existing TIM clients were written for another server, in which the faults below were
found. For each one that conversations of two people can show, this page names the tests
of timtw that would see it, or says why it cannot occur, or which feature of a later
version it belongs to. Faults of rooms, friends, presence and clusters are not listed.

The page is made by `python -m timtw.test.defectspage`; a test compares it and looks for
each test that is named. One test is run by `python -m twisted.trial timtw.test.NAME`.
"""

CHAPTERS = {
    "D": "Delivery and the backlog",
    "L": "Logins, sessions, devices",
    "H": "History",
    "X": "Limits and abuse",
    "Q": "Behaviour towards clients",
    "I": "Identity and secrets",
}


def answer(defect: Defect) -> str:
    """The last cell of a row."""
    if defect.never:
        return f"does not apply: {defect.never}"
    if defect.later:
        return f"belongs to a later version: {defect.later}"
    return "<br>".join(f"`{test}`" for test in defect.tests)


def page() -> Iterator[str]:
    """The lines of the page."""
    yield HEAD
    for letter, title in CHAPTERS.items():
        yield f"## {title}\n"
        yield "| number | what went wrong | seen by |"
        yield "|---|---|---|"
        for defect in DEFECTS:
            if defect.number[0] == letter:
                yield f"| {defect.number} | {defect.title} | {answer(defect)} |"
        yield ""


def text() -> str:
    """The page."""
    return "\n".join(page()).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
