# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.live.observe NAME: do one thing on purpose, and record what AWS does.

Each function below returns what it saw, as JSON. It decides nothing; questions.py does.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import KINDS, read_filters
from botocore.exceptions import ClientError

from tests.live import sweep
from tests.live.account import FOLDER, NAME, OTHER, TAG, WEB, Account

MARK = "steadyops.ecs/live-mark"  # a tag of the service that changes during the run
DRAIN = 45  # seconds; the deregistration delay in make.yml
JOB, RETRY = f"{NAME}-job", f"{NAME}-retry"
HARMLESS = "a value that is no secret"  # value of a variable in overrides: does CloudTrail show it?

OBSERVATIONS: dict[str, Callable[[Account], Any]] = {}


def observation(function: Callable[[Account], Any]) -> Callable[[Account], Any]:
    OBSERVATIONS[function.__name__] = function
    return function


# -- what is there --------------------------------------------------------------------------------------------


def view(task: dict[str, Any]) -> dict[str, Any]:
    """Return a task without the names of anything in the account."""

    def stamp(key: str) -> float | None:
        return task[key].timestamp() if key in task else None

    details = [each for attachment in task["attachments"] for each in attachment["details"]]
    return {
        "id": task["taskArn"].rsplit("/", 1)[-1],
        "status": task["lastStatus"],
        "desired": task["desiredStatus"],
        "created": stamp("createdAt"),
        "stopping": stamp("stoppingAt"),
        "execution_stopped": stamp("executionStoppedAt"),
        "stop_code": task.get("stopCode"),
        "reason": task.get("stoppedReason"),
        "exit_codes": [each.get("exitCode") for each in task["containers"]],
        "family": task["taskDefinitionArn"].rsplit("/", 1)[-1].split(":")[0],
        "zone": task.get("availabilityZone"),
        "tags": {each["key"]: each["value"] for each in task.get("tags", [])},
        "address": next((each["value"] for each in details if each["name"] == "privateIPv4Address"), None),
        "details": sorted(each["name"] for each in details),
    }


def describe(account: Account, names: list[str]) -> list[dict[str, Any]]:
    """Return the tasks with the given ARNs or ids, oldest first."""
    if not names:
        return []
    found = account.client("ecs").describe_tasks(cluster=NAME, tasks=names, include=["TAGS"])["tasks"]
    return sorted(map(view, found), key=lambda each: each["created"] or float("inf"))


def running(account: Account, service: str) -> list[dict[str, Any]]:
    """Return the tasks that ECS means to keep, oldest first."""
    return describe(account, account.client("ecs").list_tasks(cluster=NAME, serviceName=service)["taskArns"])


def about(account: Account, service: str) -> dict[str, Any]:
    found: dict[str, Any] = account.client("ecs").describe_services(cluster=NAME, services=[service])["services"][0]
    return found


def targets(account: Account) -> dict[str, str]:
    """Return address -> state of the targets of the service behind the load balancer."""
    elb = account.client("elbv2")
    group = elb.describe_target_groups(Names=[NAME])["TargetGroups"][0]["TargetGroupArn"]
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}


def settle(account: Account, service: str, seconds: float = 480) -> float:
    """Wait until a service is whole, and return the seconds it took. Raises TimeoutError."""

    def look() -> dict[str, Any]:
        found, tasks = about(account, service), running(account, service)
        states = targets(account) if service == WEB else {}
        good = [each for each in tasks if each["status"] == "RUNNING"]
        good = [each for each in good if service != WEB or states.get(each["address"]) == "healthy"]
        rolling = len(found["deployments"]) > 1 or found["deployments"][0].get("rolloutState") == "IN_PROGRESS"
        return {
            "whole": len(good) == len(tasks) == found["desiredCount"] and not rolling,
            "events": found["events"][:3],
        }

    last = account.watch(seconds, look, lambda seen: seen["whole"])[-1]
    if not last["whole"]:
        events = [each["message"] for each in last["events"]]
        raise TimeoutError(f"The service is not steady after {seconds} seconds. ECS says: {events}")
    return float(last["at"])


def refusal(call: Callable[..., Any], **asked: Any) -> dict[str, Any]:
    """Make a call and return its answer, with ``code`` and ``message`` of the error if there was one."""
    try:
        return {"code": None, "message": "", "answer": call(**asked)}
    except ClientError as problem:
        error = problem.response["Error"]
        return {"code": error["Code"], "message": error.get("Message", ""), "answer": {}}


# -- before anything is broken --------------------------------------------------------------------------------


@observation
def trail(account: Account) -> dict[str, Any]:
    """Observe whether CloudTrail sends records of this region to EventBridge."""
    cloudtrail = account.client("cloudtrail")
    names = [each["TrailARN"] for each in cloudtrail.describe_trails()["trailList"]]
    return {"logging": any(cloudtrail.get_trail_status(Name=each)["IsLogging"] for each in names)}


@observation
def steady(account: Account) -> dict[str, Any]:
    return {service: settle(account, service) for service in (WEB, OTHER)}


# -- tasks ----------------------------------------------------------------------------------------------------


@observation
def launches(account: Account) -> list[dict[str, Any]]:
    """Provoke launches that are refused, and tasks that fail."""
    ecs, seen = account.client("ecs"), []

    def run(what: str, family: str, client: Any = ecs, fargate: bool = True, **more: Any) -> None:
        place = {"launchType": "FARGATE", "networkConfiguration": account.network}
        asked = {"cluster": NAME, "taskDefinition": f"{NAME}-{family}", "startedBy": what, **more}
        told = refusal(client.run_task, **{**(place if fargate else {"launchType": "EC2"}), **asked})
        tasks = [each["taskArn"].rsplit("/", 1)[-1] for each in told["answer"].get("tasks", [])]
        reasons = [each.get("reason") for each in told["answer"].get("failures", [])]
        seen.append(
            {"what": what, "code": told["code"], "message": told["message"], "failures": reasons, "tasks": tasks}
        )

    # An IAM role that may run tasks but may not pass roles.
    role = f"{NAME}-runner"
    arn = f"arn:{ecs.meta.partition}:iam::{account.number}:role/{role}"
    key = account.client("sts").assume_role(RoleArn=arn, RoleSessionName=role)["Credentials"]
    runner = account.new_client(
        "ecs", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )  # fmt: skip
    run("denied", "exit", runner, overrides={"taskRoleArn": arn})
    value = [{"name": "app", "environment": [{"name": "HARMLESS", "value": HARMLESS}]}]
    run("exit", "exit", overrides={"containerOverrides": value})
    run("pull", "pull")
    run("short", "short")
    run("no-instance", "ec2", fargate=False)
    nowhere = {**account.network["awsvpcConfiguration"], "subnets": ["subnet-00000000000000000"]}
    run("no-subnet", "exit", networkConfiguration={"awsvpcConfiguration": nowhere})
    newest = ecs.describe_task_definition(taskDefinition=f"{NAME}-inactive")["taskDefinition"]
    ecs.deregister_task_definition(taskDefinition=newest["taskDefinitionArn"])
    run("inactive", f"inactive:{newest['revision']}")
    return seen


@observation
def deploy(account: Account) -> dict[str, Any]:
    """Begin a deployment and a second one on top of it that must fail, and stop a task meanwhile."""
    ecs = account.client("ecs")
    (old, *_rest) = running(account, OTHER)
    ecs.update_service(cluster=NAME, service=OTHER, taskDefinition=f"{NAME}-next")
    account.pause(5)
    ecs.update_service(cluster=NAME, service=OTHER, taskDefinition=f"{NAME}-bad")
    account.pause(10)
    known = {each["id"] for each in running(account, OTHER)}
    ecs.stop_task(cluster=NAME, task=old["id"])

    def look() -> dict[str, Any]:
        return {"new": sorted({each["family"] for each in running(account, OTHER) if each["id"] not in known})}

    looks = account.watch(90, look, lambda seen: old["family"] in seen["new"])
    return {"old": old["family"], "looks": looks}


@observation
def stop(account: Account) -> dict[str, Any]:
    """Stop a task behind a load balancer while a tag of the service changes."""
    ecs, arn = account.client("ecs"), account.arn("ecs", f"service/{NAME}/{WEB}")
    settle(account, WEB)
    ecs.tag_resource(resourceArn=arn, tags=[{"key": MARK, "value": "before"}])
    tasks = running(account, WEB)
    old, known = tasks[0], {each["id"] for each in tasks}
    ecs.stop_task(cluster=NAME, task=old["id"])

    def look() -> dict[str, Any]:
        states, new = targets(account), [each for each in running(account, WEB) if each["id"] not in known]
        return {
            "old": describe(account, [old["id"]])[0],
            "target": states.get(old["address"], "none"),
            "new": new[0] if new else None,
            "new_target": states.get(new[0]["address"], "none") if new else "none",
        }

    looks = account.watch(
        400, look, lambda seen: seen["old"]["status"] == "STOPPED" and seen["new_target"] == "healthy"
    )
    ecs.tag_resource(resourceArn=arn, tags=[{"key": MARK, "value": "after"}])
    account.pause(10)
    new = looks[-1]["new"]
    gone = {"stopped": old["id"], "unknown": uuid.uuid4().hex}
    untag = {
        what: refusal(ecs.untag_resource, resourceArn=account.arn("ecs", f"task/{NAME}/{task}"), tagKeys=[MARK])
        for what, task in gone.items()
    }
    return {"drain": DRAIN, "looks": looks, "later": describe(account, [new["id"]])[0] if new else None, "untag": untag}


@observation
def protected(account: Account) -> dict[str, Any]:
    """Stop a task that is under scale-in protection."""
    ecs = account.client("ecs")
    settle(account, WEB)
    task = running(account, WEB)[0]["id"]
    ecs.update_task_protection(cluster=NAME, tasks=[task], protectionEnabled=True, expiresInMinutes=5)
    told = refusal(ecs.stop_task, cluster=NAME, task=task)
    looks = account.watch(
        90, lambda: {"task": describe(account, [task])[0]}, lambda seen: seen["task"]["status"] != "RUNNING"
    )
    if told["code"]:
        ecs.update_task_protection(cluster=NAME, tasks=[task], protectionEnabled=False)
    return {"code": told["code"], "looks": looks}


@observation
def deregister(account: Account) -> dict[str, Any]:
    """Deregister the target of a running task."""
    settle(account, WEB)
    elb, task = account.client("elbv2"), running(account, WEB)[-1]
    group = elb.describe_target_groups(Names=[NAME])["TargetGroups"][0]["TargetGroupArn"]
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": task["address"], "Port": 8080}])

    def look() -> dict[str, Any]:
        return {
            "target": targets(account).get(task["address"], "none"),
            "desired": describe(account, [task["id"]])[0]["desired"],
        }

    gone: list[str] = []

    def over(seen: dict[str, Any]) -> bool:
        back = bool(gone) and seen["target"] in ("initial", "healthy")
        gone.extend([seen["target"]] if seen["target"] in ("draining", "unused", "none") else [])
        return back or seen["desired"] == "STOPPED"

    return {"looks": account.watch(150, look, over)}


@observation
def lower(account: Account) -> dict[str, Any]:
    """Raise the desired count above the maximum of a suspended scalable target; lower it with and without StopTask."""
    ecs, scaling = account.client("ecs"), account.client("application-autoscaling")
    settle(account, WEB)
    what = {
        "ServiceNamespace": "ecs", "ResourceId": f"service/{NAME}/{WEB}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }  # fmt: skip
    flags = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    scaling.register_scalable_target(**what, MinCapacity=1, MaxCapacity=2, SuspendedState=dict.fromkeys(flags, True))
    due = datetime.now(timezone.utc) + timedelta(seconds=max(2, 60 / account.speed))
    scaling.put_scheduled_action(
        **what, ScheduledActionName=NAME, Schedule=f"at({due:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 9},
    )  # fmt: skip

    def maximum() -> int:
        found = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[what["ResourceId"]])
        return int(found["ScalableTargets"][0]["MaxCapacity"])

    ecs.update_service(cluster=NAME, service=WEB, desiredCount=4)
    above = account.watch(90, lambda: {"desired": about(account, WEB)["desiredCount"]}, lambda _seen: False)
    if above[-1]["desired"] != 4:
        return {"above": above, "max_suspended": maximum()}
    settle(account, WEB)
    before = running(account, WEB)
    ecs.update_service(cluster=NAME, service=WEB, desiredCount=3)

    def kept() -> dict[str, Any]:
        return {"kept": [each["id"] for each in running(account, WEB)]}

    lowered = account.watch(120, kept, lambda seen: len(seen["kept"]) < 4)
    settle(account, WEB)
    three = running(account, WEB)
    began = account.clock()
    ecs.stop_task(cluster=NAME, task=three[0]["id"])
    ecs.update_service(cluster=NAME, service=WEB, desiredCount=2)
    within = account.clock() - began
    stopped = account.watch(90, kept, lambda _seen: False)
    missed = {"max_suspended": maximum()}
    scaling.register_scalable_target(**what, SuspendedState=dict.fromkeys(flags, False))
    account.pause(90)
    missed["max_resumed"] = maximum()
    scaling.deregister_scalable_target(**what)
    return {
        "above": above, "before": before, "lowered": lowered, "three": three, "within": within, "stopped": stopped,
        **missed,
    }  # fmt: skip


# -- other services -------------------------------------------------------------------------------------------


@observation
def executions(account: Account) -> dict[str, Any]:
    """Observe how soon ListExecutions lists a new execution, and what StopExecution does to one that has ended."""
    states = account.client("stepfunctions")
    machine = account.arn("states", f"stateMachine:{JOB}")
    began = account.clock()
    new = states.start_execution(stateMachineArn=machine, name=f"observed-{uuid.uuid4().hex[:8]}")["executionArn"]

    def listed() -> dict[str, Any]:
        found = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        return {"listed": new in [each["executionArn"] for each in found]}

    looks = account.watch(60, listed, lambda seen: seen["listed"])
    seconds = account.clock() - began

    def status() -> dict[str, Any]:
        return {"status": states.describe_execution(executionArn=new)["status"]}

    states.stop_execution(executionArn=new)
    ended = account.watch(60, status, lambda seen: seen["status"] != "RUNNING")[-1]["status"]
    told = refusal(states.stop_execution, executionArn=new, error="again")
    return {
        "listed": looks[-1]["listed"], "seconds": seconds, "ended": ended, "code": told["code"],
        "afterwards": status()["status"],
    }  # fmt: skip


@observation
def table(account: Account) -> dict[str, Any]:
    """Observe how many of the 50 tags of a table one page has."""
    dynamodb = account.client("dynamodb")
    tags = [{"Key": TAG, "Value": "true"}, *({"Key": f"tag-{n}", "Value": "x"} for n in range(49))]
    dynamodb.create_table(
        TableName=NAME, BillingMode="PAY_PER_REQUEST", Tags=tags,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )  # fmt: skip
    account.watch(
        60,
        lambda: {"status": dynamodb.describe_table(TableName=NAME)["Table"]["TableStatus"]},
        lambda seen: seen["status"] == "ACTIVE",
    )
    page = dynamodb.list_tags_of_resource(ResourceArn=account.arn("dynamodb", f"table/{NAME}"))
    return {"tags": len(page["Tags"]), "more": "NextToken" in page}


@observation
def patterns(account: Account) -> dict[str, Any]:
    """Test every ready-made pattern on the known failures: does EventBridge match what our matcher matches?"""
    events = account.client("events")
    compared, different, refused = 0, [], []
    for kind in KINDS:
        try:
            pattern = failure_pattern(kind, read_filters(kind, {}))
        except Refused:
            continue  # this kind needs a filter that says whose failures it is about
        samples = [each for each in CATALOGUE if each.event["detail-type"] in pattern["detail-type"]]
        for sample in samples:
            asked = {"EventPattern": json.dumps(pattern), "Event": json.dumps(sample.event)}
            told = refusal(events.test_event_pattern, **asked)
            if told["code"]:
                refused.append({"kind": kind, "message": told["message"]})
                break
            compared += 1
            if told["answer"]["Result"] != matches(pattern, sample.event):
                different.append({"kind": kind, "sample": sample.name, "aws": told["answer"]["Result"]})
    return {"compared": compared, "different": different, "refused": refused}


# -- at the end -----------------------------------------------------------------------------------------------


def messages(account: Account, queue: str) -> list[dict[str, Any]]:
    """Remove all messages from a queue and return those that are JSON."""
    sqs, found = account.client("sqs"), []
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages"):
        for message in some:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            with suppress(ValueError):
                found.append(json.loads(message["Body"]))
    return found


def deployments(account: Account) -> list[dict[str, Any]]:
    """Return the deployments of the service that fails, newest first."""
    ecs = account.client("ecs")
    found = ecs.list_service_deployments(cluster=NAME, service=OTHER)["serviceDeployments"]
    return [{"status": each["status"], "reason": each.get("statusReason", "")} for each in found]


def decisions(account: Account) -> list[dict[str, Any]]:
    """Return the decisions that the retry function logged."""
    found = []
    for event in sweep.pages(account, "logs", "filter_log_events", "events", logGroupName=f"/aws/lambda/{RETRY}"):
        with suppress(ValueError):
            line = json.loads(event["message"])
            found += [line] if isinstance(line, dict) and "decision" in line else []
    return found


@observation
def collect(account: Account) -> dict[str, Any]:
    """Wait for the end of the deployment, the retries and the schedule, then collect everything that was reported."""
    states, machine = account.client("stepfunctions"), account.arn("states", f"stateMachine:{JOB}")
    logging = trail(account)["logging"]

    def look() -> dict[str, Any]:
        runs = states.list_executions(stateMachineArn=machine)["executions"]
        return {
            "deployments": deployments(account),
            "executions": [each["status"] for each in runs if not each["name"].startswith("observed-")],
            "given_up": [each for each in decisions(account) if each["decision"] == "give up"] if logging else [],
        }

    def over(seen: dict[str, Any]) -> bool:
        rolling = {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}
        fired = bool({*seen["executions"]} - {"RUNNING"})
        ended = not any(each["status"] in rolling for each in seen["deployments"])
        return fired and ended and (not logging or len(seen["given_up"]) >= 4)

    last = account.watch(900, look, over)[-1]
    account.pause(60)
    tasks = [task for each in json.loads((account.folder / "launches.json").read_text()) for task in each["tasks"]]
    texts = {each["message"] for name in (WEB, OTHER) for each in about(account, name)["events"]}
    return {
        **last,
        "tasks": describe(account, tasks),
        "service_events": sorted(texts),
        "events": messages(account, f"{NAME}-events"),
        "alerts": messages(account, f"{NAME}-alerts"),
        "decisions": decisions(account) if logging else [],
    }


@observation
def leftovers(account: Account) -> list[str]:
    """Return what the roles of the collection have not removed."""
    theirs = (f"{NAME}-alerts", RETRY, JOB)
    names = [f"{kind} {name}" for kind in sweep.KINDS for name in sweep.find(account, kind)[0]]
    return [name for name in names if any(each in name for each in theirs) and "definition" not in name]


def main() -> None:
    name = sys.argv[1]
    account = Account(FOLDER)
    try:
        seen = OBSERVATIONS[name](account)
    except Exception as problem:  # noqa: BLE001 - whatever it is belongs into the record, and the run goes on
        account.keep(name, {"error": f"{type(problem).__name__}: {problem}"})
        sys.exit(f"{name} could not be observed: {problem}")
    account.keep(name, seen)
    print(f"{name} was observed.")


if __name__ == "__main__":
    main()
