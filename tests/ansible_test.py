# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.ansible_test COMMAND [ENVIRONMENT ...] [OPTION ...]: run ansible-test.

COMMAND is ``sanity``, ``units`` or ``integration``, and each OPTION is passed to ansible-test. ENVIRONMENT is one of
``tests.versions``; if omitted, the oldest and the newest ansible-core run. ansible-test works on a copy of the checkout
in build/ansible_test. Integration tests share one sandbox.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import ExitStack
from pathlib import Path

from tests.sandbox.client import Sandbox
from tests.versions.__main__ import core_of, find_python, made
from tests.versions.matrix import ENVIRONMENTS

ROOT = Path(__file__).parents[1]
HOME = ROOT / "build/ansible_test"
COLLECTION = HOME / "ansible_collections/steadyops/ecs"
PYTHONS = HOME / "pythons"
# Releases of pip that ansible-test asks for: those of ansible-core 2.17, of 2.18 and 2.19, and of 2.20 and later.
PIPS = ("23_1_2", "24_2", "25_2")
# Replaces the script that ansible-test downloads to install pip into each empty environment. It installs uv under pip's
# name, needs only PyPI, and takes seconds where pip takes minutes. ansible-test hides the environment from it.
GET_PIP = """
import pathlib, sysconfig
folder = pathlib.Path(sysconfig.get_path("purelib"), "pip")
folder.mkdir(exist_ok=True)
(folder / "__init__.py").touch()
(folder / "__main__.py").write_text({program!r})
"""
PIP = """
import os, subprocess, sys
os.environ.update({network!r}, UV_COMPILE_BYTECODE="1")
command, *options = sys.argv[1:]
sys.exit(subprocess.call([{uv!r}, "pip", command, "-q", "--python", sys.executable, *options]))
"""
NETWORK = re.compile("HOME$|UV_|XDG_|SSL_|(https?|all|no)_proxy$", re.IGNORECASE)


def main(arguments: list[str]) -> int:
    command, *rest = arguments
    names = [each for each in rest if each in ENVIRONMENTS] or ["2.17", "newest-3.13"]
    options = [each for each in rest if each not in ENVIRONMENTS]
    prepare()
    failures = 0
    with ExitStack() as stack:
        if command == "integration":
            sandbox = stack.enter_context(Sandbox.start(speed=100))
            (COLLECTION / "tests/integration/integration_config.yml").write_text(f"setup_sandbox_url: {sandbox.url}\n")
        for name in names:
            python = ENVIRONMENTS[name].python
            found = find_python(python)
            if not found:
                print(f"SKIP  {name}: no Python {python} on this machine (PATH, pyenv)")
                continue
            failures += not run(made(name, found, ENVIRONMENTS[name]), python, command, options)
    return 1 if failures else 0


def prepare() -> None:
    """Copy the files that git tracks or would add, and put beside them what ansible-test looks for elsewhere."""
    shutil.rmtree(COLLECTION, ignore_errors=True)
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]:
        if (ROOT / name).exists():
            (COLLECTION / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COLLECTION / name)
    # Without its own repository, the copy would belong to the one around it, which ignores build/.
    subprocess.run(["git", "init", "-q", COLLECTION], check=True)
    for name in ("amazon", "community"):
        link(COLLECTION.parents[1] / name, Path(sysconfig.get_path("purelib")) / "ansible_collections" / name)

    PYTHONS.mkdir(exist_ok=True)
    for version in {each for item in ENVIRONMENTS.values() for each in (item.python, *item.others)}:
        if python := find_python(version):
            link(PYTHONS / f"python{version}", Path(python))

    network = {name: value for name, value in os.environ.items() if NETWORK.match(name)}
    program = PIP.format(network=network, uv=shutil.which("uv", path=Path(sys.executable).parent))
    cache = HOME / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for pip in PIPS:
        (cache / f"get_pip_{pip}.py").write_text(GET_PIP.format(program=program))


def link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def run(programs: Path, python: str, command: str, options: list[str]) -> bool:
    """Run a command of ansible-test, and print its output unless it succeeds. Return whether it succeeded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    path = os.pathsep.join([str(programs), str(PYTHONS), kept["PATH"]])
    began = time.perf_counter()
    done = subprocess.run(
        [programs / "ansible-test", command, "--local", "--color", "no", *options],
        cwd=COLLECTION,
        env={**kept, "HOME": str(HOME), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    took = f"{time.perf_counter() - began:.1f} s"
    where = f"ansible-core {core_of(programs)}, Python {python}"
    print(f"{'FAIL' if done.returncode else 'pass'}  {where}, ansible-test {command}: {took}", flush=True)
    if done.returncode:
        print(done.stdout)
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
