# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples themselves: what they must contain so that other tests mean something."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import DAEMON_TYPES
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.sample_events import SECRET

DETAIL_TYPES = {
    "task": "ECS Task State Change",
    "service_task": "ECS Task State Change",
    "service_action": "ECS Service Action",
    "deployment": "ECS Deployment State Change",
    "deployment_hook": "ECS Hook State Change",
    "container_instance": "ECS Container Instance Health Change",
    "task_retirement": "AWS Health Event",
    "launch": "AWS API Call via CloudTrail",
    "state_machine": "Step Functions Execution Status Change",
}

every_sample = pytest.mark.parametrize("sample", CATALOGUE, ids=lambda sample: sample.name)


def test_names_are_unique():
    assert len({sample.name for sample in CATALOGUE}) == len(CATALOGUE)
    assert len({sample.event["id"] for sample in CATALOGUE}) == len(CATALOGUE)


def test_every_kind_has_failures_and_others():
    told = {(sample.kind, sample.failure) for sample in CATALOGUE}
    assert told == {(kind, failure) for kind in [*DETAIL_TYPES, "daemon"] for failure in (True, False)}


@every_sample
def test_events_are_whole(sample):
    assert sample.event.keys() == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert sample.event["detail-type"] in DAEMON_TYPES if sample.kind == "daemon" else [DETAIL_TYPES[sample.kind]]
    assert json.loads(json.dumps(sample.event)) == sample.event


def test_some_carry_what_a_message_must_not_carry_or_stumble_over():
    texts = [json.dumps(sample.event) for sample in CATALOGUE]
    assert sum(SECRET in text for text in texts) >= 10
    reasons = [sample.event["detail"].get("stoppedReason", "") for sample in CATALOGUE]
    for awkward in '"', "\n", "<", "\t":
        assert any(awkward in reason for reason in reasons)
