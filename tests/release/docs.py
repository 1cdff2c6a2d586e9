# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.docs: build the site of the documentation into build/docs/build/html.

Fails on every warning of antsibull-docs and Sphinx. References to the sites of others are checked only where these can
be reached.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.release.check import ROOT

FOLDER = ROOT / "build/docs"
UNREACHABLE = "WARNING: failed to reach any of the inventories"
# What others document: labels and environment variables that are not of this collection.
OF_OTHERS = re.compile(
    r"WARNING: undefined label: '(?!ansible_collections\.steadyops\.)"
    r"|WARNING: 'envvar' reference target not found: ANSIBLE_"
)


def sorted_out(lines: Iterable[str]) -> tuple[list[str], int]:
    """The warnings and errors of a build, and how many references to others could not be checked."""
    warnings = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL|SEVERE)\b", line)]
    offline = any(UNREACHABLE in line for line in warnings)
    unchecked = [line for line in warnings if offline and OF_OTHERS.search(line)]
    ours = [line for line in warnings if line not in unchecked and UNREACHABLE not in line]
    return ours, len(unchecked)


def main() -> int:
    programs = Path(sys.executable).parent
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    initialise = ["sphinx-init", "--use-current", "--fail-on-error", "--dest-dir", str(FOLDER), "steadyops.ecs"]
    subprocess.run([programs / "antsibull-docs", *initialise], check=True)
    built = subprocess.run(
        [FOLDER / "build.sh"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    found, unchecked = sorted_out(built.stdout.splitlines())
    print(built.stdout)
    if not (FOLDER / "build/html/index.html").exists():
        found.append("There is no build/docs/build/html/index.html")
    if found:
        print("\n".join(["", *found]))
        return 1
    if unchecked:
        print(f"SKIP {unchecked} references to the sites of others, which cannot be reached")
    print(f"Open {FOLDER.relative_to(ROOT)}/build/html/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
