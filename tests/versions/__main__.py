# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.versions [--quick | --check] [NAME ...]: run the roles in each supported environment on the sandbox.

``matrix.py`` has the environments. Each is created once, in build/versions, and two run at a time. An environment whose
Python is not installed is skipped, and a line says so. ``--quick`` applies and removes each role once. ``--check`` runs
all roles in check mode, in one run of ansible-playbook, and uses another Python if the right one is not installed. The
environment with the lowest versions also runs the unit tests of calls, and modules on a Python that is too old.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.client import Sandbox
from tests.versions.flows import FLOWS, Flow
from tests.versions.matrix import ENVIRONMENTS, Environment

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
# A Python that a target may have by default, and on which no module runs.
TOO_OLD = "3.9"


def main(arguments: list[str]) -> int:
    options = [each for each in arguments if each.startswith("--")]
    wanted = [each for each in arguments if not each.startswith("--")] or list(ENVIRONMENTS)
    with ThreadPoolExecutor(max_workers=2) as pool:
        return 0 if all(list(pool.map(partial(passes, options=options), wanted))) else 1


def passes(name: str, options: list[str]) -> bool:
    """Run everything in an environment and print a line for each run. Return whether all of them passed."""
    environment = ENVIRONMENTS[name]
    pythons = (environment.python, *(environment.others if "--check" in options else ()))
    python, found = next(((each, path) for each in pythons if (path := find_python(each))), ("", ""))
    if not found:
        print(f"SKIP  {name}: no Python {' or '.join(pythons)} on this machine (PATH, pyenv)")
        return True
    home = made(name if python == environment.python else f"{name}-{python}", found, environment)
    well = True
    for words, run in runs(name, home, options):
        began = time.perf_counter()
        problem = run()
        well = well and problem is None
        where = f"{name}: ansible-core {core_of(home)}, Python {python}"
        took = f"{time.perf_counter() - began:.1f} s"
        line = f"{'FAIL' if problem else 'pass'}  {where}, {words}: {took}"
        print("\n".join(filter(None, (line, problem))), flush=True)
    return well


def runs(name: str, programs: Path, options: list[str]) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield each run of an environment: a description, and a function that returns what went wrong or None."""
    if "--check" in options:
        yield "all roles in check mode", partial(check_roles, programs)
        return
    for role, flow in FLOWS.items():
        yield f"role {role}", partial(run_flow, programs, role, flow, "--quick" in options)
    if name == "lowest":
        yield "unit tests of calls", partial(run_unit_tests, programs)
        old = find_python(TOO_OLD)
        if old:
            yield f"a module on Python {TOO_OLD}", partial(run_on_old_python, programs, old)
        else:
            print(f"SKIP  {name}: a module on Python {TOO_OLD}: there is none on this machine (PATH, pyenv)")


def find_python(version: str) -> str | None:
    """Return a Python of this version that runs: pyenv also puts launchers on the PATH that do not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python3"))]
    for path in filter(None, named):
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return str(path)
    return None


def made(name: str, python: str, environment: Environment) -> Path:
    """Create the environment unless it exists. Return its folder of programs."""
    folder = BUILD / "versions" / name
    done = folder / "installed"
    programs = folder / "bin"
    wanted = f"{environment}\n"
    if not done.exists() or done.read_text() != wanted:
        uv = [str(Path(sys.executable).parent / "uv")]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", python, folder], check=True)
        install = [*uv, "pip", "install", "-q", "--python", programs / "python"]
        tools = ("pytest", "hypothesis") if environment.bundle else ()
        subprocess.run([*install, *environment.requirements, *tools, "cryptography"], check=True)
        if environment.bundle:
            unpack(environment, site_packages(folder))
        done.write_text(wanted)
    return programs


def site_packages(folder: Path) -> Path:
    (found,) = folder.glob("lib/python3.*/site-packages")
    return found


def unpack(environment: Environment, folder: Path) -> None:
    """Take the environment's collections out of its bundle."""
    with tempfile.TemporaryDirectory() as downloads:
        command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "-d", downloads, environment.bundle]
        subprocess.run(command, check=True)
        (wheel,) = Path(downloads).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for collection, version in environment.collections.items():
                root = f"ansible_collections/{collection.replace('.', '/')}/"
                archive.extractall(folder, [each for each in archive.namelist() if each.startswith(root)])
                found = json.loads(archive.read(f"{root}MANIFEST.json"))["collection_info"]["version"]
                if found != version:
                    raise SystemExit(f"{environment.bundle} has {collection} {found} and not {version}")


def core_of(programs: Path) -> str:
    asked = [programs / "python", "-c", "from ansible.release import __version__; print(__version__)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def run_flow(programs: Path, role: str, flow: Flow, quick: bool) -> str | None:
    """Run the steps of a flow. Return what went wrong, with the output, or None."""
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
    """Run all roles in check mode before anything exists. Return what went wrong, with the output, or None."""
    with Sandbox.start(speed=100) as sandbox:
        for service in (service for flow in FLOWS.values() for service in flow.services):
            sandbox.service(**service)
        plays = [play_of(role, flow.given) for role, flow in FLOWS.items()]
        return run_plays(programs, sandbox, plays, True, "--check")


def run_unit_tests(programs: Path) -> str | None:
    """Run the tests whose answers botocore compares with its own description of AWS. Return what went wrong."""
    command = [programs / "python", "-m", "pytest", "-q", "--no-header", "tests/unit/aws"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


def run_on_old_python(programs: Path, python: str) -> str | None:
    """Run modules on a Python that is too old. Return the output unless it has the one sentence about Python."""
    options = {"cluster": "production", "service": "shop", "all_tasks": True}
    for module in ("ecs_service_recycle", "ecs_service_task_info"):
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": python},
            "tasks": [{f"steadyops.ecs.{module}": options}],
        }
        output = played(programs, [play], {})[1]
        if f"but {python} is Python {TOO_OLD}." not in output:
            return output
    return None


def play_of(role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    given = {f"{role}_{name}": value for name, value in variables.items()}
    return {"hosts": "localhost", "gather_facts": False, "vars": given, "roles": [f"steadyops.ecs.{role}"]}


def run_plays(
    programs: Path, sandbox: Sandbox, plays: list[dict[str, Any]], changes: bool, *options: str
) -> str | None:
    """Run a playbook that must succeed, and must change something or nothing. Return what went wrong, or None."""
    # A home of its own: roles keep packages there, and another environment may be at another step of the same flow.
    status, output = played(programs, plays, {"AWS_URL": sandbox.url, "HOME": str(programs.parent)}, *options)
    recap = re.search(r"^localhost .*changed=(\d+)", output, re.MULTILINE)
    if status or recap is None or "Traceback" in output:
        return f"ansible-playbook ended with {status}\n{output}"
    return None if bool(int(recap[1])) is changes else f"changed={recap[1]}\n{output}"


def played(programs: Path, plays: list[dict[str, Any]], more: Mapping[str, str], *options: str) -> tuple[int, str]:
    """Run a playbook. Return its exit status and everything that it printed."""
    path = programs.parent / "plays.yml"
    path.write_text(yaml.safe_dump(plays))
    done = subprocess.run(
        [programs / "ansible-playbook", path, *options],
        env={**os.environ, **dict(settings(programs)), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def settings(programs: Path) -> Iterator[tuple[str, str]]:
    """Yield the variables that give another Ansible the collections it lacks, and its own folders for files."""
    own = site_packages(programs.parent)
    others = own if (own / "ansible_collections").exists() else Path(sysconfig.get_paths()["purelib"])
    collections = [str(BUILD / "collections"), str(others)]
    yield "ANSIBLE_COLLECTIONS_PATH", os.pathsep.join(collections)
    yield "ANSIBLE_PYTHON_INTERPRETER", str(programs / "python")
    yield "ANSIBLE_HOME", str(programs.parent / "ansible")
    yield "ANSIBLE_REMOTE_TMP", str(programs.parent / "ansible/tmp")
    yield "PYTHONPATH", str(BUILD / "collections")
    yield "PATH", f"{programs}{os.pathsep}{os.environ['PATH']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
