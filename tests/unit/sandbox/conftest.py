# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One sandbox for all tests of a process, empty before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.client import Sandbox

SPEED = 100


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(speed=SPEED) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running
