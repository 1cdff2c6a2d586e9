# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role of IAM: the reads that a step needs, and the writes in their order."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.iam_role import write_role
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.stack_steps import plan_step
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.place import StackPlace
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.steps import read_step

from tests.unit.aws.clients import Clients, at, ended

HERE = StackPlace("aws", "eu-central-1", "111122223333")
BOUNDARY = "arn:aws:iam::111122223333:policy/bounds"
TRUST, ONE, TWO = ({"Version": "2012-10-17", "Statement": [{"Sid": sid}]} for sid in ("trust", "one", "two"))
TRUST_TEXT, ONE_TEXT, TWO_TEXT = map(json.dumps, (TRUST, ONE, TWO))
OLD = {
    "name": "tell",
    "assume_role_policy_document": {},
    "description": "old",
    "boundary": None,
    "tags": {"a": "1", "b": "2"},
    "policies": {"kept": ONE, "set": ONE, "gone": ONE, "also": ONE},
}
NEW = {
    "name": "tell",
    "assume_role_policy_document": TRUST,
    "description": "new",
    "boundary": BOUNDARY,
    "tags": {"a": "3"},
    "policies": {"kept": ONE, "set": TWO, "made": ONE},
}
NAMED = {"RoleName": "tell"}
_ROLE = {
    "Path": "/",
    "RoleName": "tell",
    "RoleId": "AROA0123456789012345",
    "Arn": "arn:aws:iam::111122223333:role/tell",
    "CreateDate": at(0),
    "AssumeRolePolicyDocument": TRUST_TEXT,
    "Description": "old",
    "Tags": [{"Key": "a", "Value": "1"}],
}


def role():
    """Return an answer with a role. boto3 replaces the text of a document with its parsed value."""
    return {"Role": dict(_ROLE)}


CREATE = {"AssumeRolePolicyDocument": TRUST_TEXT, "Description": "new", "Tags": [{"Key": "a", "Value": "3"}]}
PUT_ONE = {**NAMED, "PolicyName": "p", "PolicyDocument": ONE_TEXT}


def of(policy: str, **more: str) -> dict[str, str]:
    return {**NAMED, "PolicyName": policy, **more}


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        (
            Change(None, {**NEW, "policies": {"p": ONE}}),
            [
                ("create_role", {**NAMED, **CREATE, "PermissionsBoundary": BOUNDARY}, role()),
                ("put_role_policy", PUT_ONE, {}),
            ],
        ),
        (
            Change(None, {**NEW, "boundary": None, "policies": {}}),
            [("create_role", {**NAMED, **CREATE}, role())],
        ),
        (
            Change(OLD, NEW),
            [
                ("update_assume_role_policy", {**NAMED, "PolicyDocument": TRUST_TEXT}, {}),
                ("update_role_description", {**NAMED, "Description": "new"}, role()),
                ("put_role_permissions_boundary", {**NAMED, "PermissionsBoundary": BOUNDARY}, {}),
                ("tag_role", {**NAMED, "Tags": [{"Key": "a", "Value": "3"}]}, {}),
                ("untag_role", {**NAMED, "TagKeys": ["b"]}, {}),
                ("put_role_policy", of("set", PolicyDocument=TWO_TEXT), {}),
                ("put_role_policy", of("made", PolicyDocument=ONE_TEXT), {}),
                ("delete_role_policy", of("also"), {}),
                ("delete_role_policy", of("gone"), {}),
            ],
        ),
        (Change(OLD, {**OLD, "policies": {**OLD["policies"], "gone": TWO}}),
         [("put_role_policy", of("gone", PolicyDocument=TWO_TEXT), {})]),
        (Change(OLD, {**OLD, "boundary": BOUNDARY}),
         [("put_role_permissions_boundary", {**NAMED, "PermissionsBoundary": BOUNDARY}, {})]),
        (
            Change(OLD, None),
            [
                ("list_role_policies", NAMED, {"PolicyNames": ["one", "two"]}),
                ("delete_role_policy", of("one"), {}),
                ("delete_role_policy", of("two"), "NoSuchEntity"),
                ("list_attached_role_policies", NAMED,
                 {"AttachedPolicies": [{"PolicyName": "x", "PolicyArn": BOUNDARY}]}),
                ("detach_role_policy", {**NAMED, "PolicyArn": BOUNDARY}, {}),
                ("delete_role", NAMED, {}),
            ],
        ),
    ],
)  # fmt: skip
def test_the_writes_of_a_role(change, calls):
    clients = Clients()
    clients.expect(*((f"iam.{name}", request, answer) for name, request, answer in calls))
    done, pauses, _result = ended(write_role(clients("iam"), "tell", change))
    assert (len(done), pauses) == (len([name for name, *_more in calls if not name.startswith("list")]), [])
    clients.assert_all_asked()


def test_a_role_that_a_part_of_iam_does_not_know_yet():
    clients = Clients()
    unknown = "NoSuchEntity: The role with name tell cannot be found."
    clients.expect(
        ("iam.create_role", None, role()),
        ("iam.put_role_policy", PUT_ONE, unknown),
        ("iam.put_role_policy", PUT_ONE, {}),
    )
    done, pauses, _result = ended(write_role(clients("iam"), "tell", Change(None, {**NEW, "policies": {"p": ONE}})))
    assert (done, pauses) == (["created the role", "set the policy p"], [2.0])
    clients.assert_all_asked()


def test_other_refusals_are_not_waited_out():
    clients = Clients()
    clients.expect(("iam.put_role_policy", None, "MalformedPolicyDocument: Syntax errors in policy."))
    changed = {**OLD, "policies": {**OLD["policies"], "set": TWO}}
    with pytest.raises(CallFailed, match="Syntax errors"):
        ended(write_role(clients("iam"), "tell", Change(OLD, changed)))


def step(**options):
    return read_step(0, {"iam_role": {"name": "tell", **options}})


@pytest.mark.parametrize(
    ("options", "calls", "changed"),
    [
        ({"description": "old"}, [], False),
        ({"description": "new", "tags": {"a": "1"}, "assume_role_policy_document": TRUST}, [], True),
        ({"policies": {"p": ONE}}, [("iam.get_role_policy", of("p"), {**of("p"), "PolicyDocument": ONE_TEXT})], False),
        ({"policies": {"p": ONE}}, [("iam.get_role_policy", of("p"), {**of("p"), "PolicyDocument": TWO_TEXT})], True),
        ({"policies": {"p": None}}, [("iam.get_role_policy", of("p"), "NoSuchEntity")], False),
        ({"state": "absent", "policies": {"p": ONE}}, [], True),
    ],
)
def test_only_what_a_step_names_is_read(options, calls, changed):
    clients = Clients()
    clients.expect(("iam.get_role", NAMED, role()), *calls)
    planned = plan_step(clients, HERE, *step(**options))
    assert planned.change.changed is changed
    clients.assert_all_asked()


def test_a_role_that_is_not_there():
    for options, changed in (({"assume_role_policy_document": TRUST, "policies": {"p": ONE}}, True),
                             ({"state": "absent"}, False)):  # fmt: skip
        clients = Clients()
        clients.expect(("iam.get_role", NAMED, "NoSuchEntity"))
        assert plan_step(clients, HERE, *step(**options)).change.changed is changed
        clients.assert_all_asked()
    clients.expect(("iam.get_role", NAMED, "NoSuchEntity"))
    with pytest.raises(Failed, match=r"The role tell does not exist\. Set assume_role_policy_document to create it"):
        plan_step(clients, HERE, *step(description="x"))


def test_the_step_hands_its_writes_to_the_role_that_it_names():
    clients = Clients()
    clients.expect(
        ("iam.get_role", NAMED, role()),
        ("iam.update_role_description", {**NAMED, "Description": "new"}, role()),
    )
    planned = plan_step(clients, HERE, *step(description="new"))
    assert ended(planned.write(planned.change))[0] == ["set the description"]
    clients.assert_all_asked()
