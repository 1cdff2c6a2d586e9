# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""IAM policies as values: who may assume a role, and what the role may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..change import Change
from .place import StackPlace

VERSION = "2012-10-17"


def trust(place: StackPlace, service: str, sources: Sequence[str] = ()) -> dict[str, Any]:
    """Return the trust policy for an AWS service, such as ``events``, that acts on behalf of this account only.

    ``sources`` are ARNs, or patterns of ARNs, of the resources that the service acts for. ("The confused deputy
    problem" in the IAM User Guide: ``aws:SourceAccount`` and ``aws:SourceArn``.)
    """
    condition: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": place.account}}
    if sources:
        like = "ArnLike" if any("*" in source for source in sources) else "ArnEquals"
        condition[like] = {"aws:SourceArn": list(sources)}
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    return {"Version": VERSION, "Statement": [statement]}


def allow(actions: str | Sequence[str], resources: str | Sequence[str], **condition: Any) -> dict[str, Any]:
    """Return an Allow statement. The keyword arguments are the operators of its condition."""
    texts = {"Action": actions, "Resource": resources}
    lists = {key: value if isinstance(value, str) else list(value) for key, value in texts.items()}
    return {"Effect": "Allow", **lists, **({"Condition": condition} if condition else {})}


def allow_pass_role(roles: str | Sequence[str], service: str) -> dict[str, Any]:
    """Return a statement that allows passing the roles to one AWS service and no other."""
    return allow("iam:PassRole", roles, StringEquals={"iam:PassedToService": f"{service}.amazonaws.com"})


def allow_key(place: StackPlace, key: str) -> dict[str, Any]:
    """Return a statement to encrypt and decrypt with a KMS key. ``key`` is an ARN, an id or an alias, as in SNS.

    ("Encrypting data published to an Amazon SNS topic with server-side encryption" in the SNS Developer Guide names
    these two calls, for callers that publish to a topic or send to a queue.)
    """
    calls = ["kms:Decrypt", "kms:GenerateDataKey"]
    alias = re.fullmatch(r"(?:arn:.*:)?(alias/.+)", key)
    if alias:
        # IAM does not accept an alias as a resource.
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias[1]}}
        return allow(calls, str(place.arn("kms", "key/*")), **condition)
    return allow(calls, str(place.named("kms", key, "key/")))


def policy(statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": VERSION, "Statement": [dict(each) for each in statements]}


def same_policy(one: Any, other: Any) -> bool:
    """Return whether two documents mean the same. Order is ignored, and a list of one equals its member."""
    return bool(_normal(one) == _normal(other))


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _normal(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        members = sorted((_normal(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
        return members[0] if len(members) == 1 else members
    return value


def wanted_role(
    name: str,
    trusted: Mapping[str, Any],
    description: str,
    tags: Mapping[str, str],
    boundary: str | None,
    policies: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the option ``iam_role`` of ``ecs_stack`` that creates a role. ``policies`` are documents by name."""
    return {
        "name": name,
        "state": "present",
        "assume_role_policy_document": dict(trusted),
        "description": description,
        "boundary": boundary or None,
        "tags": dict(tags),
        "policies": dict(policies),
    }


def plan_role(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """Return a role before and after the change. Values that are None in ``wanted`` keep their current value.

    ``wanted`` is the option ``iam_role`` of ``ecs_stack``, ``found`` a role of ``ecs_stack_info``. A policy that is
    None is removed; policies that ``wanted`` does not name are kept.
    """
    before: dict[str, Any] | None = None
    standing: Mapping[str, Any] = found or {"trust": None, "description": "", "boundary": None, "tags": {}}
    kept = {"assume_role_policy_document": standing["trust"], **{key: standing[key] for key in _KEPT}}
    policies = {name: document for name, document in standing.get("policies", {}).items() if document is not None}
    if found is not None:
        named = {name: policies[name] for name in wanted["policies"] if name in policies}
        before = {"name": wanted["name"], **kept, "policies": named}
    if wanted["state"] == "absent":
        return Change(before, None)
    after = {key: value if wanted[key] is None else wanted[key] for key, value in kept.items()}
    if same_policy(after["assume_role_policy_document"], standing["trust"]):
        after["assume_role_policy_document"] = standing["trust"]
    documents = {
        name: policies[name] if same_policy(document, policies.get(name)) else document
        for name, document in wanted["policies"].items()
        if document is not None
    }
    return Change(before, {"name": wanted["name"], **after, "policies": documents})


_KEPT = ("description", "boundary", "tags")
