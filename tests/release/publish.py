# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.publish VERSION: make a release, but do not publish it.

Refuses what cannot be released, runs the gates, writes version and changelog, builds the artifact, checks it, commits
and tags. If anything fails, the working tree is as it was. Pushing and publishing cannot be undone, so this program
only prints these commands and leaves them to you.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.release import check
from tests.release.artifact import archive
from tests.release.check import ROOT

BRANCH = "main"
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# Files that contain the version -> pattern that finds it there.
PLACES = {
    "galaxy.yml": r"(?m)(?<=^version: )\S+$",
    "plugins/module_utils/_amazon.py": r'(?m)(?<=^VERSION = ")[^"]+',
}
OF_THE_ARTIFACT = ("artifact", "galaxy-importer")


@dataclass(frozen=True)
class Repository:
    branch: str
    changes: tuple[str, ...]  # files that are changed or new
    tags: tuple[str, ...]
    releases: tuple[str, ...]  # in changelogs/changelog.yaml
    fragments: tuple[str, ...]


def refusal(version: str, found: Repository) -> str | None:
    """Return why the version cannot be released."""
    if not SEMANTIC.fullmatch(version):
        return f"VERSION must be like 1.2.3 (got '{version}')."
    if found.branch != BRANCH:
        return f"Releases are made on {BRANCH}, and this is {found.branch or 'no branch'}. Run: git switch {BRANCH}"
    if found.changes:
        return f"Commit or remove these changes first: {', '.join(found.changes)}"
    if version in found.releases or {version, f"v{version}"} & set(found.tags):
        return f"{version} exists. Choose another version."
    newest = max(map(numbers, found.releases), default=(0, 0, 0))
    if numbers(version) < newest:
        return f"{version} is older than the release {'.'.join(map(str, newest))}."
    if not found.fragments:
        return "There is nothing to release: changelogs/fragments is empty."
    return None


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def with_version(text: str, place: str, version: str) -> str:
    """Return the text of a file with the version in its place. Raises ValueError if there is not exactly one place."""
    changed, count = re.subn(place, version, text)
    if count != 1:
        raise ValueError(f"the version stands in {count} places")
    return changed


def git(*arguments: str) -> list[str]:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def look() -> Repository:
    changelog = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())
    return Repository(
        branch="".join(git("branch", "--show-current")),
        changes=tuple(line[3:] for line in git("status", "--porcelain")),
        tags=tuple(git("tag", "--list")),
        releases=tuple(changelog["releases"]),
        fragments=tuple(path.name for path in (ROOT / "changelogs/fragments").glob("*.yml")),
    )


def write(version: str) -> None:
    """Write the version and the changelog."""
    for name, place in PLACES.items():
        path = ROOT / name
        path.write_text(with_version(path.read_text(), place, version))
    program = Path(sys.executable).parent / "antsibull-changelog"
    # antsibull-changelog lists new modules from a copy of the files that git knows.
    subprocess.run([program, "release", "--version", version], cwd=ROOT, check=True)


def take_back() -> None:
    git("reset", "-q", "--hard")
    git("clean", "-qfd", "--", "changelogs", "CHANGELOG.md")


def next_commands(version: str) -> Iterable[str]:
    yield f"git push origin {BRANCH} {version}"
    yield f"ansible-galaxy collection publish {archive().relative_to(ROOT)}"


def main(arguments: list[str]) -> int:
    version = arguments[0] if arguments else ""
    reason = refusal(version, look())
    if reason:
        print(reason)
        return 2
    gates = [name for name in check.GATES if name in arguments[1:] or not arguments[1:]]
    if check.main(gates):
        print(f"{version} is not released, because not every gate is green.")
        return 1
    try:
        write(version)
        subprocess.run(["make", "-s", "build"], cwd=ROOT, env=check.environment(), check=True)
        git("add", "--all")
        green = check.main([name for name in OF_THE_ARTIFACT if name in gates]) == 0
    except subprocess.CalledProcessError as error:
        take_back()
        print(f"{version} is not released: {error}")
        return 1
    except KeyboardInterrupt:
        take_back()
        raise
    if not green:
        take_back()
        print(f"{version} is not released, because not every gate of its artifact is green.")
        return 1
    git("commit", "-q", "-m", f"Release {version}")
    git("tag", "-a", "-m", f"Release {version}", version)
    print(f"Released {version} here. Look at CHANGELOG.md and {archive().relative_to(ROOT)}, then run:")
    print("\n".join(f"    {command}" for command in next_commands(version)))
    if len(gates) < len(check.GATES):
        print(f"Of the gates, only these were run: {', '.join(gates)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
