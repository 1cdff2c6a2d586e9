# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What a state machine says of a failure: the lines that the alerts of failure rules have, in text form.

No value of an environment variable gets into them. The cause of a task's failure quotes its overrides, so single parts
are taken out of it, and nothing of one that is too long to be read. The templates stand among the data of the first
state, since a line break in the text of a function of the States Language is not provided for.
"""

from __future__ import annotations

SUBJECT = "States.Format('ECS job {} failed', $$.StateMachine.Name)"

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

TEMPLATES = {
    "task": "\n".join([*_OF_A_TASK, *_ENDING]),
    "error": "\n".join(["ECS task failed: {}", "Reason: {}", *_ENDING]),
    "not_read": "The cause is too long to be told here",
}


def _format(template: str, *paths: str) -> str:
    return f"States.Format($.templates.{template}, {', '.join([*paths, *_EXECUTION])})"


OF_A_TASK = _format("task", *_OF_A_TASK.values())
OF_AN_ERROR = _format("error", "$.ended.error.Error", "$.ended.error.Cause")
OF_WHAT_IS_NOT_READ = _format("error", "$.ended.error.Error", "$.templates.not_read")
