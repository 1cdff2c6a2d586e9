# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Policies of IAM as values: who may assume a role, and what the role may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .place import StackPlace

VERSION = "2012-10-17"


def trust(place: StackPlace, service: str, sources: Sequence[str] = ()) -> dict[str, Any]:
    """Return the trust policy for a service of AWS, such as ``events``, on behalf of this account alone.

    ``sources`` are ARNs, or patterns of ARNs, of what the service acts for. ("The confused deputy problem" in the IAM
    User Guide: ``aws:SourceAccount`` and ``aws:SourceArn``.)
    """
    condition: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": place.account}}
    if sources:
        like = "ArnLike" if any("*" in source for source in sources) else "ArnEquals"
        condition[like] = {"aws:SourceArn": list(sources)}
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    return {"Version": VERSION, "Statement": [statement]}


def allow(actions: str | Sequence[str], resources: str | Sequence[str], **condition: Any) -> dict[str, Any]:
    """Return a statement; the keyword arguments are the operators of its condition."""
    texts = {"Action": actions, "Resource": resources}
    lists = {key: value if isinstance(value, str) else list(value) for key, value in texts.items()}
    return {"Effect": "Allow", **lists, **({"Condition": condition} if condition else {})}


def allow_pass_role(roles: str | Sequence[str], service: str) -> dict[str, Any]:
    """Return a statement that lets roles be handed to one service of AWS and no other."""
    return allow("iam:PassRole", roles, StringEquals={"iam:PassedToService": f"{service}.amazonaws.com"})


def allow_key(place: StackPlace, key: str) -> dict[str, Any]:
    """Return a statement that lets a KMS key encrypt and decrypt. ``key`` is an ARN, an id or an alias, as SNS has it.

    ("Encrypting data published to an Amazon SNS topic with server-side encryption" in the SNS Developer Guide names
    these two calls, for callers that publish to a topic or send to a queue.)
    """
    calls = ["kms:Decrypt", "kms:GenerateDataKey"]
    alias = re.fullmatch(r"(?:arn:.*:)?(alias/.+)", key)
    if alias:
        # IAM takes no alias as a resource.
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias[1]}}
        return allow(calls, str(place.arn("kms", "key/*")), **condition)
    return allow(calls, str(place.named("kms", key, "key/")))


def policy(statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": VERSION, "Statement": [dict(each) for each in statements]}


def same_policy(one: Any, other: Any) -> bool:
    """Whether two documents mean the same: order counts nowhere, and a list of one is its member."""
    return bool(_normal(one) == _normal(other))


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _normal(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        members = sorted((_normal(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
        return members[0] if len(members) == 1 else members
    return value


def wanted_role(
    name: str, trusted: Mapping[str, Any], description: str, tags: Mapping[str, str], boundary: str | None = None
) -> dict[str, Any]:
    """Return the parameters of ``amazon.aws.iam_role`` for a role that is there."""
    return {
        "name": name,
        "assume_role_policy_document": dict(trusted),
        "description": description,
        "tags": dict(tags),
        "boundary": boundary or "",
    }


def role_differs(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    """Whether a role of ``iam_roles`` is not as ``wanted_role`` says. Without a boundary, any is kept."""
    if found is None:
        return True
    return (
        not same_policy(found["trust"], wanted["assume_role_policy_document"])
        or found["description"] != wanted["description"]
        or found["tags"] != wanted["tags"]
        or bool(wanted["boundary"] and found["boundary"] != wanted["boundary"])
    )


def inline_policy_differs(found: Mapping[str, Any] | None, name: str, document: Mapping[str, Any]) -> bool:
    """Whether a role of ``iam_roles`` lacks a policy, or has another one under its name."""
    return found is None or not same_policy(found["policies"].get(name), document)
