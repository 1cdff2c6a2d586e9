# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter patterns from options, on records of CloudTrail: which of them reach the function."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.filter_pattern import (
    refused_launches,
)

from tests.sandbox.functions.filter_pattern import compile_pattern
from tests.unit.core.retry.samples import ECS, OWN_ROLE, REGION, answer, caller, cloudtrail, refused, request

RECORDS = {
    "capacity": cloudtrail(),
    "in part": cloudtrail(request(count=3), answer(1, "RESOURCE:CPU", "RESOURCE:CPU")),
    "placement": cloudtrail(answered=answer(0, "ATTRIBUTE")),
    "throttled": refused("ThrottlingException"),
    "failure": refused("ServerException"),
    "denied": refused("AccessDenied"),
    "no cluster": refused("ClusterNotFoundException", asked=request(cluster="nowhere")),
    "inactive": refused("ClientException", "TaskDefinition is inactive"),
    "started": cloudtrail(answered=answer(1)),
    "StartTask": cloudtrail(eventName="StartTask"),
    "Batch": cloudtrail(eventSource="batch.amazonaws.com"),
    "by us": cloudtrail(userIdentity=caller(OWN_ROLE)),
    "by a user": cloudtrail(userIdentity={"type": "IAMUser", "userName": "somebody"}),
    "by ARN": cloudtrail(request(cluster=f"{ECS}:cluster/prod", taskDefinition=f"{ECS}:task-definition/report:7")),
    "by revision": cloudtrail(request(taskDefinition="report:7")),
    "other cluster": cloudtrail(request(cluster="preprod")),
    "other family": cloudtrail(request(taskDefinition="daily-report")),
    "default cluster": cloudtrail({"taskDefinition": "report"}),
    "other region": cloudtrail(awsRegion="us-east-1"),
}
TRANSIENT = {
    "capacity", "in part", "placement", "throttled", "failure", "by us", "by a user", "by ARN", "by revision",
    "other cluster", "other family", "default cluster", "other region",
    "inactive",  # a ClientException; its code also stands for transient errors, so the function reads the message
}  # fmt: skip
ERRORS = {"denied", "no cluster"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, TRANSIENT),
        ({"transient_errors_only": False}, TRANSIENT | ERRORS),
        ({"exclude_role_arns": [OWN_ROLE]}, TRANSIENT - {"by us"}),
        ({"clusters": ["prod"]}, TRANSIENT - {"other cluster", "default cluster"}),
        ({"clusters": ["prod", "default"]}, TRANSIENT - {"other cluster"}),
        ({"families": ["report"]}, TRANSIENT - {"other family"}),
        ({"regions": [REGION]}, TRANSIENT - {"other region"}),
        (
            {"clusters": ["prod"], "families": ["report"], "transient_errors_only": False},
            (TRANSIENT | ERRORS) - {"other cluster", "other family", "default cluster", "no cluster"},
        ),
    ],
)
def test_what_reaches_the_function(options, expected):
    wanted = compile_pattern(refused_launches(**options))
    assert {name for name, record in RECORDS.items() if wanted(json.dumps(record))} == expected
