# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling's scalable targets for ECS services. Moto handles policies and scheduled actions."""

from __future__ import annotations

import zlib
from typing import Any

from ..account import NUMBER, Account
from ..model.scheduler import Cluster
from ..model.state import SandboxError
from ..wire import Call

SUSPENDED = {
    "dynamic_in": "DynamicScalingInSuspended",
    "dynamic_out": "DynamicScalingOutSuspended",
    "scheduled": "ScheduledScalingSuspended",
}


def register(account: Account, call: Call) -> dict[str, Any] | None:
    asked = call.parameters
    if asked.get("ServiceNamespace") != "ecs":
        return None
    with account.lock:
        model = account.cluster(call.region)
        name = named(model, asked["ResourceId"])
        state = asked.get("SuspendedState")
        flags = None if state is None else {flag: bool(state.get(key)) for flag, key in SUSPENDED.items()}
        model.register_scalable_target(name, asked.get("MinCapacity"), asked.get("MaxCapacity"), flags)
        return {"ScalableTargetARN": target_arn(call.region, name)}


def named(model: Cluster, resource: str) -> str:
    name = resource.removeprefix("service/")
    if name not in model.services or model.services[name].status == "INACTIVE":
        raise SandboxError("ValidationException", f"ECS service doesn't exist: {resource}")
    return name


def target_arn(region: str, name: str) -> str:
    return f"arn:aws:application-autoscaling:{region}:{NUMBER}:scalable-target/0ec5{zlib.crc32(name.encode()):08x}"


def describe(account: Account, call: Call) -> dict[str, Any] | None:
    asked = call.parameters
    if asked.get("ServiceNamespace") != "ecs":
        return None
    wanted = [resource.removeprefix("service/") for resource in asked.get("ResourceIds") or []]
    found = []
    with account.lock:
        for service, target in account.cluster(call.region).autoscaling.targets.items():
            name = f"{service.cluster}/{service.name}"
            if wanted and name not in wanted:
                continue
            role = "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
            found.append({
                "ServiceNamespace": "ecs",
                "ResourceId": f"service/{name}",
                "ScalableDimension": "ecs:service:DesiredCount",
                "MinCapacity": target.minimum,
                "MaxCapacity": target.maximum,
                "RoleARN": f"arn:aws:iam::{NUMBER}:role/aws-service-role/{role}",
                "CreationTime": account.stamp(service.created_at),
                "SuspendedState": {key: getattr(target, flag) for flag, key in SUSPENDED.items()},
                "ScalableTargetARN": target_arn(call.region, name),
            })  # fmt: skip
    return {"ScalableTargets": found}


def deregister(account: Account, call: Call) -> dict[str, Any] | None:
    if call.parameters.get("ServiceNamespace") != "ecs":
        return None
    with account.lock:
        model = account.cluster(call.region)
        name = named(model, call.parameters["ResourceId"])
        if model.scaling(name) is None:
            text = f"No scalable target registered for {call.parameters['ResourceId']}"
            raise SandboxError("ObjectNotFoundException", text)
        model.deregister_scalable_target(name)
    return {}


OPERATIONS = {
    "RegisterScalableTarget": register,
    "DescribeScalableTargets": describe,
    "DeregisterScalableTarget": deregister,
}
