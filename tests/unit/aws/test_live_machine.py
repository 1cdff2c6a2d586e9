# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real state machine: what is read, which writes a change needs, in what order, and the waits between them."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.machine import LiveMachine
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.machine import WantedMachine
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

from tests.unit.aws.clients import Clients, at, ended

from .test_states_and_schedules import ARN, DEFINITION, DESCRIBED, LOGGED, LOGGING, MACHINE, ROLE

OTHER_ROLE = f"{ROLE}2"
OTHER = {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}
SHOWN = {**MACHINE, "tags": {"a": "b"}}
ASKED = {"stateMachineArn": ARN}
OF_IT = {"resourceArn": ARN}
NOTHING = "StateMachineDoesNotExist: State WantedMachine Does Not Exist"
NOT_READY = "AccessDeniedException: Not authorized to assume the provided role."

DESCRIBE, TAGS = "stepfunctions.describe_state_machine", "stepfunctions.list_tags_for_resource"
FOUND = (DESCRIBE, ASKED, DESCRIBED)
TAGGED = (TAGS, OF_IT, {"tags": [{"key": "a", "value": "b"}]})
LEAVING = (DESCRIBE, ASKED, {**DESCRIBED, "status": "DELETING"})
GONE = (DESCRIBE, ASKED, NOTHING)
CREATE = "stepfunctions.create_state_machine"
CREATED = (CREATE, None, {"stateMachineArn": ARN, "creationDate": at(0)})
UPDATE = "stepfunctions.update_state_machine"
DELETED = ("stepfunctions.delete_state_machine", ASKED, {})


def live(*calls, known=ROLE, wait=True):
    """Return the machine after the given calls, and the clients."""
    clients = Clients()
    clients.expect(*calls)
    wanted = WantedMachine("report", known=parse_arn(known) if known else None)
    return LiveMachine(clients, wanted, Patience(wait, 60, 3)), clients


@pytest.mark.parametrize(
    ("calls", "known", "machine", "deleting"),
    [
        ([GONE], ROLE, None, False),
        ([FOUND, TAGGED], ROLE, SHOWN, False),
        ([LEAVING], ROLE, None, True),
        ([("sts.get_caller_identity", {}, {"Arn": ROLE}), GONE], None, None, False),
    ],
)
def test_what_is_read(calls, known, machine, deleting):
    found, clients = live(*calls, known=known)
    assert (found.arn, found.machine, found.deleting) == (ARN, machine, deleting)
    clients.assert_all_asked()


def test_credentials_that_nobody_has():
    with pytest.raises(Refused, match="Give the ARN of the state machine"):
        live(("sts.get_caller_identity", {}, {"Arn": "no ARN that has any account"}), known=None)


@pytest.mark.parametrize(
    ("found", "change", "wait", "calls", "expected"),
    [
        # There is no machine: create it, and read until it is shown.
        (
            [GONE],
            Change(None, SHOWN),
            True,
            [(CREATE, None, NOT_READY), CREATED, GONE, FOUND],
            (["created the state machine"], [2.0, 2.0], None),
        ),
        # The previous machine is still being deleted: wait for that, even if waiting for a deletion is not wanted.
        (
            [LEAVING],
            Change(None, SHOWN),
            False,
            [LEAVING, GONE, CREATED, FOUND],
            (["created the state machine"], [3.0], None),
        ),
        # Send only what differs; separate calls write the tags.
        (
            [FOUND, TAGGED],
            Change(SHOWN, {**SHOWN, "role_arn": OTHER_ROLE, "logging": LOGGING, "tags": {"c": "d"}}),
            True,
            [
                (UPDATE, {**ASKED, "roleArn": OTHER_ROLE, "loggingConfiguration": LOGGED}, {"updateDate": at(0)}),
                ("stepfunctions.tag_resource", {**OF_IT, "tags": [{"key": "c", "value": "d"}]}, {}),
                ("stepfunctions.untag_resource", {**OF_IT, "tagKeys": ["a"]}, {}),
                (DESCRIBE, ASKED, {**DESCRIBED, "roleArn": OTHER_ROLE, "loggingConfiguration": LOGGED}),
            ],
            (["updated role_arn, logging", "set tags", "removed tags"], [], None),
        ),
        # If reads stay old, give up after ten seconds: the change was written.
        (
            [FOUND, TAGGED],
            Change(SHOWN, {**SHOWN, "definition": OTHER}),
            True,
            [
                (
                    UPDATE,
                    {**ASKED, "roleArn": ROLE, "definition": json.dumps(OTHER, indent=2)},
                    {"updateDate": at(0)},
                ),
                *[FOUND] * 5,
            ],
            (["updated definition"], [2.0] * 5, None),
        ),
        # Write only tags.
        (
            [FOUND, TAGGED],
            Change(SHOWN, {**SHOWN, "tags": {}}),
            True,
            [("stepfunctions.untag_resource", {**OF_IT, "tagKeys": ["a"]}, {}), FOUND],
            (["removed tags"], [], None),
        ),
        # Delete the machine. The deletion ends with its last execution.
        (
            [FOUND, TAGGED],
            Change(SHOWN, None),
            True,
            [DELETED, LEAVING, GONE],
            (["began to delete the state machine"], [3.0], None),
        ),
        (
            [FOUND, TAGGED],
            Change(SHOWN, None),
            False,
            [DELETED],
            (["began to delete the state machine"], [], None),
        ),
    ],
)
def test_a_change(found, change, wait, calls, expected):
    machine, clients = live(*found, wait=wait)
    clients.expect(*calls)
    assert ended(machine.write(change)) == expected
    clients.assert_all_asked()


def test_a_write_that_fails_is_told():
    machine, clients = live(GONE)
    clients.expect((CREATE, None, "StateMachineLimitExceeded: no more"))
    with pytest.raises(CallFailed, match="no more"):
        ended(machine.write(Change(None, SHOWN)))


@pytest.mark.parametrize(
    ("change", "severities", "warnings"),
    [
        (Change(SHOWN, None), None, []),
        (Change(SHOWN, {**SHOWN, "tracing": True}), None, []),
        (Change(None, SHOWN), [], []),
        (Change(SHOWN, {**SHOWN, "definition": OTHER}), ["WARNING"], ["The definition, as AWS finds: mind this"]),
    ],
)
def test_a_definition_is_looked_at_by_aws(change, severities, warnings):
    machine, clients = live(GONE)
    if severities is not None:
        found = [{"severity": each, "code": "X", "message": "mind this"} for each in severities]
        asked = {"definition": json.dumps(change.after["definition"]), "type": "STANDARD", "severity": "WARNING"}
        answer = {"result": "OK", "diagnostics": found}
        clients.expect(("stepfunctions.validate_state_machine_definition", asked, answer))
    assert machine.check(change) == warnings
    clients.assert_all_asked()


def test_a_definition_that_aws_refuses():
    machine, clients = live(GONE)
    found = [{"severity": "ERROR", "code": "X", "message": "no StartAt"}]
    answer = {"result": "FAIL", "diagnostics": found}
    clients.expect(("stepfunctions.validate_state_machine_definition", None, answer))
    with pytest.raises(Refused, match="no StartAt"):
        machine.check(Change(None, {**SHOWN, "definition": DEFINITION}))
