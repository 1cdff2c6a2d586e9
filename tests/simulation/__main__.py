# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.simulation --seed 17`` replays one play; ``--runs 100000`` plays many."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from .fleet import draw_fleet, play_fleet
from .invariants import Broken
from .play import play
from .scenario import FAMILIES

FLEET = "fleet"  # plays of several services in one process


def _hangs(_number: int, _frame: object) -> None:
    raise Broken("it goes round without a pause")


def play_one(family: str, number: int) -> Counter[str]:
    """Return the outcome counts of one play. Raises Broken if an invariant fails."""
    if family == FLEET:
        fleet = play_fleet(draw_fleet(number))
        return fleet.statuses + Counter(killed=fleet.killed, calls=fleet.calls)
    done = play(FAMILIES[family](number))
    return Counter(report.status for report in done.reports) + Counter(killed=done.killed, calls=done.calls)


def play_range(first: int, count: int, family: str = "stop_task") -> tuple[Counter[str], list[str]]:
    """Return the outcome counts of the plays, and one line for each broken play."""
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    signal.signal(signal.SIGPROF, _hangs)
    for number in range(first, first + count):
        signal.setitimer(signal.ITIMER_PROF, 60)  # seconds of processor time: a busy machine is not the engine's fault
        try:
            outcomes.update(play_one(family, number))
        except Broken as failure:
            broken.append(f"scenario {number}: {failure}")
            continue
        except Exception:  # noqa: BLE001 - a crash of the engine is as bad, and must say its number too
            broken.append(f"scenario {number}: {traceback.format_exc()}")
            continue
    signal.setitimer(signal.ITIMER_PROF, 0)
    return outcomes, broken


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play just this one, and tell what happens")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--method", choices=[*FAMILIES, FLEET], default="stop_task")
    options = parser.parse_args()
    if options.seed is not None and options.method == FLEET:
        fleet = play_fleet(draw_fleet(options.seed))
        print(fleet.scenario)
        for change in fleet.cluster.journal:
            print(change)
        for report in fleet.reports:
            print(report.as_dict({}), report.message)
        return 0
    if options.seed is not None:
        scenario = FAMILIES[options.method](options.seed)
        print(scenario)
        result = play(scenario)
        for change in result.cluster.journal:
            print(change)
        for report in result.reports:
            print(report.as_dict(), report.message)
        return 0
    began = time.perf_counter()
    slices = [
        (first, min(250, options.first + options.runs - first))
        for first in range(options.first, options.first + options.runs, 250)
    ]
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    with ProcessPoolExecutor(options.workers) as pool:
        for some_outcomes, some_broken in pool.map(play_range, *zip(*slices, strict=True), repeat(options.method)):
            outcomes.update(some_outcomes)
            broken.extend(some_broken)
            for line in some_broken:
                print(line, flush=True)
    print(f"{options.runs} plays in {time.perf_counter() - began:.0f} s, {len(broken)} broken; {dict(outcomes)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
