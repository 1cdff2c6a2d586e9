# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report the health of targets in the target groups and Classic Load Balancers that the model's services use.

Moto handles everything else. Unless marked otherwise, codes come from the API models (elasticloadbalancing 2015-12-01
and 2012-06-01, vpc-lattice 2022-11-30) and descriptions from captured answers.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from ..account import Account
from ..model.state import SandboxError
from ..model.tasks import CLASSIC
from ..wire import Answer, Call

# State of a target -> ELB's usual reason code.
CODES = {
    "initial": "Elb.InitialHealthChecking",
    "unhealthy": "Target.FailedHealthChecks",
    "unhealthy.draining": "Target.FailedHealthChecks",  # guide of the Network Load Balancer
    "draining": "Target.DeregistrationInProgress",
    "unused": "Target.NotRegistered",
    "unavailable": "Target.HealthCheckDisabled",
}
DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Elb.InternalError": "Health checks failed due to an internal error",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes: [503]",
    "Target.Timeout": "Request timed out",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.InvalidState": "Target is in the stopped state",
    "Target.IpUnusable": "Target IP address is reserved for use by a load balancer",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.HealthCheckDisabled": "Health checks are disabled for this target group",
}
# State of a target -> state, reason code and description of a Classic Load Balancer's instance.
CLASSIC_STATES = {
    "healthy": ("InService", "N/A", "N/A"),
    "initial": ("OutOfService", "ELB", "Instance registration is still in progress."),
    "unhealthy": (
        "OutOfService",
        "Instance",
        "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
    ),
    "draining": ("InService", "N/A", "Instance deregistration currently in progress."),
    "unused": ("OutOfService", "N/A", "Instance is not currently registered with the LoadBalancer."),
}
# State of a target -> status and reason code of VPC Lattice. No model lists its codes (assumed to be like ELB's).
LATTICE_STATES = {
    "healthy": ("HEALTHY", None),
    "initial": ("INITIAL", "TargetRegistrationInProgress"),
    "unhealthy": ("UNHEALTHY", "HealthCheckFailed"),
    "draining": ("DRAINING", "TargetDeregistrationInProgress"),
    "unused": ("UNUSED", "TargetGroupNotInUse"),
    "unavailable": ("UNAVAILABLE", "HealthCheckNotSupported"),
}


def describe_target_health(account: Account, call: Call) -> str | None:
    asked = call.parameters
    with account.lock:
        model = account.cluster(call.region)
        group = asked.get("TargetGroupArn", "")
        if group not in model.groups:
            return None
        states = model.target_states(group)
        reasons = {target: model.target_reason(group, target) for target in states}
    wanted, number = [], 1
    while target := asked.get(f"Targets.member.{number}.Id"):
        wanted.append(f"{target}:{asked.get(f'Targets.member.{number}.Port', 80)}")
        number += 1
    members = [member(target, states.get(target, "unused"), reasons.get(target)) for target in wanted or states]
    return f"<TargetHealthDescriptions>{''.join(members)}</TargetHealthDescriptions>"


def member(target: str, state: str, reason: str | None) -> str:
    address, port = target.rsplit(":", 1)
    code = reason or CODES.get(state, "")
    why = f"<Reason>{code}</Reason><Description>{DESCRIPTIONS.get(code, '')}</Description>" if code else ""
    return (
        f"<member><Target><Id>{address}</Id><Port>{port}</Port></Target><HealthCheckPort>{port}</HealthCheckPort>"
        f"<TargetHealth><State>{state}</State>{why}</TargetHealth></member>"
    )


def describe_instance_health(account: Account, call: Call) -> str | None:
    """Return the health of a Classic Load Balancer's instances, by instance id."""
    name = call.parameters.get("LoadBalancerName", "")
    with account.lock:
        model = account.cluster(call.region)
        if f"{CLASSIC}{name}" not in model.groups:
            return None
        states = {target.rsplit(":", 1)[0]: state for target, state in model.target_states(f"{CLASSIC}{name}").items()}
    wanted, number = [], 1
    while instance := call.parameters.get(f"Instances.member.{number}.InstanceId"):
        wanted.append(instance)
        number += 1
    members = []
    for instance in wanted or states:
        state, code, text = CLASSIC_STATES[states.get(instance, "unused").partition(".")[0]]
        members.append(
            f"<member><InstanceId>{instance}</InstanceId><State>{state}</State><ReasonCode>{code}</ReasonCode>"
            f"<Description>{text}</Description></member>"
        )
    return f"<InstanceStates>{''.join(members)}</InstanceStates>"


def list_targets(account: Account, call: Call) -> Answer:
    """Answer VPC Lattice's POST /targetgroups/{id or ARN}/listtargets."""
    wanted = unquote(call.operation.split(" ", 1)[1]).removeprefix("/targetgroups/").removesuffix("/listtargets")
    with account.lock:
        model = account.cluster(call.region)
        group = next((each for each in model.groups if each.endswith(wanted) and ":vpc-lattice:" in each), None)
        if group is None or group in model.deleted_groups:
            raise SandboxError("ResourceNotFoundException", f"TARGET_GROUP {wanted} not found", 404)
        states = model.target_states(group)
    items: list[dict[str, Any]] = []
    for target, state in states.items():
        address, port = target.rsplit(":", 1)
        status, code = LATTICE_STATES[state.partition(".")[0]]
        items.append({"id": address, "port": int(port), "status": status, **({"reasonCode": code} if code else {})})
    asked = {(each["id"], each.get("port")) for each in call.parameters.get("targets") or []}
    items = [each for each in items if not asked or (each["id"], each["port"]) in asked or (each["id"], None) in asked]
    return Answer(200, [("Content-Type", "application/json")], [json.dumps({"items": items}).encode()])


OPERATIONS = {"DescribeTargetHealth": describe_target_health, "DescribeInstanceHealth": describe_instance_health}
LATTICE = {"POST /targetgroups/*/listtargets": list_targets}
