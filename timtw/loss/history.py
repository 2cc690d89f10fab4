"""One history from its seed to what came of it."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from pathlib import Path
from threading import Event

import attrs

from timtw.loss.faults import Plan
from timtw.loss.judge import judge
from timtw.loss.observations import Arrived, Began, Damaged, Refusal
from timtw.loss.play import Play
from timtw.loss.story import story
from timtw.loss.template import Template
from timtw.loss.trace import Finding


@attrs.frozen
class Report:
    """
    What came of one history.

    Args:
        faults: What the node was hindered by.
        repeats: Texts that came to a device once more.
        refusals: What the node has refused.
        damaged: Stored texts that were damaged.
        stories: What happened in the matter of each finding, line by line.
    """

    seed: int
    faults: tuple[str, ...]
    texts: int
    echoes: int
    repeats: int
    refusals: int
    damaged: int
    seconds: float
    findings: tuple[Finding, ...]
    stories: tuple[tuple[str, ...], ...]


def run_history(
    template: Template,
    seed: int,
    stop: Event | None = None,
    plan: Plan | None = None,
) -> Report:
    """
    Play one history on a copy of the template, and judge it.

    Args:
        plan: What happens; drawn if there is none.

    Raises Stopped: ``stop`` was set meanwhile.
    """
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="timtw-loss-"))
    try:
        node = template.node.copy(directory / "node", random.Random(f"{seed} node"))
        play = Play(template, node, seed, stop, plan)
        play.run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    history = play.history
    arrived = [seen for seen in history if isinstance(seen, Arrived)]
    findings = tuple(
        finding
        for finding in judge(template.cast, history)
        # Where the node did not come back, nobody could get anything from it.
        if play.complete or finding.kind not in ("lost", "misnumbered")
    )
    return Report(
        seed,
        tuple(seen.fault for seen in history if isinstance(seen, Began)),
        len({seen.body for seen in arrived}),
        len(play.echoed),
        len(arrived) - len({(seen.device, seen.body) for seen in arrived}),
        sum(isinstance(seen, Refusal) for seen in history),
        sum(isinstance(seen, Damaged) for seen in history),
        time.monotonic() - began,
        findings,
        tuple(tuple(story(template.cast, history, one)) for one in findings),
    )
