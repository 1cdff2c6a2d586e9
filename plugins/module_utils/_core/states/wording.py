# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The message of a state machine about a failure: the same lines as the alerts of failure rules, as text.

The message never contains the value of an environment variable. The cause of a task's failure quotes the task's
overrides, so the message takes only selected parts of it, and none of a cause that is too long to be parsed. The
templates are in the data of the first state, because functions of the States Language do not provide for line
breaks in text.
"""

from __future__ import annotations

_ENDING = ("State machine: {}", "Execution: {}", "Started at {}")
_EXECUTION = ("$$.StateMachine.Id", "$$.Execution.Id", "$$.Execution.StartTime")
_OF_A_TASK = {
    "ECS task failed: {}": "$.read.task.StopCode",
    "Reason: {}": "$.read.task.StoppedReason",
    "Exit codes: {}": "States.JsonToString($.containers.exit_codes)",
    "Containers: {}": "States.JsonToString($.containers.names)",
    "Reasons of containers: {}": "States.JsonToString($.containers.reasons)",
    "Group: {}": "$.read.task.Group",
    "Cluster: {}": "$.read.task.ClusterArn",
    "Task definition: {}": "$.read.task.TaskDefinitionArn",
    "Task: {}": "$.read.task.TaskArn",
}


def templates(timeout: int) -> dict[str, str]:
    """Return the templates, whose first line names the kind of failure. ``timeout`` is per attempt, in seconds."""
    of_an_error = ("Reason: {}", *_ENDING)
    return {
        "task": "\n".join([*_OF_A_TASK, *_ENDING]),
        "refused": "\n".join(["ECS launch refused: {}", *of_an_error]),
        "timed_out": "\n".join(["ECS task timed out: {}", *of_an_error]),
        "error": "\n".join(["ECS job failed: {}", *of_an_error]),
        "too_long": f"It did not end within {timeout} seconds, and Step Functions stopped it",
        "not_read": "The cause is too long for this message",
    }


def _told(end: str, template: str, *paths: str) -> dict[str, str]:
    """Return subject and text. A subject must be below 100 characters for SNS; a state machine's name may have 80."""
    return {
        "subject.$": f"States.Format('ECS job {{}} {end}', $$.StateMachine.Name)",
        "text.$": f"States.Format($.templates.{template}, {', '.join([*paths, *_EXECUTION])})",
    }


_ERROR, _CAUSE = "$.ended.error.Error", "$.ended.error.Cause"
OF_A_TASK = _told("failed", "task", *_OF_A_TASK.values())
OF_A_TIMEOUT = _told("timed out", "timed_out", _ERROR, "$.templates.too_long")
OF_A_REFUSAL = _told("refused", "refused", _ERROR, _CAUSE)
OF_AN_ERROR = _told("failed", "error", _ERROR, _CAUSE)
OF_WHAT_IS_NOT_READ = _told("failed", "error", _ERROR, "$.templates.not_read")
