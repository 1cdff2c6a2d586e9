# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a bare pytest behave as under make, with an up-to-date collection in make's environment.

Runs on import, before any test imports ``ansible_collections.steadyops.ecs``.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.examples import examples

OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # removed, so that a make started here is not a sub-make


def _as_under_make() -> None:
    outside = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    root = Path(__file__).parent.parent
    command = ["make", "-s", "--no-print-directory", "-C", str(root), "build", "environment"]
    made = subprocess.run(command, env=outside, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.exit(f"make build failed:\n{made.stdout}{made.stderr}", returncode=3)
    inside = json.loads(made.stdout.splitlines()[-1])
    os.environ.clear()  # make also removes what could lead to a real account
    os.environ.update({name: value for name, value in inside.items() if name not in OF_MAKE})


def _as_under_ansible_test() -> None:
    """Add to what ansible-test prepared: our package ``tests`` and, for programs, the collection and a fake account."""
    root = Path(__file__).parents[1]
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root.parents[2]), os.environ["PYTHONPATH"]])
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_REGION="eu-central-1")


UNDER_ANSIBLE_TEST = "ansible_pytest_collections" in sys.modules
if UNDER_ANSIBLE_TEST:
    _as_under_ansible_test()
else:
    _as_under_make()
    sys.path.insert(0, os.environ["PYTHONPATH"])

    # Ansible does not recognise a collection that Python imported before Ansible's own loader was set up.
    from ansible.plugins.loader import init_plugin_loader  # it reads the environment

    init_plugin_loader()
# Processes that a shell starts in the background ignore SIGINT, those that nohup starts ignore SIGHUP, and programs
# started here would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A busy machine must not make a test fail.
settings.register_profile(
    "patient", max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of pyproject.toml again under ansible-test, which reads its own configuration."""
    if UNDER_ANSIBLE_TEST:
        for marker in ("long", "sampled(n)"):
            config.addinivalue_line("markers", marker)


def pytest_collection_finish() -> None:
    """Let Python look for garbage only among objects that tests create, and not among ten thousand tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before pytest deselects marked tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark most examples of a sampled test as long, and run tests with playbooks first, as they take longest."""
    seen: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled:
            name = item.nodeid.partition("[")[0]
            if seen[name] % sampled.args[0]:
                item.add_marker("long")
            seen[name] += 1
    items.sort(key=lambda item: "warm" not in getattr(item, "fixturenames", ()))
