# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""python -m tests.versions [--quick | --check] [VERSION ...]: the roles on each supported ansible-core, on the sandbox.

Each version gets an environment of its own in build/versions, with the oldest Python that fits. Collections come from
the package ``ansible`` of the development environment. A version whose Python is not installed is skipped, and a line
says so. ``--quick`` applies and removes each role once. ``--check`` runs all roles in check mode, in one run of
ansible-playbook, and takes the next Python where the oldest is not installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.client import Sandbox
from tests.versions.flows import FLOWS, Flow

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
# ansible-core -> the Pythons that it runs with, the oldest first, and what is installed.
VERSIONS = {
    "2.17": (("3.10", "3.11", "3.12"), "ansible-core==2.17.*"),
    "2.18": (("3.11", "3.12", "3.13"), "ansible-core==2.18.*"),
    "2.19": (("3.12", "3.13", "3.11"), "ansible-core==2.19.*"),
    "newest": (("3.13", "3.14", "3.12"), "ansible-core"),
}


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    wanted = [each for each in arguments if not each.startswith("--")] or list(VERSIONS)
    failures = 0
    for version in wanted:
        all_pythons, requirement = VERSIONS[version]
        pythons = all_pythons if check else all_pythons[:1]
        python, found = next(((each, path) for each in pythons if (path := find_python(each))), ("", ""))
        if not found:
            print(f"SKIP  ansible-core {version}: no Python {' or '.join(pythons)} on this machine (PATH, pyenv)")
            continue
        home = environment_of(version if python == all_pythons[0] else f"{version}-{python}", found, requirement)
        runs = (
            {"all roles in check mode": partial(check_roles, home)}
            if check
            else {
                f"role {role}": partial(run_flow, home, role, flow, "--quick" in arguments)
                for role, flow in FLOWS.items()
            }
        )
        for words, run in runs.items():
            began = time.perf_counter()
            problem = run()
            failures += problem is not None
            where = f"ansible-core {core_of(home)}, Python {python}"
            took = f"{time.perf_counter() - began:.1f} s"
            print(f"{'FAIL' if problem else 'pass'}  {where}, {words}: {took}", flush=True)
            if problem:
                print(problem)
    return 1 if failures else 0


def find_python(version: str) -> str | None:
    """A Python of this version that runs; pyenv puts launchers on the PATH that do not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python3"))]
    for path in filter(None, named):
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return str(path)
    return None


def environment_of(version: str, python: str, requirement: str) -> Path:
    """Make the environment unless it is there; returns its folder of programs."""
    folder = BUILD / "versions" / version
    done = folder / "installed"
    programs = folder / "bin"
    if not done.exists():
        uv = [str(Path(sys.executable).parent / "uv")]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", python, folder], check=True)
        subprocess.run(
            [*uv, "pip", "install", "-q", "--python", programs / "python", requirement, "boto3", "cryptography"],
            check=True,
        )
        done.touch()
    return programs


def core_of(programs: Path) -> str:
    asked = [programs / "python", "-c", "from ansible.release import __version__; print(__version__)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def run_flow(programs: Path, role: str, flow: Flow, quick: bool) -> str | None:
    """Run the steps of a flow. Returns what went wrong, with the output."""
    steps: list[tuple[str, Mapping[str, Any], bool | None]] = [("apply", flow.given, True)]
    if not quick:
        steps += [("again", flow.given, False), ("change everything", flow.changed, True)]
    if flow.absent is not None:
        steps += [] if quick else [("change back", flow.given, True)]
        steps.append(("absent", flow.absent, True))
    with Sandbox.start(speed=100) as sandbox:
        for service in flow.services:
            sandbox.service(**service)
        for number, (words, variables, changes) in enumerate(steps):
            play = {**play_of(role, variables), "pre_tasks": list(flow.prepare) if number == 0 else []}
            problem = run_plays(programs, sandbox, [play], changes)
            if problem:
                return f"{words}: {problem}"
    return None


def check_roles(programs: Path) -> str | None:
    """Run all roles in check mode, where nothing is there yet. Returns what went wrong, with the output."""
    with Sandbox.start(speed=100) as sandbox:
        for service in (service for flow in FLOWS.values() for service in flow.services):
            sandbox.service(**service)
        plays = [play_of(role, flow.given) for role, flow in FLOWS.items()]
        return run_plays(programs, sandbox, plays, True, "--check")


def play_of(role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    given = {f"{role}_{name}": value for name, value in variables.items()}
    return {"hosts": "localhost", "gather_facts": False, "vars": given, "roles": [f"steadyops.ecs.{role}"]}


def run_plays(
    programs: Path, sandbox: Sandbox, plays: list[dict[str, Any]], changes: bool, *options: str
) -> str | None:
    """Run a playbook that has to succeed and to change something, or nothing. Returns what went wrong."""
    path = programs.parent / "plays.yml"
    path.write_text(yaml.safe_dump(plays))
    done = subprocess.run(
        [programs / "ansible-playbook", path, *options],
        env={**os.environ, **dict(settings(programs)), "AWS_URL": sandbox.url},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    recap = re.search(r"^localhost .*changed=(\d+)", output, re.MULTILINE)
    if done.returncode or recap is None or "Traceback" in output:
        return f"ansible-playbook ended with {done.returncode}\n{output}"
    return None if bool(int(recap[1])) is changes else f"changed={recap[1]}\n{output}"


def settings(programs: Path) -> Iterator[tuple[str, str]]:
    """What another Ansible needs that is not in its own environment, and files of its own."""
    collections = [str(BUILD / "collections"), sysconfig.get_paths()["purelib"]]
    yield "ANSIBLE_COLLECTIONS_PATH", os.pathsep.join(collections)
    yield "ANSIBLE_PYTHON_INTERPRETER", str(programs / "python")
    yield "ANSIBLE_HOME", str(programs.parent / "ansible")
    yield "ANSIBLE_REMOTE_TMP", str(programs.parent / "ansible/tmp")
    yield "PYTHONPATH", str(BUILD / "collections")
    yield "PATH", f"{programs}{os.pathsep}{os.environ['PATH']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
