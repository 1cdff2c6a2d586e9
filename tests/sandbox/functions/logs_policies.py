# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource policies of CloudWatch Logs: moto stores the account's, this module stores those of log groups.

Moto also stores the keys of log groups but cannot change them, so this module does that.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from .. import stored
from ..account import Account
from ..model.state import SandboxError
from ..wire import Call


def key_of(call: Call) -> tuple[str, str]:
    return call.region, call.parameters["resourceArn"].removesuffix(":*")


def put(account: Account, call: Call) -> dict[str, Any] | None:
    asked = call.parameters
    read_policy(asked.get("policyDocument"))
    if not asked.get("resourceArn"):
        return None
    if stored.log_group(asked["resourceArn"]) is None:
        raise SandboxError("ResourceNotFoundException", "The specified log group does not exist.")
    key = key_of(call)
    check_revision(account.log_policies.get(key), asked.get("expectedRevisionId"))
    policy = {
        "policyName": asked.get("policyName"),
        "policyDocument": asked["policyDocument"],
        "lastUpdatedTime": int(time.time() * 1000),
        "policyScope": "RESOURCE",
        "resourceArn": asked["resourceArn"],
        "revisionId": uuid.uuid4().hex,
    }
    account.log_policies[key] = policy
    return {"resourcePolicy": policy, "revisionId": policy["revisionId"]}


def describe(account: Account, call: Call) -> dict[str, Any] | None:
    asked = call.parameters
    if asked.get("resourceArn"):
        found = account.log_policies.get(key_of(call))
        return {"resourcePolicies": [found] if found else []}
    if asked.get("policyScope") == "RESOURCE":
        return {
            "resourcePolicies": [each for (region, _id), each in account.log_policies.items() if region == call.region]
        }
    return None


def delete(account: Account, call: Call) -> dict[str, Any] | None:
    if not call.parameters.get("resourceArn"):
        return None
    found = account.log_policies.get(key_of(call))
    if found is None:
        raise SandboxError("ResourceNotFoundException", "The specified resource policy does not exist.")
    check_revision(found, call.parameters.get("expectedRevisionId"))
    del account.log_policies[key_of(call)]
    return {}


def check_revision(found: dict[str, Any] | None, expected: str | None) -> None:
    """Raise SandboxError unless ``expected`` is the revision of ``found``, or both are None."""
    if expected != (found or {}).get("revisionId"):
        text = "The expected revision ID does not match the revision of the resource policy."
        raise SandboxError("OperationAbortedException" if expected else "InvalidParameterException", text)


def read_policy(document: Any) -> None:
    try:
        found = json.loads(document or "")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SandboxError("InvalidParameterException", "The specified policy document is invalid.")


def statements(account: Account, group_arn: str) -> dict[str, Any]:
    """Return a policy with all statements that may apply to a log group: the account's and its own."""
    region = stored.region_of(group_arn)
    documents = [policy.policy_document for policy in stored.backend("logs", region).resource_policies.values()]
    if (region, group_arn) in account.log_policies:
        documents.append(account.log_policies[region, group_arn]["policyDocument"])
    found = [json.loads(document).get("Statement") or [] for document in documents]
    return {"Statement": [each for some in found for each in (some if isinstance(some, list) else [some])]}


def associate_key(_account: Account, call: Call) -> dict[str, Any]:
    group = stored.backend("logs", call.region).groups.get(call.parameters["logGroupName"])
    if group is None:
        raise SandboxError("ResourceNotFoundException", "The specified log group does not exist.")
    group.kms_key_id = call.parameters["kmsKeyId"]
    return {}


OPERATIONS = {
    "AssociateKmsKey": associate_key,
    "PutResourcePolicy": put,
    "DescribeResourcePolicies": describe,
    "DeleteResourcePolicy": delete,
}
