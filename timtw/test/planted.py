"""Runs a node with a bug in it, which can be hindered like that of the loss checker.

python -m timtw.test.planted foreign-ack -n tim --config=node.ini
"""

from __future__ import annotations

import sys

from timtw.loss import launcher


def planted(bug: str) -> list[str]:
    """What runs twistd with this bug in the node."""
    return [sys.executable, "-m", __name__, bug]


def plant(bug: str) -> None:
    """Change the program in memory."""
    # Not at the top: the clock has to be the launcher's before Twisted is imported.
    from timtw.test.bugs import BUGS

    BUGS[bug]()


if __name__ == "__main__":
    launcher.main(sys.argv[2:], lambda: plant(sys.argv[1]))
