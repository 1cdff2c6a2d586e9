# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.live.check: check everything that can be checked before anything is written.

Prints JSON: ``problems``, the ``vpc``, the ``account``, and the ``policies`` of the guide "Permissions" with our names.
"""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.live.account import NAME, Account
from tests.live.sweep import KINDS, find
from tests.permissions.policy import actions_of, policy
from tests.permissions.roles import ROLES

PORT = 8080
ADDRESSES = 12  # free addresses that the load balancer and the tasks need
ANYWHERE = "0.0.0.0/0"
# Values for the words in capitals that the policies leave to their readers.
WORDS = {
    "CLUSTER": NAME, "GROUP": "default", "LOG_GROUP": f"/aws/*/{NAME}*",
    **dict.fromkeys(
        ("SERVICE", "RULE", "QUEUE", "TOPIC", "FUNCTION", "STATE_MACHINE", "SCHEDULE", "ALARM", "ROLE", "TABLE",
         "CONNECTION", "DESTINATION"), f"{NAME}*"
    ),
}  # fmt: skip


def problems_of_network(
    subnets: list[dict[str, Any]], groups: list[dict[str, Any]], tables: list[dict[str, Any]], public_ip: bool
) -> list[str]:
    """Return the problems of ``subnets``, security ``groups`` and the VPC's route ``tables``, as EC2 describes them."""
    found = []
    vpcs = {each["VpcId"] for each in [*subnets, *groups]}
    if len(vpcs) > 1:
        found.append("The subnets and the security group must be in one VPC.")
    if len({each["AvailabilityZone"] for each in subnets}) < 2:
        found.append("A load balancer needs subnets in two availability zones: add one to live_subnets.")
    for subnet in subnets:
        name, way = subnet["SubnetId"], way_out(subnet["SubnetId"], tables)
        if subnet["AvailableIpAddressCount"] < ADDRESSES:
            found.append(f"{name} has {subnet['AvailableIpAddressCount']} free addresses; {ADDRESSES} are needed.")
        if not way:
            found.append(f"{name} has no route to {ANYWHERE}, so tasks cannot pull images from public.ecr.aws.")
        elif way.startswith("igw-") and not public_ip:
            found.append(f"{name} is a public subnet: set live_public_ip to true.")
        elif not way.startswith("igw-") and public_ip:
            found.append(f"{name} is a private subnet: set live_public_ip to false.")
    for group in groups:
        name = group["GroupId"]
        if not allows(group["IpPermissions"], PORT, name):
            found.append(f"{name} must let itself in at port {PORT}, for health checks.")
        if not allows(group["IpPermissionsEgress"], PORT, name):
            found.append(f"{name} must be allowed to reach itself at port {PORT}, for health checks.")
        if not allows(group["IpPermissionsEgress"], 443):
            found.append(f"{name} must be allowed to reach port 443 of {ANYWHERE}, to pull images.")
    return found


def way_out(subnet: str, tables: list[dict[str, Any]]) -> str:
    """Return what the default route of a subnet leads to, or an empty string if there is none."""
    own = [t for t in tables if any(each.get("SubnetId") == subnet for each in t["Associations"])]
    main = [t for t in tables if any(each.get("Main") for each in t["Associations"])]
    for route in [route for table in own or main for route in table["Routes"]]:
        if route.get("DestinationCidrBlock") == ANYWHERE and route.get("State", "active") == "active":
            keys = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")
            return next((route[key] for key in keys if route.get(key)), "another gateway")
    return ""


def allows(rules: list[dict[str, Any]], port: int, group: str = "") -> bool:
    """Return whether rules let traffic pass at a port, from or to anywhere or a given security group."""
    return any(
        (rule["IpProtocol"] == "-1" or (rule["IpProtocol"] == "tcp" and rule["FromPort"] <= port <= rule["ToPort"]))
        and (
            any(each.get("CidrIp") == ANYWHERE for each in rule.get("IpRanges", []))
            or (group and any(each.get("GroupId") == group for each in rule.get("UserIdGroupPairs", [])))
        )
        for rule in rules
    )


def policies(account: Account) -> dict[str, Any]:
    """Return the documented policy of each role, with our names in place of the words in capitals."""
    meta = account.client("ecs").meta
    words = {**WORDS, "REGION": meta.region_name, "ACCOUNT": account.number}
    made = {}
    for role in ROLES:
        text = json.dumps(policy(role, actions_of(role, role=True)))
        text = re.sub("|".join(rf"\b{word}\b" for word in words), lambda found: words[found[0]], text)
        made[role] = json.loads(text.replace("arn:aws:", f"arn:{meta.partition}:"))
    return made


def problems(account: Account) -> list[str]:
    given, ec2 = account.settings, account.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=given["subnets"])["Subnets"]
    groups = ec2.describe_security_groups(GroupIds=[given["security_group"]])["SecurityGroups"]
    of_vpc = [{"Name": "vpc-id", "Values": [subnets[0]["VpcId"]]}]
    tables = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    found = problems_of_network(subnets, groups, tables, given["public_ip"])
    if account.client("sts").get_caller_identity()["Arn"].endswith(":root"):
        found.append("The root user cannot assume IAM roles: use the credentials of another user or role.")
    for kind in KINDS:
        mine, strange = find(account, kind)
        found += [
            f"{kind} {name} exists. Remove what an earlier run left with tests/live/cleanup.yml." for name in mine
        ]
        found += [f"{kind} {name} exists and has no tag of this test. Rename or remove it." for name in strange]
    return found


def main() -> None:
    account = Account()
    answer: dict[str, Any] = {"problems": [], "policies": {}}
    try:
        answer["problems"] = problems(account)
        answer["policies"] = policies(account)
        answer["account"] = account.number
        answer["vpc"] = account.client("ec2").describe_subnets(SubnetIds=account.settings["subnets"])["Subnets"][0][
            "VpcId"
        ]
    except (BotoCoreError, ClientError) as problem:
        answer["problems"].append(str(problem))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
