# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.artifact: check what the archive for users contains, and that it works without the rest.

Installs the archive in a scratch folder, verifies it, removes everything that plugins, roles and playbooks must not
need, and runs all roles in check mode with what is left.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from tests.release.check import ROOT
from tests.sandbox.client import Sandbox
from tests.versions.__main__ import play_of
from tests.versions.flows import FLOWS

# Where files of the artifact may be. A file anywhere else got there by accident.
PLACES = re.compile(
    r"""(?x)
    (CHANGELOG|CONTRIBUTING|README)\.md | LICENSE | LICENSES/[\w.-]+\.txt | REUSE\.toml | requirements\.txt
    | MANIFEST\.json | FILES\.json
    | \.config/ansible-lint\.yml
    | changelogs/(changelog|config)\.yaml
    | docs/docsite/([\w-]+\.yml|rst/[\w-]+\.rst)
    | extensions/eda/(README\.md|(rulebooks|plugins/event_filter)/\w+\.(yml|py))
    | meta/(runtime|execution-environment)\.yml
    | playbooks/\w+\.yml
    | plugins/\w+/([\w/]+\.py|\w+\.yml)
    | roles/\w+/(README\.md|(defaults|meta|tasks|vars)/\w+\.yml|files/[\w./-]+)
    """
)
MADE = {"MANIFEST.json", "FILES.json"}  # by ansible-galaxy
# A collection must work with these folders alone.
NEEDED = ("meta", "plugins", "roles", "playbooks")


def misplaced(names: Iterable[str]) -> list[str]:
    """Return the files that are outside ``PLACES``."""
    return [name for name in names if not PLACES.fullmatch(name)]


def untracked(names: Iterable[str], tracked: Iterable[str]) -> list[str]:
    """Return the files that are not in git, such as caches."""
    return sorted(set(names) - set(tracked) - MADE)


def differing(archived: Mapping[str, bytes], installed: Mapping[str, bytes]) -> list[str]:
    """Return the files that differ between the archive and the folder where it was installed."""
    return sorted(name for name in archived.keys() | installed.keys() if archived.get(name) != installed.get(name))


def archive() -> Path:
    """Return the path of this version's artifact, which ``make build`` creates."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    return ROOT / f"build/{galaxy['namespace']}-{galaxy['name']}-{galaxy['version']}.tar.gz"


def contents(path: Path) -> dict[str, bytes]:
    """Return name -> content of every file in an archive. The content of a link is its target."""
    with tarfile.open(path) as tar:
        members = [member for member in tar.getmembers() if not member.isdir()]
        return {
            member.name: member.linkname.encode() if member.issym() else tar.extractfile(member).read()
            for member in members
        }


def files_in(folder: Path) -> dict[str, bytes]:
    """Return name -> content of every file in a folder. The content of a link is its target."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.fsencode(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def galaxy(folder: str, *arguments: str) -> None:
    """Run ansible-galaxy so that it sees only the collections of a folder and those that come with Ansible."""
    program = Path(sys.executable).parent / "ansible-galaxy"
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": folder, "PYTHONPATH": folder}
    subprocess.run([program, "collection", *arguments, "-p", folder], env=environment, check=True)


def roles_fail(collections: str) -> str:
    """Run all roles of the collection in check mode. Return the output if that fails."""
    plays = Path(collections) / "plays.yml"
    plays.write_text(yaml.safe_dump([play_of(role, flow.given) for role, flow in FLOWS.items()]))
    with Sandbox.start(speed=100) as sandbox:
        for service in (service for flow in FLOWS.values() for service in flow.services):
            sandbox.service(**service)
        paths = {"ANSIBLE_COLLECTIONS_PATH": collections, "PYTHONPATH": collections, "AWS_URL": sandbox.url}
        command = [Path(sys.executable).parent / "ansible-playbook", plays, "--check"]
        done = subprocess.run(command, env={**os.environ, **paths}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def main() -> int:
    packed = contents(archive())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = [f"{name} does not belong into the artifact" for name in misplaced(packed)]
    found += [f"{name} is in the artifact and not in git" for name in untracked(packed, tracked.splitlines())]
    with tempfile.TemporaryDirectory() as scratch:
        galaxy(scratch, "install", "--offline", str(archive()))
        galaxy(scratch, "verify", "--offline", "steadyops.ecs")
        installed = Path(scratch) / "ansible_collections/steadyops/ecs"
        found += [f"{name} is not installed as it is packed" for name in differing(packed, files_in(installed))]
        for path in installed.iterdir():
            if path.name not in (*NEEDED, *MADE):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        output = roles_fail(scratch)
        found += [f"With {', '.join(NEEDED)} alone, roles fail:\n{output}"] if output else []
    print("\n".join(found) or f"{len(packed)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
