# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for each worker of pytest, empty before each test, and processes that do not outlive their test."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.programs import INFO, QUICK, RECYCLE, Module, Playbook, Warm, arguments, start_forks
from tests.end_to_end.warm_python import ANSIBLE, MODULES, warm_python
from tests.permissions.journal import actions_in
from tests.permissions.roles import ROLES
from tests.sandbox.client import Sandbox

SPEED = 100
# AWS's seconds. Launches take long compared with health checks. Otherwise, a call that a busy machine delays could see
# a task that already runs but is not healthy yet, which is a fault that no test asked for.
LATENCIES = {"reaction": 5.0, "launch": 20.0, "health": 5.0, "target": 5.0, "unhealthy": 30.0, "stop": 30.0}


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(speed=SPEED) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset(speed=SPEED, latencies=LATENCIES)
    return running


@pytest.fixture
def started() -> Iterator[list[Module | Playbook]]:
    """Collects the programs that the test starts, and kills them at its end."""
    programs: list[Module | Playbook] = []
    yield programs
    for program in programs:
        program.kill()


@pytest.fixture
def start(sandbox: Sandbox, started: list[Module | Playbook], tmp_path: Path) -> Callable[..., Module]:
    """Starts a module."""

    def start(name: str, /, **options: Any) -> Module:
        module = Module(name, arguments(sandbox, **options), tmp_path / str(len(started)))
        started.append(module)
        return module

    return start


@pytest.fixture
def begin(start: Callable[..., Module]) -> Callable[..., Module]:
    """Begins to recycle the service web."""
    return lambda **options: start(RECYCLE, **{**QUICK, **options})


@pytest.fixture
def recycle(begin: Callable[..., Module]) -> Callable[..., dict[str, Any]]:
    """Recycles the service web, and returns what the module returns."""
    return lambda **options: begin(**options).result()


@pytest.fixture
def task_info(start: Callable[..., Module]) -> Callable[..., dict[str, Any]]:
    return lambda **options: start(INFO, **{"service": "web", **options}).result()


@pytest.fixture
def playbook(sandbox: Sandbox, started: list[Module | Playbook], tmp_path: Path) -> Callable[..., Playbook]:
    """Starts ansible-playbook with the tasks given, as YAML or as data."""

    def start(tasks: Any, *options: str, **play: Any) -> Playbook:
        program = Playbook(sandbox, tmp_path, tasks, *options, **play)
        started.append(program)
        return program

    return start


ROLES_OF_FILES = {
    "test_role_failure_alerts": "failure_alerts",
    "test_role_launch_retry": "launch_retry",
    "test_scheduled_task_role": "scheduled_task",
}


@pytest.fixture
def within_the_policy(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[None]:
    """Assert that a role makes only calls that its policy in the guide to permissions allows."""
    yield
    role = ROLES_OF_FILES[request.path.stem]
    assert actions_in(sandbox.journal()["calls"]) - ROLES[role] == set()


WARM = pytest.StashKey[Warm]()


@pytest.hookimpl(wrapper=True, tryfirst=True)  # runs before workers are forked, so all of them share this
def pytest_runtestloop(session: pytest.Session) -> Generator[None, bool, bool]:
    names = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if "sandbox" in names:
        start_forks()
    if "warm" not in names:
        return (yield)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            warm_python(folder / "ansible", ANSIBLE, folder / "packed") as ansible,
            warm_python(folder / "python", MODULES) as modules,
        ):
            session.config.stash[WARM] = Warm(ansible, modules)
            return (yield)


@pytest.fixture(scope="session")
def warm(pytestconfig: pytest.Config) -> Warm:
    return pytestconfig.stash[WARM]


@pytest.fixture
def warm_playbook(playbook: Callable[..., Playbook], warm: Warm) -> Callable[..., Playbook]:
    """Like ``playbook``, but quicker for many tasks, and not for tests that kill it."""
    return lambda tasks, *options, **play: playbook(tasks, *options, warm=warm, **play)
