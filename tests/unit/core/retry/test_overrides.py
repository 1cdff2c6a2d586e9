# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overrides: how they are built, what they hide, and how the original is restored."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.overrides import (
    agrees,
    concealed,
    filled,
    is_mark,
    oddity,
    without_roles,
)

from tests.unit.core.retry.samples import WHOLE

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
ENVIRONMENT = [{"name": "A", "value": "b"}]
GPU = [{"type": "GPU", "value": "1"}]
SHARED = [{**GPU[0], "sharingStrategy": {"nvidiaMps": {"memory": 1024, "maxComputePercent": 50}}}]
TWO_KINDS = [{"type": "GPU", "value": "2"}, {"type": "Other", "value": "3"}]


def of(*containers, **more):
    return {"containerOverrides": list(containers), **more}


def app(**more):
    return {"name": "app", **more}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, ""),
        (WHOLE["overrides"], ""),
        (of(app(environmentFiles=[{"type": "s3", "value": "x"}], resourceRequirements=GPU)), ""),
        (of(app(resourceRequirements=SHARED)), ""),
        ({"inferenceAcceleratorOverrides": [{"deviceName": "device", "deviceType": "eia2.medium"}]}, ""),
        (of(), ""),
        (of(app(command=[])), ""),
        ("x", "overrides is hidden"),
        (None, "overrides is null"),
        ([], "overrides is hidden"),
        ({"cpu": 512}, "overrides.cpu is hidden"),
        ({"cpu": None}, "overrides.cpu is null"),
        ({"cpu": "512", "memory": HIDDEN}, "overrides.memory is hidden"),
        ({"new": 1}, "overrides has a field that this function does not know"),
        ({"cpu": "512", "new": 1}, "overrides has a field that this function does not know"),
        ({"ephemeralStorage": {"sizeInGiB": "30"}}, "overrides.ephemeralStorage.sizeInGiB is hidden"),
        ({"ephemeralStorage": {"sizeInGiB": True}}, "overrides.ephemeralStorage.sizeInGiB is hidden"),
        ({"ephemeralStorage": None}, "overrides.ephemeralStorage is null"),
        ({"containerOverrides": {}}, "overrides.containerOverrides is hidden"),
        (of("x"), "overrides.containerOverrides[0] is hidden"),
        (of(app(), app(new=1)), "overrides.containerOverrides[1] has a field that this function does not know"),
        (of(app(), app(command=["a", 1])), "overrides.containerOverrides[1].command[1] is hidden"),
        (of(app(command=["a", "***"])), "overrides.containerOverrides[0].command[1] is hidden"),
        (of(app(cpu=False)), "overrides.containerOverrides[0].cpu is hidden"),
        (of(app(environment=[{}, {"value": 1}])), "overrides.containerOverrides[0].environment[1].value is hidden"),
    ],
)
def test_how_they_are_built(overrides, expected):
    assert oddity(overrides) == expected


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, ""),
        (None, ""),
        ([], ""),
        (HIDDEN, "overrides"),
        ("anything", "overrides"),
        (of(app(command=["run"])), ""),
        (of(app(environment=[])), ""),
        (of(app(environment=None)), ""),
        (of(app(environment=ENVIRONMENT)), "overrides.containerOverrides[0].environment"),
        (of(app(), app(environment=HIDDEN)), "overrides.containerOverrides[1].environment"),
        (of(app(environment={"A": "b"})), "overrides.containerOverrides[0].environment"),
        (of("x", app(environment=HIDDEN)), "overrides.containerOverrides[1].environment"),
        (of("x"), "overrides.containerOverrides[0]"),
        ({"containerOverrides": "x"}, "overrides.containerOverrides"),
        ({"cpu": "***"}, "overrides.cpu"),
        ({"cpu": None}, ""),
        ({"new": 1}, ""),
    ],
)
def test_what_they_hide(overrides, expected):
    assert concealed(overrides) == expected


BOTH = of(app(environment=ENVIRONMENT, command=["run", "all"]), {"name": "side", "cpu": 1}, cpu="512")


@pytest.mark.parametrize(
    ("shown", "whole", "expected"),
    [
        (BOTH, BOTH, True),
        (HIDDEN, BOTH, True),
        (HIDDEN, None, False),
        (None, BOTH, True),
        ({}, {}, True),
        ({}, BOTH, False),
        (BOTH, {}, False),
        (BOTH, "x", False),
        ({**BOTH, "memory": None, "inferenceAcceleratorOverrides": []}, BOTH, True),
        (BOTH, {**BOTH, "ephemeralStorage": {}}, True),
        ({**BOTH, "cpu": "256"}, BOTH, False),
        ({**BOTH, "cpu": HIDDEN}, BOTH, True),
        ({**BOTH, "containerOverrides": HIDDEN}, BOTH, True),
        (of(app(environment=HIDDEN)), of(app(environment=ENVIRONMENT)), True),
        (of(app(environment=[{"name": "Z", "value": "z"}])), of(app(environment=ENVIRONMENT)), True),
        (of(app(environment=HIDDEN)), of(app(environment=[])), False),
        (of(app(environment=HIDDEN)), of(app()), False),
        (of(app()), of(app(environment=ENVIRONMENT)), False),
        (of(app(), app()), of(app()), False),
        (of(app()), of(app(), app()), False),
        (of(app()), {"containerOverrides": "x"}, False),
        (of(app()), {"containerOverrides": 5}, False),
        (of(app()), {"containerOverrides": app()}, False),
        ({"cpu": "512"}, {"cpu": ["5", "1", "2"]}, False),
        (of(app(environment=ENVIRONMENT)), of(app(environment="")), False),
        (of(app(command=["a", "b"])), of(app(command=["a", "c"])), False),
        (of(app(command=["c", "b"])), of(app(command=["a", "b"])), False),
        (of(app(command=["a", HIDDEN])), of(app(command=["a", "c"])), True),
        (of(app(resourceRequirements=GPU)), of(app(resourceRequirements=[{"type": "GPU", "value": "2"}])), False),
    ],
)
def test_whether_they_are_the_same(shown, whole, expected):
    assert agrees(shown, whole) == expected


@pytest.mark.parametrize(
    ("shown", "template", "expected"),
    [
        (HIDDEN, BOTH, BOTH),
        (HIDDEN, None, HIDDEN),
        ({}, BOTH, {}),
        ({"cpu": "256"}, BOTH, {"cpu": "256"}),
        ({"cpu": HIDDEN}, BOTH, {"cpu": "512"}),
        ({"cpu": HIDDEN}, {}, {"cpu": HIDDEN}),
        ({"cpu": HIDDEN}, "x", {"cpu": HIDDEN}),
        ({"containerOverrides": HIDDEN}, BOTH, {"containerOverrides": BOTH["containerOverrides"]}),
        ({"new": HIDDEN}, {"new": "x"}, {"new": "x"}),
        (of(app(environment=HIDDEN)), BOTH, of(app(environment=ENVIRONMENT))),
        (of(app(environment=ENVIRONMENT)), {}, of(app(environment=None))),
        (of(app(environment=[])), BOTH, of(app(environment=[]))),
        (of(app(environment=HIDDEN, command=["x"])), BOTH, of(app(environment=ENVIRONMENT, command=["x"]))),
        (of({"name": "side", "cpu": HIDDEN}), BOTH, of({"name": "side", "cpu": 1})),
        (of({"name": "other", "cpu": HIDDEN}), BOTH, of({"name": "other", "cpu": HIDDEN})),
        (of(app(cpu=HIDDEN)), of("x", app(cpu=3)), of(app(cpu=3))),
        (of("x", app()), BOTH, of(*BOTH["containerOverrides"])),
        (of("x", app()), None, of("x", app())),
        (of(app(command=[HIDDEN, "x"])), BOTH, of(app(command=["run", "all"]))),
        (of(app(command=[HIDDEN, "x"])), None, of(app(command=[HIDDEN, "x"]))),
        (of(app(command=["x"])), BOTH, of(app(command=["x"]))),
        (of(app(resourceRequirements=GPU)), of(app(resourceRequirements=[])), of(app(resourceRequirements=GPU))),
        (
            of(app(resourceRequirements=[{"type": "GPU", "value": HIDDEN}, TWO_KINDS[1]])),
            of(app(resourceRequirements=TWO_KINDS)),
            of(app(resourceRequirements=TWO_KINDS)),
        ),
    ],
)
def test_what_they_were(shown, template, expected):
    assert filled(shown, template) == expected


def test_the_environment_of_an_event_is_kept():
    """ECS shows the environment there, so only marks are replaced."""
    shown = of(app(environment=[{"name": "A", "value": "shown"}]))
    assert filled(shown, BOTH, environment=False) == shown
    marked = of(app(environment=[{"name": "A", "value": "***"}]))
    assert filled(marked, BOTH, environment=False) == of(app(environment=ENVIRONMENT))


def test_roles_are_taken_out_and_nothing_else():
    overrides = WHOLE["overrides"]
    assert overrides.keys() - without_roles(overrides).keys() == {"taskRoleArn", "executionRoleArn"}


@pytest.mark.parametrize(
    "mark",
    [
        "***", HIDDEN, "REDACTED", "MASKED", "CENSORED", "HIDDEN", "<hidden>", "[Redacted]", "(masked)", "{censored}",
        "<obfuscated>", "<sanitized>", "**removed**",
    ],
)  # fmt: skip
def test_a_mark_is_the_whole_text(mark):
    assert is_mark(mark)
    assert not is_mark(f"x{mark}")
    assert not is_mark(f"{mark} x")
