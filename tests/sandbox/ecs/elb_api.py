# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Target health, for the target groups that services of the model use. Everything else stays with moto."""

from __future__ import annotations

from ..account import Account
from ..wire import Call

REASONS = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "unused": ("Target.NotRegistered", "Target is not registered to the target group"),
}


def describe_target_health(account: Account, call: Call) -> str | None:
    asked = call.parameters
    with account.lock:
        model = account.cluster(call.region)
        group = asked.get("TargetGroupArn", "")
        if group not in model.groups:
            return None
        states = model.target_states(group)
    wanted, number = [], 1
    while target := asked.get(f"Targets.member.{number}.Id"):
        wanted.append(f"{target}:{asked.get(f'Targets.member.{number}.Port', 80)}")
        number += 1
    members = [member(target, states.get(target, "unused")) for target in wanted or states]
    return f"<TargetHealthDescriptions>{''.join(members)}</TargetHealthDescriptions>"


def member(target: str, state: str) -> str:
    address, port = target.rsplit(":", 1)
    reason, text = REASONS.get(state, ("", ""))
    why = f"<Reason>{reason}</Reason><Description>{text}</Description>" if reason else ""
    return (
        f"<member><Target><Id>{address}</Id><Port>{port}</Port></Target><HealthCheckPort>{port}</HealthCheckPort>"
        f"<TargetHealth><State>{state}</State>{why}</TargetHealth></member>"
    )


OPERATIONS = {"DescribeTargetHealth": describe_target_health}
