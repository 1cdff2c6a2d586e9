# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open questions. Each states a belief and decides from the record whether it holds: pure functions, no calls.

A function takes the observations that its parameters name, as observe.py or smoke.yml recorded them.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.service_events import UNKNOWN, meaning_of
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.classify import of_error

Seen = dict[str, Any]


class Answer(NamedTuple):
    """``agrees``: whether the belief holds; None if the run could not tell."""

    seen: str
    agrees: bool | None


@dataclass(frozen=True)
class Question:
    asks: str
    how: str
    believed: str
    where: str  # files that rely on the belief, separated by spaces
    decide: Callable[..., Answer]

    def answer(self, record: Seen) -> Answer:
        """Return the answer from a whole record. If an observation is missing, there is no verdict."""
        needs = inspect.signature(self.decide).parameters
        record = {**record, "record": record}
        for name in needs:
            if name not in record:
                return Answer(f"not reached: {name}", None)
            if isinstance(record[name], dict) and "error" in record[name]:
                return Answer(f"{name} could not be observed: {record[name]['error']}", None)
        try:
            return self.decide(**{name: record[name] for name in needs})
        except (AttributeError, LookupError, TypeError, ValueError) as problem:  # AWS answered in an unexpected shape
            return Answer(f"the record cannot be read: {type(problem).__name__}: {problem}", None)


QUESTIONS: list[Question] = []


def question(
    asks: str, how: str, believed: str, where: str = ""
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    def keep(decide: Callable[..., Answer]) -> Callable[..., Answer]:
        QUESTIONS.append(Question(asks, how, believed, where, decide))
        return decide

    return keep


def seconds(value: float) -> str:
    return f"{value:.0f} s"


# -- stopping tasks -------------------------------------------------------------------------------------------


@question(
    "Does StopTask deregister the target and wait for it before containers get SIGTERM?",
    "StopTask behind a load balancer with a deregistration delay of 45 s. The container exits on SIGTERM at once, so"
    " executionStoppedAt is the time of SIGTERM",
    "No. The engine relies on neither",
    "tests/sandbox/model/tasks.py",
)
def stop_drains(stop: Seen, run: Seen) -> Answer:
    old = stop["looks"][-1]["old"]
    if old["execution_stopped"] is None:
        return Answer("the container did not end while it was watched", None)
    waited = (old["execution_stopped"] - old["stopping"]) * run["speed"]
    states = list(dict.fromkeys(look["target"] for look in stop["looks"]))
    text = f"SIGTERM {seconds(waited)} after StopTask; exit codes {old['exit_codes']}; target: {', '.join(states)}"
    return Answer(text, waited < 0.8 * stop["drain"])


@question(
    "Does StopTask stop a task under scale-in protection?",
    "UpdateTaskProtection, then StopTask",
    "Yes. Protection is for scale-in and deployments",
    "plugins/module_utils/_core/recycle/by_stop_task.py",
)
def stop_protected(protected: Seen) -> Answer:
    if protected["code"]:
        return Answer(f"StopTask was refused: {protected['code']}", False)
    last = protected["looks"][-1]["task"]
    return Answer(f"desired status {last['desired']}, status {last['status']}", last["desired"] == "STOPPED")


@question(
    "Does ECS stop a second task if the desired count is lowered within 3 s after StopTask?",
    "Three tasks: StopTask, then UpdateService to 2 at once; watched for 90 s",
    "No. The count is lowered before ECS replaces the stopped task",
    "plugins/module_utils/_core/recycle/by_stop_task.py",
)
def second_stop(lower: Seen) -> Answer:
    if "stopped" not in lower:
        return Answer("not reached", None)
    before = {each["id"] for each in lower["three"]}
    lost = len(before - set(lower["stopped"][-1]["kept"]))
    new = len(set(lower["stopped"][-1]["kept"]) - before)
    text = f"lowered after {lower['within']:.1f} s: {lost} of 3 tasks stopped, {new} started"
    return Answer(text, (lost == 1 and new == 0) if lower["within"] <= 3 else None)


@question(
    "Does ECS stop the surplus within 60 s after the desired count is lowered?",
    "UpdateService from 4 to 3",
    "Yes",
    "plugins/module_utils/_core/recycle/run.py",
)
def surplus(lower: Seen) -> Answer:
    if "lowered" not in lower:
        return Answer("not reached", None)
    last = lower["lowered"][-1]
    if len(last["kept"]) == len(lower["before"]):
        return Answer(f"nothing stopped within {seconds(last['at'])}", False)
    return Answer(f"after {seconds(last['at'])}", last["at"] <= 60)


@question(
    "Which task does ECS stop when the desired count is lowered?",
    "The same",
    "Any. The engine relies on no order",
    "plugins/module_utils/_core/recycle/by_scale_in.py",
)
def choice(lower: Seen) -> Answer:
    if "lowered" not in lower or len(lower["lowered"][-1]["kept"]) == len(lower["before"]):
        return Answer("not reached", None)
    zones = Counter(each["zone"] for each in lower["before"])
    gone = [
        f"the {rank}. oldest of {len(lower['before'])}, one of {zones[each['zone']]} in its zone"
        for rank, each in enumerate(lower["before"], 1)
        if each["id"] not in lower["lowered"][-1]["kept"]
    ]
    return Answer("; ".join(gone), True)


@question(
    "Does ECS register a new task in its target group within 300 s after it runs?",
    "The task that replaces the stopped one",
    "Yes",
    "plugins/module_utils/_core/recycle/health.py",
)
def registered(stop: Seen) -> Answer:
    runs = [look["at"] for look in stop["looks"] if (look["new"] or {}).get("status") == "RUNNING"]
    known = [look["at"] for look in stop["looks"] if look["new_target"] in ("initial", "healthy", "unhealthy")]
    if not runs or not known:
        return Answer("no new task was seen in the target group", False if runs else None)
    waited = max(0.0, known[0] - runs[0])
    return Answer(f"after {seconds(waited)}", waited <= 300)


@question(
    "How long does ECS take to register a target again that somebody deregistered?",
    "DeregisterTargets for a task that runs; watched for 150 s",
    "It does so at once, or replaces the task. The engine never deregisters targets",
)
def reregistered(deregister: Seen) -> Answer:
    looks = deregister["looks"]
    out = next((n for n, look in enumerate(looks) if look["target"] not in ("initial", "healthy")), None)
    if out is None:
        return Answer("the target stayed registered", None)
    last = looks[-1]
    back = last["target"] in ("initial", "healthy")
    text = "registered again" if back else f"not registered again; desired status of the task: {last['desired']}"
    return Answer(f"{text}, {seconds(last['at'] - looks[out]['at'])} later", back or last["desired"] == "STOPPED")


# -- tags -----------------------------------------------------------------------------------------------------


@question(
    "Which tags does a new task of a service with propagateTags: SERVICE take?",
    "A tag of the service is changed before a task is launched, and again while it runs",
    "Those of the service at the moment of the launch, for life",
    "tests/sandbox/model/scheduler.py",
)
def tags_of_new_tasks(stop: Seen) -> Answer:
    if not stop["later"]:
        return Answer("no new task was seen", None)
    key = "steadyops.ecs/live-mark"
    first, later = ((each or {}).get("tags", {}).get(key) for each in (stop["looks"][-1]["new"], stop["later"]))
    return Answer(f"{first!r} after the launch, {later!r} after the tag changed", first == later == "before")


@question(
    "Which error does UntagResource answer for a task that is gone?",
    "UntagResource for a task that has stopped, and for one that never existed",
    "None, ResourceNotFoundException, or InvalidParameterException with 'not found' or 'stopped'",
    "plugins/module_utils/_aws/calls/ecs.py tests/sandbox/model/scheduler.py",
)
def untag_gone(stop: Seen) -> Answer:
    told = {
        what: f"{each['code']}: {each['message']}" if each["code"] else "none" for what, each in stop["untag"].items()
    }
    known = all(
        each["code"] in (None, "ResourceNotFoundException")
        or (each["code"] == "InvalidParameterException" and any(w in each["message"] for w in ("not found", "stopped")))
        for each in stop["untag"].values()
    )
    return Answer("; ".join(f"{what}: {text}" for what, text in told.items()), known)


@question(
    "What is the field with the IPv6 address of a task called?",
    "The details of the attachment of a task; only subnets with IPv6 show it",
    "ipv6Address",
    "tests/sandbox/ecs/shapes.py",
)
def ipv6_field(stop: Seen) -> Answer:
    names = stop["looks"][0]["old"]["details"]
    found = [name for name in names if "6" in name]
    return Answer(", ".join(found or names), found == ["ipv6Address"] if found else None)


# -- scaling --------------------------------------------------------------------------------------------------


@question(
    "Does a suspended scalable target lower a desired count that is above its maximum?",
    "Maximum 2, all scaling suspended, desired count 4; watched for 90 s",
    "No",
    "plugins/module_utils/_core/recycle/run.py",
)
def clamped(lower: Seen) -> Answer:
    counts = list(dict.fromkeys(look["desired"] for look in lower["above"]))
    return Answer(f"desired count: {', '.join(map(str, counts))}", counts == [4])


@question(
    "Does a scheduled action that came due while scheduled scaling was suspended run later?",
    "A scheduled action a minute ahead, suspended for some minutes, then resumed and watched for 90 s",
    "No, it is missed",
)
def missed(lower: Seen) -> Answer:
    if "max_resumed" not in lower:
        return Answer("not reached", None)
    text = f"maximum {lower['max_suspended']} while suspended, {lower['max_resumed']} afterwards; the action sets 9"
    return Answer(text, lower["max_suspended"] == lower["max_resumed"] == 2)


# -- recycling ------------------------------------------------------------------------------------------------


def recycled(result: Seen) -> Answer:
    told = result.get("recycle") or {}
    text = f"status {told.get('status')}, {len(told.get('replaced') or [])} replaced; {result.get('msg', 'no error')}"
    return Answer(text, told.get("status") == "recycled" and not result.get("failed"))


@question(
    "Does the role service_recycle replace the tasks of a service with StopTask?",
    "Two tasks behind a load balancer", "Yes",
)  # fmt: skip
def recycled_by_stop_task(recycle_stop_task: Seen) -> Answer:
    return recycled(recycle_stop_task)


@question(
    "And with stop_method: scale_in?", "The same", "Yes",
)  # fmt: skip
def recycled_by_scale_in(recycle_scale_in: Seen) -> Answer:
    return recycled(recycle_scale_in)


@question(
    "Do the policies of the guide Permissions suffice for the roles?",
    "Each role runs with an IAM role that has its documented policy and nothing else",
    "Yes",
    "tests/permissions/places.py",
)
def policies(record: Seen) -> Answer:
    told = [each for name, each in record.items() if name.startswith("role_")]
    failed = [f"{each['role']}: {each['message']}" for each in told if each["refused"]]
    return Answer("; ".join(failed) or f"{len(told)} runs of roles succeeded", not failed if told else None)


@question(
    "Do the roles remove everything that they created?",
    "state: absent, then a search by name and tag",
    "Yes",
)
def removed(leftovers: list[str]) -> Answer:
    return Answer(", ".join(leftovers) or "nothing was left", not leftovers)


# -- deployments and events -----------------------------------------------------------------------------------


def named(events: list[Seen], name: str) -> list[str]:
    return sorted({each["detail-type"] for each in events if each.get("detail", {}).get("eventName") == name})


@question(
    "Under which detail types does ECS report a failed deployment?",
    "A deployment whose image does not exist, with the circuit breaker; every event of the cluster goes to a queue",
    "ECS Deployment State Change, and no other",
    "plugins/module_utils/_core/failures/definition.py",
)
def failed_deployment(collect: Seen) -> Answer:
    found = named(collect["events"], "SERVICE_DEPLOYMENT_FAILED")
    return Answer(", ".join(found) or "no such event", found == ["ECS Deployment State Change"] if found else None)


@question(
    "What becomes of a service deployment when a newer one begins?",
    "Two deployments, five seconds apart; the second fails and is rolled back",
    "The newer takes its place: it is STOPPED",
    "tests/sandbox/model/deployments.py",
)
def superseded(collect: Seen) -> Answer:
    states = [each["status"] for each in collect["deployments"]]
    return Answer(", ".join(states[::-1]), "STOPPED" in states if len(states) > 1 else None)


@question(
    "From which revision is a task replaced that is stopped during a deployment?",
    "StopTask of an old task while the deployment of the broken image is in progress",
    "From its own, since November 2025",
    "tests/sandbox/model/tasks.py",
)
def own_revision(deploy: Seen) -> Answer:
    new = deploy["looks"][-1]["new"]
    return Answer(
        f"new tasks of {', '.join(new) or 'no family'}; the old one was of {deploy['old']}", deploy["old"] in new
    )


@question(
    "Does the engine know the texts of service events?",
    "All service events of the run",
    "Yes",
    "plugins/module_utils/_core/recycle/service_events.py",
)
def service_events(collect: Seen) -> Answer:
    texts = collect["service_events"]
    unknown = [text for text in texts if meaning_of(text) == UNKNOWN]
    return Answer(f"{len(texts)} texts; unknown: {unknown or 'none'}", not unknown)


@question(
    "Does PutRule accept the patterns of all kinds, and does EventBridge match what our matcher matches?",
    "The role failure_alerts with all kinds, then TestEventPattern with each known failure",
    "Yes",
    "plugins/module_utils/_core/events/pattern/match.py",
)
def same_matches(patterns: Seen, role_failure_alerts: Seen) -> Answer:
    wrong, works = patterns["different"] + patterns["refused"], role_failure_alerts["works"]
    rules = "accepted" if works else role_failure_alerts["message"]
    text = f"rules: {rules}; {patterns['compared']} events compared, different: {wrong or 'none'}"
    return Answer(text, not wrong and works)


def alerted(collect: Seen) -> set[tuple[str, str]]:
    """Return the detail type, and the task family or service, of each alert."""
    return {
        (each["detail_type"], str(each.get("task_definition") or each.get("service")).rsplit("/", 1)[-1].split(":")[0])
        for each in collect["alerts"]
    }


@question(
    "Do failures send alerts, and does nothing else?",
    "A task that exits with 1, an image that cannot be pulled and a failed deployment; beside them recycles, scale-ins,"
    " StopTask and a job that ends well",
    "Yes",
    "plugins/module_utils/_core/failures/definition.py",
)
def alerts_of_failures(collect: Seen) -> Answer:
    found = {each for each in alerted(collect) if each[0] != "AWS API Call via CloudTrail"}
    task, live = "ECS Task State Change", "steadyops-live"
    wanted = {(task, f"{live}-exit"), (task, f"{live}-pull"), ("ECS Deployment State Change", f"{live}-other")}
    allowed = wanted | {(task, f"{live}-bad"), ("ECS Service Action", f"{live}-other")}
    lacking, surplus = sorted(wanted - found), sorted(found - allowed)
    return Answer(f"{len(found)} kinds of alerts; missing: {lacking or 'none'}; more: {surplus or 'none'}",
                  not lacking and not surplus)  # fmt: skip


@question(
    "What is the stop code of a short job that ends before its sidecar starts?",
    "A job that ends at once beside a container with a large image",
    "TaskFailedToStart with a reason that names no cause, or EssentialContainerExited. It is no alert",
    "plugins/module_utils/_core/failures/catalogue.py",
)
def short_job(launches: list[Seen], collect: Seen) -> Answer:
    ids = [task for each in launches if each["what"] == "short" for task in each["tasks"]]
    found = [each for each in collect["tasks"] if each["id"] in ids]
    if not found or not found[0]["stop_code"]:
        return Answer("the job did not end while it was watched", None)
    job = found[0]
    vague = (job["reason"] or "").startswith(("Essential container in task exited", "Task failed to start"))
    told = any("-short" in what for _kind, what in alerted(collect))
    text = f"{job['stop_code']}: {job['reason']}; exit codes {job['exit_codes']}; {'an' if told else 'no'} alert"
    return Answer(text, vague and not told)


# -- refused launches -----------------------------------------------------------------------------------------


def records(collect: Seen) -> dict[str, Seen]:
    """Return startedBy -> CloudTrail's record of the launch."""
    found = [each["detail"] for each in collect["events"] if each["detail-type"] == "AWS API Call via CloudTrail"]
    return {str((each.get("requestParameters") or {}).get("startedBy")): each for each in found}


NO_TRAIL = Answer("no trail of the account logs in this region", None)


@question(
    "What does CloudTrail hide of RunTask?",
    "A launch with an environment variable in its overrides",
    "The environment of the overrides, and nothing else",
    "tests/sandbox/ecs/cloudtrail.py",
)
def hidden(trail: Seen, collect: Seen) -> Answer:
    if not trail["logging"]:
        return NO_TRAIL
    record = records(collect).get("exit")
    if record is None:
        return Answer("the record did not arrive", None)
    shown = record["requestParameters"]
    text = json.dumps(shown.get("overrides"))
    parts = shown["overrides"]["containerOverrides"] if isinstance(shown.get("overrides"), dict) else None
    whole = {"cluster", "taskDefinition", "launchType", "networkConfiguration", "startedBy"} <= shown.keys()
    return Answer(text, whole and isinstance(parts, list) and isinstance(parts[0].get("environment"), str))


@question(
    "What does the record of a denied launch contain?",
    "RunTask with an IAM role in its overrides that the caller may not pass",
    "errorCode AccessDenied, and no request parameters. A role in overrides must be passed",
    "plugins/module_utils/_core/retry/records.py tests/sandbox/access/role_check.py",
)
def denied(launches: list[Seen], trail: Seen, collect: Seen) -> Answer:
    told = next(each for each in launches if each["what"] == "denied")
    if not told["code"]:
        return Answer("the launch was not refused", False)
    if not trail["logging"]:
        return Answer(f"answer: {told['code']}: {told['message']}; {NO_TRAIL.seen}", None)
    found = [each["detail"] for each in collect["events"] if "AccessDenied" in str(each["detail"].get("errorCode"))]
    if not found:
        return Answer(f"answer: {told['code']}: {told['message']}; the record did not arrive", None)
    code, request = found[0]["errorCode"], found[0].get("requestParameters")
    text = f"answer {told['code']}; record {code}, request parameters {sorted(request) if request else request}"
    return Answer(f"{text}: {found[0].get('errorMessage')}", code == "AccessDenied" and not request)


CLASSES = {"no-instance": "transient", "no-subnet": "permanent", "inactive": "permanent"}


@question(
    "Are refused launches worded as we read them?",
    "No instances in the cluster, a subnet that does not exist, an inactive task definition",
    "Yes: " + ", ".join(f"{what} is {kind}" for what, kind in CLASSES.items()),
    "plugins/module_utils/_core/retry/classify.py",
)
def refusals(launches: list[Seen]) -> Answer:
    told = {each["what"]: each for each in launches if each["what"] in CLASSES}
    parts, right = [], True
    for what, wanted in CLASSES.items():
        each = told[what]
        read = of_error(each["code"], each["message"], 400) if each["code"] else f"failures {each['failures']}"
        right = right and (read == wanted if each["code"] else bool(each["failures"]) and wanted == "transient")
        parts.append(f"{what}: {each['code']}: {each['message']} ({read})")
    return Answer("; ".join(parts), right)


@question(
    "Does the retry function retry what may pass, and give up the rest?",
    "The same launches, with two attempts",
    "Two retries for the cluster without instances; the others, and the denied one, are given up at once",
    "plugins/module_utils/_core/retry/decide.py",
)
def retried(trail: Seen, collect: Seen) -> Answer:
    if not trail["logging"]:
        return NO_TRAIL
    found = Counter(
        (each["decision"], str(each.get("task_definition", "none")).rsplit("/", 1)[-1].split(":")[0])
        for each in collect["decisions"]
        if each["decision"] in ("retry", "give up")
    )
    live = "steadyops-live"
    wanted = {("retry", f"{live}-ec2"): 2, ("give up", f"{live}-ec2"): 1, ("give up", f"{live}-exit"): 1,
              ("give up", f"{live}-inactive"): 1, ("give up", "none"): 1}  # fmt: skip
    text = ", ".join(f"{decision} {family}: {count}" for (decision, family), count in sorted(found.items()))
    return Answer(text or "no decision was logged", dict(found) == wanted)


# -- Step Functions, schedules, tables ------------------------------------------------------------------------


@question(
    "Does ListExecutions list a new execution within 5 s?",
    "StartExecution, then ListExecutions each second",
    "Yes",
    "plugins/module_utils/_core/states/gate.py",
)
def listed(executions: Seen) -> Answer:
    return Answer(
        f"{executions['listed']}, after {executions['seconds']:.1f} s",
        executions["listed"] and executions["seconds"] <= 5,
    )


@question(
    "Does StopExecution change nothing about an execution that has ended?",
    "StopExecution twice",
    "Nothing, and no error",
    "plugins/module_utils/_core/states/gate.py",
)
def stopped_twice(executions: Seen) -> Answer:
    text = f"{executions['ended']}, then {executions['afterwards']}; error: {executions['code']}"
    return Answer(text, not executions["code"] and executions["ended"] == executions["afterwards"])


@question(
    "Does the schedule of the role scheduled_task run its job?",
    "A job that ends well, every five minutes",
    "Yes",
)
def scheduled(collect: Seen) -> Answer:
    ended = [each for each in collect["executions"] if each != "RUNNING"]
    return Answer(f"executions: {', '.join(collect['executions']) or 'none'}", {*ended} == {"SUCCEEDED"})


@question(
    "Does one page hold all 50 tags of a DynamoDB table?",
    "A table with 50 tags",
    "Yes",
    "plugins/module_utils/_aws/calls/dynamodb.py",
)
def tags_of_table(table: Seen) -> Answer:
    return Answer(f"{table['tags']} tags, {'more' if table['more'] else 'no more'} pages", table["tags"] == 50)


# What this run does not answer: file that relies on it -> why it is not answered.
NOT_ASKED = {
    "plugins/module_utils/_core/events/target/messages/templates.py": "a person has to open the link in the console",
    "plugins/module_utils/_aws/shapes/ecs_targets.py": "Express services and ECS Gateway need more resources",
    "plugins/module_utils/_core/recycle/record.py": "a run would have to begin while ECS moves tasks to another zone",
    "plugins/module_utils/_core/eda/read.py": "RotationSucceeded needs a secret with a rotation function",
    "plugins/module_utils/_core/failures/definition.py": "zone rebalancing fails only if a zone has no room",
    "plugins/module_utils/_core/failures/catalogue.py": "a hook that fails needs a blue/green service and a function",
    "tests/sandbox/ecs/services.py": "hooks need a blue/green service; nothing reads past revisions",
    "tests/sandbox/ecs/elb_api.py": "VPC Lattice needs a service network",
    "tests/sandbox/access/permissions.py": "the policies of AWS's own keys cannot be changed",
    "tests/sandbox/model/scheduler.py": "agents are lost on EC2 only; a service without target groups would be broken",
    "tests/sandbox/model/deployments.py": "blue/green, CODE_DEPLOY and EXTERNAL services need more resources",
}
