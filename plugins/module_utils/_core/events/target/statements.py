# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The statements that give EventBridge access, each named by its Sid, in the policies of what a target reaches."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from ...arns import Arn

_EVENTS = "events.amazonaws.com"


def sid_of(rule_arn: str, target_id: str) -> str:
    """Return the Sid of a target's statement. Lambda and IAM allow letters and digits."""
    rule = re.sub(r"[^A-Za-z0-9]", "", rule_arn.rpartition("/")[2])[:24]
    digest = hashlib.sha256(f"{rule_arn} {target_id}".encode()).hexdigest()[:16]
    return f"SteadyopsEcs{rule}{digest}"


def statement_for(resource: Arn, rule_arn: str, target_id: str) -> dict[str, Any]:
    """Return the statement that lets the rule reach the resource, and, as far as AWS can tell, nobody else."""
    statement: dict[str, Any] = {"Sid": sid_of(rule_arn, target_id), "Effect": "Allow"}
    if resource.service == "sns":
        # No Condition: EventBridge's guide says that it cannot be used in policies of topics, and events do not
        # arrive if there is one (aws:SourceArn is not sent). Use a role for a narrower permission.
        return {
            **statement,
            "Principal": {"Service": _EVENTS},
            "Action": "sns:Publish",
            "Resource": str(resource),
        }
    if resource.service == "sqs":
        return {
            **statement,
            "Principal": {"Service": _EVENTS},
            "Action": "sqs:SendMessage",
            "Resource": str(resource),
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        }
    if resource.service == "lambda":
        # In the form that Lambda writes for AddPermission. No SourceAccount: with it the function is not invoked.
        return {
            **statement,
            "Principal": {"Service": _EVENTS},
            "Action": "lambda:InvokeFunction",
            "Resource": str(resource),
            "Condition": {"ArnLike": {"AWS:SourceArn": rule_arn}},
        }
    # A log group. No Condition here either: aws:SourceArn is not sent with CreateLogStream.
    return {
        **statement,
        "Principal": {"Service": [_EVENTS, "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{resource}:*",
    }


def same_statement(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two statements mean the same. AWS turns a list of one into its value, and changes capitals."""
    return _normal(one) == _normal(other)


def _normal(statement: Mapping[str, Any]) -> dict[str, Any]:
    normal: dict[str, Any] = dict(statement)
    if "Action" in normal:
        normal["Action"] = sorted(action.lower() for action in _texts(normal["Action"]))
    if "Resource" in normal:
        normal["Resource"] = sorted(_texts(normal["Resource"]))
    principal = normal.get("Principal")
    if isinstance(principal, Mapping):
        normal["Principal"] = {key: sorted(_texts(value)) for key, value in principal.items()}
    condition = normal.get("Condition")
    if isinstance(condition, Mapping):
        normal["Condition"] = {
            operator: {key.lower(): sorted(_texts(value)) for key, value in keys.items()}
            for operator, keys in condition.items()
            if isinstance(keys, Mapping)
        }
    return normal


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
