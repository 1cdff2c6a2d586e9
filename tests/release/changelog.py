# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.changelog: check that antsibull-changelog can release the version in galaxy.yml.

It makes the release in a clone of the last commit, so nothing changes here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.release.check import ROOT

# Sections that only make sense compared with an earlier release.
OF_LATER_RELEASES = ("minor_changes", "breaking_changes", "deprecated_features", "removed_features", "bugfixes")


def findings(changelog: str, releases: Mapping[str, Any], version: str, modules: set[str]) -> list[str]:
    """Return what is wrong with CHANGELOG.md and the releases in changelog.yaml after ``version`` was released."""
    if version not in releases:
        return [f"There is no release {version}"]
    release = releases[version]
    found = [f"CHANGELOG.md shows {markup} as it is" for markup in sorted(set(re.findall(r"\b[A-Z]\\\(", changelog)))]
    if "release_summary" not in release.get("changes", {}):
        found.append(f"{version} has no release_summary")
    if len(releases) == 1:
        sections = [name for name in OF_LATER_RELEASES if name in release.get("changes", {})]
        found += [f"{version} is the first release and has {name}" for name in sections]
        listed = {each["name"] for each in release.get("modules", [])}
        found += [f"The new module {name} is not listed" for name in sorted(modules - listed)]
    return found


def main() -> int:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    version = galaxy["version"]
    program = Path(sys.executable).parent / "antsibull-changelog"
    with tempfile.TemporaryDirectory() as scratch:
        # In this folder, ansible-doc finds the clone and its modules.
        clone = Path(scratch) / f"ansible_collections/{galaxy['namespace']}/{galaxy['name']}"
        subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", clone], check=True)
        released = yaml.safe_load((clone / "changelogs/changelog.yaml").read_text())["releases"]
        if version not in released:
            subprocess.run([program, "release", "--version", version], cwd=clone, check=True)
        subprocess.run([program, "lint"], cwd=clone, check=True)
        found = findings(
            (clone / "CHANGELOG.md").read_text(),
            yaml.safe_load((clone / "changelogs/changelog.yaml").read_text())["releases"],
            version,
            {path.stem for path in (clone / "plugins/modules").glob("*.py")},
        )
    print("\n".join(found) or f"{version}: {', '.join(sorted(released)) or 'nothing'} was released before")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
