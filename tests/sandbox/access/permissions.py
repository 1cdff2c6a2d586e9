# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether EventBridge (or SNS) may use a resource: its policy or a role, and the key if it is encrypted.

For Condition blocks, a service sends the keys that AWS documents: SourceArn to SQS and Lambda, nothing to SNS,
CloudWatch Logs and KMS. A statement with any other condition allows nothing; AWS is silent about it, too.
"""

from __future__ import annotations

from typing import Any

from .. import stored
from ..account import NUMBER
from ..delivery.attempts import DeliveryFailed
from .policy_check import Context, why_not

EVENTS = "events.amazonaws.com"


def need(policy: Any, action: str, resource: str, context: Context, principal: str = EVENTS) -> None:
    """Raise DeliveryFailed unless the policy of the resource allows the action."""
    reason = why_not(policy, principal, action, resource, context)
    if reason:
        raise DeliveryFailed("NO_PERMISSIONS", f"{principal} may not {action} on {resource}: {reason}")


def need_role(role_arn: str, action: str, resource: str, rule_arn: str) -> None:
    """Raise DeliveryFailed unless the target's role exists, trusts EventBridge and allows the action."""
    reason = cannot_assume(role_arn, rule_arn)
    if reason:
        raise DeliveryFailed("FAILED_TO_ASSUME_ROLE", f"{role_arn}: {reason}")
    role = stored.role(role_arn)
    statements = [each for policy in stored.role_policies(role) for each in policy_statements(policy)]
    reason = why_not({"Statement": statements}, None, action, resource, {})
    if reason:
        raise DeliveryFailed("NO_PERMISSIONS", f"role {role_arn} may not {action} on {resource}: {reason}")


def cannot_assume(role_arn: str, rule_arn: str) -> str | None:
    role = stored.role(role_arn)
    if role is None:
        return "there is no such role"
    context = {"aws:sourcearn": rule_arn, "aws:sourceaccount": NUMBER}
    return why_not(role.assume_role_policy_document, EVENTS, "sts:AssumeRole", None, context)


def policy_statements(policy: Any) -> list[Any]:
    found = (policy or {}).get("Statement") or []
    return found if isinstance(found, list) else [found]


def need_key(region: str, reference: str | None, noun: str, principal: str = EVENTS, role: str | None = None) -> None:
    """Raise DeliveryFailed unless the sender may use the key that encrypts a resource.

    Without a role, the policy of a key of your own must allow ``principal``; an AWS managed key never does. With a
    role, the role's policies must allow it: the key policy is taken to leave that to IAM, as that of a new key does.
    Assumed of AWS managed keys, whose policies are for all roles of the account: any role may use one.
    """
    if not reference:
        return
    if "alias/aws/" in reference:
        if role:
            return
        text = f"the {noun} is encrypted with the AWS managed key {reference}, whose policy cannot let {principal} in"
        raise DeliveryFailed("NO_PERMISSIONS", text)
    key = stored.key(region, reference)
    if key is None:
        raise DeliveryFailed("NO_PERMISSIONS", f"the {noun} is encrypted with a key that does not exist: {reference}")
    documents = [] if role is None else stored.role_policies(stored.role(role))
    granted = {"Statement": [each for policy in documents for each in policy_statements(policy)]}
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        if role is None:
            reason = why_not(key.policy, principal, action, key.arn, {})
        else:
            reason = why_not(granted, None, action, key.arn, {})
        if reason:
            raise DeliveryFailed("NO_PERMISSIONS", f"{principal} may not {action} with the key of the {noun}: {reason}")
