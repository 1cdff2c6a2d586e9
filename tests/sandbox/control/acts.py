# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts of others (users, AWS) on a service while a playbook runs, via the control endpoint."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ..account import Account
from ..delivery import sns_api
from ..model import deployments
from ..model.scheduler import Cluster
from ..model.services import Service
from ..model.tasks import Task
from ..schedules import schedules

Act = Callable[[Cluster, str, dict[str, Any]], Any]


def act(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Perform an act: {"act": a key of ACTS, "service": name or cluster/name, "region": ..., and the act's parameters}.

    ``after``: delay of an act on a service, in AWS's seconds.
    """
    asked = dict(asked)
    kind, region = asked.pop("act"), asked.pop("region", None) or account.region
    if kind == "release":
        return release(account)
    if kind == "confirm_subscription":
        return {"confirmed": sns_api.confirm_endpoint(account, asked["endpoint"], asked.get("topic"))}
    if kind == "endpoint":
        return endpoint(account, asked.get("answers", "silent"))
    if kind == "fire_schedule":
        return schedules.fire_now(account, region, asked["name"])
    model = account.cluster(region)
    if kind not in ACTS:
        raise ValueError(
            f"no such act: {kind}; there are release, endpoint, confirm_subscription, fire_schedule, {', '.join(ACTS)}"
        )
    for key in DURATIONS & asked.keys():
        asked[key] = None if asked[key] is None else asked[key] / account.speed
    after = asked.pop("after", 0)
    if "service" not in asked and kind in OF_TASKS:
        ACTS[kind](model, "", asked)
        return dict(task(model, "", asked).state()._asdict())
    service = model.service(asked.pop("service"))
    name = f"{service.cluster}/{service.name}"
    if after:
        model.at(after, ACTS[kind], model, name, asked)
    else:
        ACTS[kind](model, name, asked)
    return describe(account, region, service)


def release(account: Account) -> dict[str, Any]:
    """Release all held answers."""
    account.releases += 1
    account.released.notify_all()
    return {}


def endpoint(account: Account, answers: str) -> dict[str, Any]:
    """Create an AWS endpoint that accepts connections but never answers ("silent"), or refuses them ("refused")."""
    if answers not in ("silent", "refused"):
        raise ValueError(f"an endpoint is silent or refused, not {answers}")
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    if answers == "silent":
        made.listen(64)
    account.sockets.append(made)  # kept open until the account is reset
    return {"url": f"http://127.0.0.1:{made.getsockname()[1]}"}


def task(model: Cluster, name: str, asked: dict[str, Any]) -> Task:
    """Find `task`: an ARN, an id, "oldest" (default; prefers RUNNING tasks) or "newest" (in any status)."""
    wanted = asked.get("task", "oldest")
    if wanted in ("oldest", "newest"):
        service = model.service(name)
        running = sorted(service.live.values(), key=lambda each: (each.last_status == "RUNNING", -each.created_at))
        if not running:
            raise LookupError(f"service {name} has no task")
        return running[-1] if wanted == "oldest" else max(running, key=lambda each: each.created_at)
    for each in model.tasks.values():
        if wanted in (each.arn, each.id):
            return each
    raise LookupError(f"no task {wanted}")


def rescale(model: Cluster, name: str, asked: dict[str, Any]) -> None:
    desired = asked["desired"] if "desired" in asked else model.service(name).desired + asked["delta"]
    model.update_service(name, desired=desired, by="operator")


def protect(model: Cluster, name: str, asked: dict[str, Any]) -> None:
    minutes = asked.get("minutes", 120)
    model.protect(task(model, name, asked).arn, model.now + 60 * minutes if minutes else None)


ACTS: dict[str, Act] = {
    "rescale": rescale,
    "deploy": lambda model, name, asked: model.begin_deployment(name, **asked),
    "codedeploy": lambda model, name, asked: model.codedeploy(name, **asked),
    "external_task_set": lambda model, name, asked: model.external_task_set(name, **asked),
    "scale_task_set": lambda model, name, asked: model.scale_task_set(name, **asked),
    "shift": lambda model, name, _asked: model.shift(name),
    "finish": lambda model, name, _asked: model.finish(name),
    "roll_back": lambda model, name, asked: model.roll_back(name, **asked),
    "continue_deployment": lambda model, name, asked: model.continue_deployment(name, **asked),
    "fail_deployment": lambda model, name, asked: model.fail_deployment(name, **asked),
    "delete": lambda model, name, _asked: model.delete_service(name),
    "stop_task": lambda model, name, asked: model.stop_task(
        task(model, name, asked).arn, asked.get("reason", "by hand"), by="operator"
    ),
    "lose_agent": lambda model, name, asked: model.lose_agent(
        task(model, name, asked).arn, asked.get("status", "RUNNING")
    ),
    "restore_agents": lambda model, name, _asked: model.restore_agents(name),
    "tag_task": lambda model, name, asked: model.tag_task(task(model, name, asked).arn, asked["tags"]),
    "lose_host": lambda model, name, asked: model.lose_host(task(model, name, asked).arn),
    "interrupt": lambda model, name, asked: model.interrupt(task(model, name, asked).arn),
    "rebalance": lambda model, name, asked: model.rebalance(task(model, name, asked).arn),
    "rebalance_zones": lambda model, name, asked: model.rebalance_zones(name, **asked),
    "instances": lambda model, name, asked: model.set_instances(name, asked["count"]),
    "predictive_scaling": lambda model, name, asked: model.predictive_scaling(name, asked["desired"]),
    "crash": lambda model, name, asked: model.crash(task(model, name, asked).arn, asked.get("exit_code", 1)),
    "fail_health": lambda model, name, asked: model.fail_health(task(model, name, asked).arn, asked.get("group")),
    "protect": protect,
    "target_state": lambda model, name, asked: model.target_state(
        task(model, name, asked).arn, asked["state"], asked.get("group"), asked.get("reason", "")
    ),
    "use_group": lambda model, name, asked: model.use_group(name, **asked),
    "delete_target_group": lambda model, name, asked: model.delete_target_group(name, **asked),
    "tag": lambda model, name, asked: model.tag(name, asked["tags"]),
    "untag": lambda model, name, asked: model.untag(name, asked["keys"]),
    "policy_wants": lambda model, name, asked: model.policy_wants(name, asked["desired"]),
    "register_scalable_target": lambda model, name, asked: model.register_scalable_target(
        name, asked.get("min"), asked.get("max"), asked.get("suspended"), by="operator"
    ),
    "deregister_scalable_target": lambda model, name, _asked: model.deregister_scalable_target(name),
    "scheduled_action": lambda model, name, asked: model.scheduled_action(name, asked.get("min"), asked.get("max")),
}


DURATIONS = {"after", "shift", "keep"}  # given in AWS's seconds
OF_TASKS = ("stop_task", "interrupt", "crash", "lose_host")  # need no service if they name a task


def rollout(service: Service) -> dict[str, Any] | None:
    """Describe the service deployment or CodeDeploy deployment under way, if there is one."""
    found = deployments.current(service)
    if found is None:
        return None
    told = ("id", "status", "reason", "stage", "weight", "shifted")
    return {**{key: getattr(found, key) for key in told}, "hook": found.hook and found.hook.id}


def describe(account: Account, region: str, service: Service) -> dict[str, Any]:
    """Return the current state of a service, for the control endpoint."""
    scaling = account.cluster(region).autoscaling.targets.get(service)
    return {
        "arn": service.arn,
        "region": region,
        "cluster": service.cluster,
        "name": service.name,
        "status": service.status,
        "desired": service.desired,
        "running": service.running,
        "pending": service.pending,
        "healthy": service.healthy,
        "task_definition": service.task_definition,
        "target_groups": list(service.target_groups),
        "tags": dict(service.tags),
        "scaling": scaling._asdict() if scaling else None,
        "controller": service.controller,
        "strategy": service.strategy,
        "deployments": [dict(deployment.__dict__) for deployment in service.deployments],
        "rollout": rollout(service),
        "events": [event.message for event in service.events],
        "tasks": [
            {**each.state()._asdict(), "healthy": each.healthy, "protected_until": each.protected_until or None}
            for each in (*service.live.values(), *service.leaving.values())
        ],
    }
