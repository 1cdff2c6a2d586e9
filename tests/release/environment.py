# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a separate environment for a tool from a list of requirements with hashes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.release.check import CANNOT_RUN, ROOT
from tests.versions.__main__ import find_python


def programs(name: str) -> Path:
    """Install requirements/NAME.txt into build/release/NAME unless it is there. Return the folder of programs.

    Ends the gate if the package index cannot be reached.
    """
    requirements = ROOT / f"requirements/{name}.txt"
    folder = ROOT / "build/release" / name
    done = folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not done.exists() or done.read_text() != wanted:
        uv = str(Path(sys.executable).parent / "uv")
        python = str(folder / "bin/python")
        _run(uv, "venv", "-q", "--clear", "--python", newest_python(), str(folder))
        _run(uv, "pip", "install", "-q", "--require-hashes", "--python", python, "-r", str(requirements))
        done.write_text(wanted)
    return folder / "bin"


def newest_python() -> str:
    """Return a Python that the newest ansible-core supports, or the running one if there is none."""
    return next(filter(None, map(find_python, ("3.13", "3.12", "3.14"))), sys.executable)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr)
        unreachable = ("Failed to fetch", "error sending request", "dns error", "Network is unreachable")
        if any(words in done.stderr for words in unreachable):
            print(f"{CANNOT_RUN}the package index cannot be reached")
        sys.exit(1)
