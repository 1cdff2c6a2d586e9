# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table that says on which resources, and under which conditions, our policies allow an action.

The reader must replace the words in capitals. Source of resource types and condition keys: "Actions, resources, and
condition keys for AWS services" (service authorization reference), which has a page for each service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """The part of a statement that follows its actions. Actions of one place share a statement."""

    sid: str
    resource: str | tuple[str, ...]
    condition: str = ""  # a key of CONDITIONS


def _arn(service: str, resource: str, region: str = "REGION", account: str = "ACCOUNT") -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


_CLUSTER = {"ArnEquals": {"ecs:cluster": _arn("ecs", "cluster/CLUSTER")}}
# ForAllValues alone is also true for a request without keys.
_RECORD = {"ForAllValues:StringLike": {"aws:TagKeys": "steadyops.ecs/*"}, "Null": {"aws:TagKeys": "false"}}
_DESIRED_COUNT = {
    "StringEquals": {
        "application-autoscaling:service-namespace": "ecs",
        "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
    }
}
_LINKED = {"StringEquals": {"iam:AWSServiceName": "apidestinations.events.amazonaws.com"}}
CONDITIONS: dict[str, dict[str, Any]] = {
    "cluster": _CLUSTER,
    "record": _RECORD,
    "desired count": _DESIRED_COUNT,
    "linked": _LINKED,
}

EVERYWHERE = Place("NotByResource", "*")
_SERVICE_ARN = _arn("ecs", "service/CLUSTER/SERVICE")
_SERVICE = Place("Service", _SERVICE_ARN, "cluster")
_RECORD_OF_SERVICE = Place("Record", _SERVICE_ARN, "record")
_RECORD_OF_TASKS = Place("CopiesOfTheRecord", _arn("ecs", "task/CLUSTER/*"), "record")
_TASKS = Place("Tasks", _arn("ecs", "task/CLUSTER/*"))
_BLUE_GREEN = Place(
    "BlueGreen",
    tuple(
        _arn("ecs", f"{kind}/CLUSTER/SERVICE{rest}")
        for kind, rest in (("service", ""), ("service-revision", "/*"), ("service-deployment", "/*"))
    ),
)
_RULES = Place("Rules", _arn("events", "rule/RULE"))
_CONNECTIONS = Place("Connections", _arn("events", "connection/CONNECTION/*"))
_DESTINATIONS = Place(
    "ApiDestinations", (_arn("events", "api-destination/DESTINATION/*"), _arn("events", "connection/CONNECTION/*"))
)
_QUEUES = Place("Queues", _arn("sqs", "QUEUE"))
_TOPICS = Place("Topics", _arn("sns", "TOPIC"))
_ROLES = Place("IamRoles", _arn("iam", "role/ROLE", region=""))
_LOG_GROUPS = Place("LogGroups", (_arn("logs", "log-group:LOG_GROUP"), _arn("logs", "log-group:LOG_GROUP:*")))
_FUNCTIONS = Place("Functions", _arn("lambda", "function:FUNCTION"))
_MAPPINGS = Place("EventSourceMappings", _arn("lambda", "event-source-mapping:*"))
_STATE_MACHINES = Place("StateMachines", _arn("states", "stateMachine:STATE_MACHINE"))
_SCHEDULES = Place("Schedules", _arn("scheduler", "schedule/GROUP/SCHEDULE"))
_ALARMS = Place("Alarms", _arn("cloudwatch", "alarm:ALARM"))
_TABLES = Place("Tables", _arn("dynamodb", "table/TABLE"))
_TRAILS = Place("Trails", _arn("cloudtrail", "trail/*"))
_SECRETS = Place("Secrets", _arn("secretsmanager", "secret:SECRET-??????"))
_SECRETS_OF_CONNECTIONS = Place("SecretsOfConnections", _arn("secretsmanager", "secret:events!connection/CONNECTION/*"))
_KEYS = Place("Keys", _arn("kms", "key/KEY"))

# The places of an action, or (``service:*``) of all actions of a service without their own line.
PLACES: dict[str, tuple[Place, ...]] = {
    "application-autoscaling:DescribeScalableTargets": (EVERYWHERE,),
    "application-autoscaling:RegisterScalableTarget": (
        Place("ScalingSwitches", _arn("application-autoscaling", "scalable-target/*"), "desired count"),
    ),
    "cloudtrail:*": (_TRAILS,),
    "cloudtrail:DescribeTrails": (EVERYWHERE,),
    "cloudwatch:*": (_ALARMS,),
    "cloudwatch:DescribeAlarms": (EVERYWHERE,),  # composite alarms need all resources
    "dynamodb:*": (_TABLES,),
    "ecr:DescribeImages": (Place("Images", _arn("ecr", "repository/REPOSITORY")),),
    "ecs:DescribeCapacityProviders": (Place("CapacityOnDemand", _arn("ecs", "capacity-provider/*")),),
    "ecs:DescribeContainerInstances": (Place("InstancePorts", _arn("ecs", "container-instance/CLUSTER/*")),),
    "ecs:DescribeServiceDeployments": (_BLUE_GREEN,),
    "ecs:DescribeServiceRevisions": (_BLUE_GREEN,),
    "ecs:DescribeServices": (_SERVICE,),
    "ecs:DescribeTaskDefinition": (EVERYWHERE,),
    "ecs:DescribeTasks": (_TASKS,),
    "ecs:GetTaskProtection": (_TASKS,),
    "ecs:ListClusters": (EVERYWHERE,),
    "ecs:ListServices": (EVERYWHERE,),
    # The collection names no container instance, which is the only resource type of this action.
    "ecs:ListTasks": (Place("ListOfTasks", "*", "cluster"),),
    "ecs:StopTask": (_TASKS,),
    "ecs:TagResource": (_RECORD_OF_SERVICE,),
    "ecs:UntagResource": (_RECORD_OF_SERVICE, _RECORD_OF_TASKS),
    "ecs:UpdateService": (_SERVICE,),
    "ecs:UpdateTaskProtection": (_TASKS,),
    "elasticloadbalancing:*": (EVERYWHERE,),
    "events:*": (_RULES,),
    "events:CreateApiDestination": (_DESTINATIONS,),
    "events:CreateConnection": (_CONNECTIONS,),
    "events:DeleteApiDestination": (_DESTINATIONS,),
    "events:DeleteConnection": (_CONNECTIONS,),
    "events:DescribeApiDestination": (_DESTINATIONS,),
    "events:DescribeConnection": (_CONNECTIONS,),
    "events:ListApiDestinations": (EVERYWHERE,),
    "events:ListRules": (EVERYWHERE,),
    "events:UpdateApiDestination": (_DESTINATIONS,),
    "events:UpdateConnection": (_CONNECTIONS,),
    "iam:*": (_ROLES,),
    "iam:CreateServiceLinkedRole": (
        Place(
            "FirstConnection",
            _arn("iam", "role/aws-service-role/apidestinations.events.amazonaws.com/*", region=""),
            "linked",
        ),
    ),
    "kms:*": (_KEYS,),
    "lambda:*": (_FUNCTIONS,),
    "lambda:CreateEventSourceMapping": (EVERYWHERE,),
    "lambda:DeleteEventSourceMapping": (_MAPPINGS,),
    "lambda:ListEventSourceMappings": (EVERYWHERE,),
    "lambda:UpdateEventSourceMapping": (_MAPPINGS,),
    "logs:*": (_LOG_GROUPS,),
    "logs:DeleteResourcePolicy": (EVERYWHERE,),
    "logs:DescribeLogGroups": (EVERYWHERE,),
    "logs:DescribeResourcePolicies": (EVERYWHERE,),
    "logs:PutResourcePolicy": (EVERYWHERE,),
    "s3:GetObject": (Place("EnvironmentFiles", _arn("s3", "BUCKET/KEY", region="", account="")),),
    "scheduler:*": (_SCHEDULES,),
    "scheduler:GetScheduleGroup": (Place("ScheduleGroups", _arn("scheduler", "schedule-group/GROUP")),),
    "secretsmanager:*": (_SECRETS_OF_CONNECTIONS,),
    "secretsmanager:DescribeSecret": (_SECRETS,),
    "sns:*": (_TOPICS,),
    "sns:Unsubscribe": (EVERYWHERE,),
    "sqs:*": (_QUEUES,),
    "ssm:DescribeParameters": (EVERYWHERE,),
    "states:*": (_STATE_MACHINES,),
    "states:ValidateStateMachineDefinition": (EVERYWHERE,),
    "sts:AssumeRole": (_ROLES,),
    "vpc-lattice:ListTargets": (Place("Lattice", _arn("vpc-lattice", "targetgroup/*")),),
}
# The same for plugins and roles that use an action for something else.
PLACES_OF: dict[str, dict[str, tuple[Place, ...]]] = {
    "events_connection": {"secretsmanager:DescribeSecret": (_SECRETS_OF_CONNECTIONS,)},
    "failure_alerts": {"secretsmanager:DescribeSecret": (_SECRETS_OF_CONNECTIONS,)},
    # The inventory looks for services in all clusters.
    "ecs_services": {"ecs:DescribeServices": (EVERYWHERE,)},
}


def places(name: str, action: str) -> tuple[Place, ...]:
    own = PLACES_OF.get(name, {})
    return own.get(action) or PLACES.get(action) or PLACES[f"{action.partition(':')[0]}:*"]
