# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.mutants [FILE ...]: check that the unit tests notice small changes to files of ``_core``.

Existing tools do not fit: mutmut 3 derives a module's name from its path below the repository, but the collection is
imported from elsewhere under another name; cosmic-ray starts pytest, and with it Ansible, once for each of some hundred
mutants.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from .mutations import Mutant, mutants
from .trial import BrokenTests, Subject, Trials, subject

importlib.import_module("tests.conftest")  # it builds the collection and takes make's environment

ROOT = Path(__file__).parents[2]
CORE = Path("plugins/module_utils/_core")
JUSTIFIED = Path(__file__).parent / "justified.tsv"
ENOUGH = 95  # percent
Key = tuple[str, str, str, str]  # file, function, lines before and after


def key_of(path: Path, mutant: Mutant) -> Key:
    return path.as_posix(), mutant.function, mutant.before, mutant.after


def justified() -> dict[Key, str]:
    """Return the mutants that are equivalent to the original program, each with the reason."""
    with JUSTIFIED.open(newline="") as file:
        return {
            (row["file"], row["function"], row["before"], row["after"]): row["reason"]
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }


def changed() -> list[Path]:
    """Return the files of _core that differ from main, or from HEAD if there is no other main."""

    def git(*command: str) -> list[str]:
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.split() if not done.returncode else []

    base = (git("merge-base", "main", "HEAD") or ["HEAD"])[0]
    found = git("diff", "--name-only", "--diff-filter=d", base, "--", f"{CORE}/*.py")
    found += git("ls-files", "--others", "--exclude-standard", "--", f"{CORE}/*.py")
    return [Path(name).relative_to(CORE) for name in found]


def named(names: Iterable[str]) -> list[Path]:
    """Return the files that are named. Names of files and folders start at the root of the repository or at _core."""
    found: list[Path] = []
    for name in names:
        inside = Path(name).relative_to(CORE) if Path(name).is_relative_to(CORE) else Path(name)
        place = ROOT / CORE / inside
        if not place.exists():
            sys.exit(f"There is no {CORE / inside}. Name files or folders of {CORE}")
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        found += [file.relative_to(ROOT / CORE) for file in files]
    return found


def check(place: Subject, known: dict[Key, str], workers: int, until: float) -> tuple[bool, int]:
    """Return whether enough mutants of one file are killed or justified, and how many were not tried."""
    source = (ROOT / CORE / place.path).read_text()
    made = mutants(source)
    begun = time.monotonic()
    survived: list[Mutant] = []
    tried = 0
    for mutant, alive in Trials(place, source).run(made, workers, until):
        tried += 1
        if alive:
            survived.append(mutant)
    excused = [each for each in survived if key_of(place.path, each) in known]
    for each in sorted(survived, key=lambda each: each.line):
        if each not in excused:
            print(f"{CORE / place.path}:{each.line}: {each.function or 'module'}\n  - {each.before}\n  + {each.after}")
    lived = {key_of(place.path, each) for each in survived}
    for key in [key for key in known if key[0] == place.path.as_posix() and key not in lived]:
        if tried == len(made):
            print(f"{CORE / place.path}: {key[1]}: justified.tsv has a mutant that does not survive: {key[3]}")
    good = tried - len(survived) + len(excused)
    percent = 100 * good / tried if tried else 100.0
    print(
        f"{place.path}: {len(made)} mutants, {tried - len(survived)} killed, {len(excused)} justified, "
        f"{len(survived) - len(excused)} survived: {percent:.1f} % in {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    return percent >= ENOUGH, len(made) - tried


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Run the unit tests on mutants.")
    parser.add_argument("files", nargs="*", help="files or folders of _core; by default those that differ from main")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--minutes", type=float, default=15.0, help="no mutant starts later than that")
    options = parser.parse_args()
    os.chdir(ROOT)
    until = time.monotonic() + 60 * options.minutes
    files = [file for file in (named(options.files) if options.files else changed()) if file.name != "__init__.py"]
    if not files:
        print(f"No file of {CORE} differs from main. Name some with FILES=")
    known, bad, left = justified(), 0, 0
    for file in files:
        try:
            enough, rest = check(subject(ROOT, file), known, options.workers, until)
        except BrokenTests as broken:
            sys.exit(f"{file}: {broken}")
        bad += not enough
        left += rest
    if left:
        print(f"{left} mutants were not tried in {options.minutes:g} minutes. Name fewer files or raise --minutes")
    return 1 if bad or left else 0


if __name__ == "__main__":
    sys.exit(main())
