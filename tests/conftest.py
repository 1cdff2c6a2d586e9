# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a bare pytest the same as one under make: a collection that is up to date, in make's environment.

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

OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # one make should not take another for its child


def _as_under_make() -> None:
    outside = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    root = Path(__file__).parent.parent
    command = ["make", "-s", "--no-print-directory", "-C", str(root), "build", "environment"]
    made = subprocess.run(command, env=outside, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.exit(f"make build failed:\n{made.stdout}{made.stderr}", returncode=3)
    inside = json.loads(made.stdout.splitlines()[-1])
    os.environ.clear()  # make also takes away what could lead to a real account
    os.environ.update({name: value for name, value in inside.items() if name not in OF_MAKE})


def _as_under_ansible_test() -> None:
    """Add to what ansible-test has prepared: our package ``tests``, and for programs the collection and no account."""
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

    # What Python imports before Ansible looks for collections its own way, Ansible does not recognise as a collection.
    from ansible.plugins.loader import init_plugin_loader  # it reads the environment

    init_plugin_loader()
# What a shell starts in the background ignores SIGINT, what nohup starts SIGHUP, and so do programs started here.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A machine that is busy with other things makes no test fail.
settings.register_profile(
    "patient", max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of pyproject.toml again where ansible-test reads a configuration of its own."""
    if UNDER_ANSIBLE_TEST:
        for marker in ("long", "sampled(n)"):
            config.addinivalue_line("markers", marker)


def pytest_collection_finish() -> None:
    """Let Python look for garbage among what tests make, and not among ten thousand tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark most examples of a sampled test as long, and begin with plays: they take longest."""
    seen: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled:
            name = item.nodeid.partition("[")[0]
            if seen[name] % sampled.args[0]:
                item.add_marker("long")
            seen[name] += 1
    items.sort(key=lambda item: "warm" not in getattr(item, "fixturenames", ()))
