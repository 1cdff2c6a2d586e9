# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench: measure time and calls of a recycle for services of many sizes, beside the source's algorithm.

Also measures the time that a storm of refused launches takes.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from datetime import timedelta
from itertools import pairwise

from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount

from .course import CALL, LATENCIES, PER_TASK, Outcome
from .engine import recycle_with_engine
from .source import LAMBDA_LIMIT, recycle_like_the_source
from .storm import MOST_SECONDS, RECORDS, seconds_of_storm

SIZES = (3, 10, 30, 100, 300, 1000)
MOST_TIME = 1.10  # times the shortest possible time: tasks x (reaction + launch + health)
MOST_CALLS = 15  # per replaced task
HEADINGS = ("tasks", "", "time", "of ideal", "calls", "per task", "launches", "least healthy", "")
WIDTHS = (5, 22, 8, 9, 6, 9, 9, 14, 0)


def main() -> int:
    print(
        f"Reaction {LATENCIES.reaction:.0f} s, launch {LATENCIES.launch:.0f} s, health {LATENCIES.health:.0f} s, a call"
        f" {CALL} s; container health check, scalable target. Ideal: {PER_TASK:.0f} s for each task.\n"
    )
    show(HEADINGS)
    one_by_one, tenths = [], []
    cpu = 0.0
    for tasks in SIZES:
        began = time.process_time()
        one_by_one.append(recycle_with_engine(tasks, Amount(1)))
        cpu = time.process_time() - began
        tenths.append(recycle_with_engine(tasks, Amount(10, percent=True)))
        show(row("one at a time", one_by_one[-1]))
        show(row('batch_size: "10%"', tenths[-1]))
        source = recycle_like_the_source(tasks)
        show(row("source", source))
        if source.seconds >= LAMBDA_LIMIT:
            show(row("source, no time limit", recycle_like_the_source(tasks, limit=math.inf)))
        print()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(f"The source is a Lambda function, which AWS ends after {LAMBDA_LIMIT:.0f} s.")
    print(f"{SIZES[-1]} tasks one at a time: {cpu:.1f} s of CPU, {peak:.0f} MB, the simulated cluster included.\n")
    verdicts = [verdict(*each) for each in limits(one_by_one, tenths)]
    verdicts.append(verdict(f"seconds for {RECORDS} refused launches", seconds_of_storm(), MOST_SECONDS))
    return 0 if all(verdicts) else 1


def limits(one_by_one: list[Outcome], tenths: list[Outcome]) -> list[tuple[str, float, float]]:
    """Return (description, worst measured value, limit) for each limit."""
    every = [*one_by_one, *tenths]
    per_task = [each.calls / each.replaced for each in one_by_one]
    return [
        ("time, of tasks x ideal", max(each.seconds / each.tasks / PER_TASK for each in one_by_one), MOST_TIME),
        ("calls per replaced task", max(each.calls / each.replaced for each in every), MOST_CALLS),
        ("growth of calls per task with size", max(b / a for a, b in pairwise(per_task)), 1.05),
        ('time with "10%", of ten steps', max(each.seconds for each in tenths) / PER_TASK / 10, MOST_TIME),
        # In a long last step, ECS may look between a stop and the lower count, and start one more task.
        ("launches, of tasks", max(each.launches / each.tasks for each in every), 1.01),
        ("healthy tasks below the desired count", max(each.tasks - each.least_healthy for each in every), 0),
        ("tasks not replaced", max(each.tasks - each.replaced for each in every), 0),
    ]


def verdict(what: str, worst: float, limit: float) -> bool:
    good = worst <= limit
    print(f"{'pass' if good else 'FAIL'}  {what}: {worst:.3g} (at most {limit:g})")
    return good


def row(who: str, one: Outcome) -> tuple[str, ...]:
    return (
        str(one.tasks),
        who,
        str(timedelta(seconds=round(one.seconds))),
        f"{one.seconds / one.tasks / PER_TASK:.2f}",
        str(one.calls),
        f"{one.calls / one.replaced:.1f}" if one.replaced else "-",
        str(one.launches),
        str(one.least_healthy),
        one.remark,
    )


def show(cells: tuple[str, ...]) -> None:
    texts = [cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True)]
    texts[1] = cells[1].ljust(WIDTHS[1])
    print("  ".join(texts).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
