# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.docs: build the site of the documentation into build/docs/build/html.

Fails on every warning of antsibull-docs and Sphinx. If other projects' sites cannot be reached, references to them are
looked up in what is installed: modules in their collections, settings in ansible-core, and labels of antsibull-docs in
its templates.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.release.check import ROOT

FOLDER = ROOT / "build/docs"
PACKAGES = Path(sysconfig.get_paths()["purelib"])
UNREACHABLE = "WARNING: failed to reach any of the inventories"
# References to what others document: labels and environment variables that do not belong to this collection.
OF_OTHERS = re.compile(
    r"WARNING: undefined label: '(?!ansible_collections\.steadyops\.)(?P<label>[\w.]+)'"
    r"|WARNING: 'envvar' reference target not found: (?P<setting>ANSIBLE_\w+)"
)
MODULE = re.compile(r"ansible_collections\.(\w+)\.(\w+)\.(\w+)_module")


def sorted_out(lines: Iterable[str]) -> tuple[list[str], int]:
    """Return the warnings and errors of a build, and how many references to others could not be checked."""
    warnings = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL|SEVERE)\b", line)]
    offline = any(UNREACHABLE in line for line in warnings)
    others = {line: found for line in warnings if offline and (found := OF_OTHERS.search(line))}
    unchecked = [line for line, found in others.items() if not is_installed(found["label"], found["setting"])]
    return [line for line in warnings if line not in others and UNREACHABLE not in line], len(unchecked)


def is_installed(label: str | None, setting: str | None) -> bool:
    """Return whether the target of a reference is part of an installed program or collection."""
    if setting:
        return re.search(rf"\b{setting}\b", (PACKAGES / "ansible/config/base.yml").read_text()) is not None
    if module := MODULE.fullmatch(label or ""):
        namespace, name, plugin = module.groups()
        return (PACKAGES / "ansible_collections" / namespace / name / f"plugins/modules/{plugin}.py").exists()
    return any(f"`{label}`" in each.read_text() or f"<{label}>" in each.read_text() for each in templates())


def templates() -> Iterator[Path]:
    return (PACKAGES / "antsibull_docs/data/docsite").rglob("*.j2")


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
        print(f"SKIP {unchecked} references to others, whose sites cannot be reached, and which are not installed")
    if UNREACHABLE in built.stdout:
        print("Sphinx could not reach other projects' sites. References to them were looked up in what is installed.")
    print(f"Open {FOLDER.relative_to(ROOT)}/build/html/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
