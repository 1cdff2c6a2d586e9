# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of policies is only useful if it finds what is wrong."""

from __future__ import annotations

import pytest

from tests.policies import complaints

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:alerts"
GOOD = {"Sid": "Ours", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE}
TRUST = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}


def policy(statement):
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"Action": "sqs:SendMesage"},
        {"Resource": "arn:aws:sns:eu-central-1:123456789012:alerts"},
        {"Effect": "Permit"},
        {"Condition": {"ArnEquals": {"sns:Protocol": "arn:aws:iam::123456789012:role/a"}}},
        {"Sid": "With spaces"},
    ],
)
def test_what_is_wrong_is_found(wrong):
    assert complaints(policy({**GOOD, **wrong}))


def test_what_is_right_is_not():
    assert complaints(policy(GOOD)) == []
    assert complaints(policy(TRUST), trust=True) == []
    assert complaints(policy({**TRUST, "Action": "sts:AssumeRol"}), trust=True)
