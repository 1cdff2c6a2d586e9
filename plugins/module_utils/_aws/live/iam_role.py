# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring an IAM role into its wanted state: the calls in order."""

from __future__ import annotations

import functools
from typing import Any

from ..._core.change import Change, tag_writes
from ..calls import iam
from .waits import Writes, when_role_is_ready


def write_role(client: Any, name: str, change: Change) -> Writes:
    """Make the writes of a change of ``plan_role``."""
    before, after = change.before, change.after
    if after is None:
        return (yield from _delete(client, name))
    if before is None:
        iam.create_role(client, after)
        yield "created the role"
        before = {**after, "policies": {}}
    if before["assume_role_policy_document"] != after["assume_role_policy_document"]:
        iam.set_trust(client, name, after["assume_role_policy_document"])
        yield "set the trust policy"
    if before["description"] != after["description"]:
        iam.set_description(client, name, after["description"])
        yield "set the description"
    if before["boundary"] != after["boundary"]:
        iam.set_boundary(client, name, after["boundary"])
        yield "set the permissions boundary"
    to_set, to_remove = tag_writes(before["tags"], after["tags"])
    if to_set:
        iam.tag_role(client, name, to_set)
        yield f"set the tags {', '.join(sorted(to_set))}"
    if to_remove:
        iam.untag_role(client, name, to_remove)
        yield f"removed the tags {', '.join(to_remove)}"
    for policy, document in after["policies"].items():
        if before["policies"].get(policy) != document:
            # Some part of IAM may not know a new role yet.
            yield from when_role_is_ready(functools.partial(iam.put_inline_policy, client, name, policy, document))
            yield f"set the policy {policy}"
    for policy in sorted(before["policies"].keys() - after["policies"].keys()):
        iam.delete_inline_policy(client, name, policy)
        yield f"removed the policy {policy}"
    return None


def _delete(client: Any, name: str) -> Writes:
    """Delete a role with its inline policies. Managed policies are detached but not deleted.

    A role with policies cannot be deleted ("DeleteRole" in the API reference of IAM).
    """
    for policy in iam.inline_policy_names(client, name) or ():
        iam.delete_inline_policy(client, name, policy)
        yield f"removed the policy {policy}"
    for arn in iam.attached_policy_arns(client, name) or ():
        iam.detach_policy(client, name, arn)
        yield f"detached the policy {arn}"
    iam.delete_role(client, name)
    yield "deleted the role"
    return None
