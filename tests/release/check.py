# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.check [GATE ...]: run every gate before a release, and print one line for each.

The output of a gate goes to build/release/GATE.log. A gate ends with a status other than 0 if it failed. It reports
what it could not check in lines that begin with ``SKIP``, and why it cannot run at all in a last line ``CANNOT RUN:
reason``. Exits with 0 only if every gate ran and is green.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "build/release"
CANNOT_RUN = "CANNOT RUN: "
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # removed, so that a make started here is not a sub-make
SHOWN = 20  # number of last lines shown of a gate that failed
PYTHON = sys.executable


def make(target: str) -> tuple[str, ...]:
    return "make", "-s", "--no-print-directory", target


# Name -> command. Quick ones come first.
GATES: dict[str, tuple[str, ...]] = {
    "lint": make("lint"),
    "licences": make("licences"),
    "changelog": (PYTHON, "-m", "tests.release.changelog"),
    "docs": make("docs"),
    "artifact": (PYTHON, "-m", "tests.release.artifact"),
    "galaxy-importer": (PYTHON, "-m", "tests.release.importer"),
    "ansible-lint": make("ansible-lint"),
    "sanity": make("sanity"),
    "integration": make("integration"),
    "tests": make("all-tests"),
    "molecule": make("molecule"),
    "matrix": make("matrix"),
    "simulations": make("simulations"),
}
# This gate computes for an hour and never waits, so it runs beside the others on the processor time that they leave.
BESIDE = "simulations"
# Some tests already run at the lowest priority, so it runs below that where Linux can do so. Linux divides the time
# between sessions first, and a priority counts only within one. So the session gets the lowest priority, too: without
# that, molecule took more than 400 s instead of 50 s.
_LEAST = "chrt --idle 0" if shutil.which("chrt") else "nice -n 19"
LEAST = ("sh", "-c", f'{{ echo 19 > /proc/self/autogroup; }} 2>/dev/null; exec {_LEAST} "$@"', "sh")


@dataclass(frozen=True)
class Verdict:
    kind: str  # "ok", "FAILED" or "cannot run"
    notes: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        return self.kind == "ok" and not self.notes


def verdict(status: int, output: str) -> Verdict:
    """Judge a gate by its exit status and what it printed."""
    lines = output.strip().splitlines()
    reasons = [line.partition(CANNOT_RUN)[2] for line in lines if line.startswith(CANNOT_RUN)]
    if reasons:
        return Verdict("cannot run", (reasons[-1],))
    if status:
        return Verdict("FAILED", tuple(lines[-SHOWN:]))
    notes = [line.removeprefix("SKIP").strip() for line in lines if line.startswith("SKIP")]
    notes += re.findall(r"\b\d+ skipped\b", lines[-1] if lines else "")
    return Verdict("ok", tuple(notes))


def line_of(name: str, result: Verdict, seconds: float) -> str:
    if result.kind == "cannot run":
        return f"{name}: cannot run, {result.notes[0]}"
    skipped = f", not checked: {'; '.join(result.notes)}" if result.kind == "ok" and result.notes else ""
    return f"{name}: {result.kind}, {seconds:.0f} s{skipped}"


def summary(results: dict[str, Verdict]) -> str:
    """Return what is green and what is not, one line for each group."""
    groups = {
        "green": [name for name, each in results.items() if each.green],
        "green in part": [name for name, each in results.items() if each.kind == "ok" and each.notes],
        "failed": [name for name, each in results.items() if each.kind == "FAILED"],
        "cannot run here": [name for name, each in results.items() if each.kind == "cannot run"],
        "not asked for": [name for name in GATES if name not in results],
    }
    return "\n".join(f"{words}: {', '.join(names)}" for words, names in groups.items() if names)


def is_missing(command: Sequence[str]) -> bool:
    """Return whether a gate is a module of ``tests`` that does not exist."""
    if command[:2] != (PYTHON, "-m"):
        return False
    path = ROOT / command[2].replace(".", "/")
    return not (path.with_suffix(".py").exists() or (path / "__main__.py").exists())


def environment() -> dict[str, str]:
    """Return the environment for programs started here, without the variables of the make that started this one."""
    return {key: value for key, value in os.environ.items() if key not in OF_MAKE}


@dataclass(frozen=True)
class Running:
    """A gate that was started, in a session of its own."""

    name: str
    began: float
    process: subprocess.Popen[bytes]

    def end(self) -> None:
        """End the gate with everything that it has started in its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)  # a job in the background ignores SIGINT
        self.process.wait()


def log_of(name: str) -> Path:
    return LOGS / f"{name}.log"


def start(name: str) -> Running:
    command = (*LEAST, *GATES[name]) if name == BESIDE else GATES[name]
    with log_of(name).open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Running(name, time.monotonic(), process)


def finish(gate: Running) -> Verdict:
    """Wait for a gate, print how it ended, and return its verdict."""
    try:
        status = gate.process.wait()
    except BaseException:
        gate.end()
        raise
    return tell(gate.name, verdict(status, log_of(gate.name).read_text()), time.monotonic() - gate.began)


def tell(name: str, result: Verdict, seconds: float = 0.0) -> Verdict:
    """Print how a gate ended."""
    lines = [line_of(name, result, seconds)]
    if result.kind == "FAILED":
        lines += [f"    {line}" for line in (*result.notes, f"All of it is in build/release/{name}.log")]
    print("\n".join(lines), flush=True)
    return result


def report(name: str) -> Verdict:
    """Run a gate, print how it ended, and return its verdict."""
    command = GATES[name]
    if is_missing(command):
        return tell(name, Verdict("cannot run", (f"there is no {command[2]}",)))
    return finish(start(name))


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in GATES]
    if unknown:
        print(f"There is no gate {', '.join(unknown)}. There are {', '.join(GATES)}")
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    chosen = list(names or GATES)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends the gates, as an interrupt does
    beside: list[Running] = []
    with ThreadPoolExecutor(max_workers=1) as thread:
        try:
            beside += [start(name) for name in chosen if name == BESIDE]
            ends = {gate.name: thread.submit(finish, gate) for gate in beside}
            results = {name: report(name) for name in chosen if name != BESIDE}
            results |= {name: end.result() for name, end in ends.items()}
        except BaseException:
            for gate in beside:
                gate.end()
            raise
    print(summary(results))
    return 0 if all(each.kind == "ok" for each in results.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
