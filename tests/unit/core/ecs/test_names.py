# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write for cluster and service, and how it is read."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.ecs.names import ServiceName, parse_service
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused

ECS = "arn:aws:ecs:eu-west-1:111122223333"
HERE = ("eu-west-1", "111122223333")


@pytest.mark.parametrize(
    ("cluster", "service", "expected"),
    [
        ("prod", "web", ServiceName("prod", "web")),
        (None, "web", ServiceName("default", "web")),
        ("", "web", ServiceName("default", "web")),
        ("prod", "web_2-b", ServiceName("prod", "web_2-b")),
        (f"{ECS}:cluster/prod", "web", ServiceName("prod", "web", *HERE)),
        # A long ARN names the cluster, a short one does not.
        ("prod", f"{ECS}:service/prod/web", ServiceName("prod", "web", *HERE)),
        (None, f"{ECS}:service/prod/web", ServiceName("prod", "web", *HERE)),
        ("default", f"{ECS}:service/prod/web", ServiceName("prod", "web", *HERE)),
        ("prod", f"{ECS}:service/web", ServiceName("prod", "web", *HERE)),
        (None, f"{ECS}:service/web", ServiceName("default", "web", *HERE)),
        (f"{ECS}:cluster/prod", f"{ECS}:service/prod/web", ServiceName("prod", "web", *HERE)),
        (f"{ECS}:cluster/prod", f"{ECS}:service/web", ServiceName("prod", "web", *HERE)),
        # Other partitions.
        (
            "prod",
            "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:service/prod/web",
            ServiceName("prod", "web", "us-gov-west-1", "111122223333"),
        ),
    ],
)
def test_names(cluster, service, expected):
    assert parse_service(cluster, service) == expected


@pytest.mark.parametrize(
    ("cluster", "service", "words"),
    [
        (
            "prod",
            "",
            "an ECS service (1 to 255 letters, digits, hyphens and underscores) or its ARN, such as arn:aws:ecs:",
        ),
        (
            "prod",
            "prod/web",
            "or its ARN, such as arn:aws:ecs:eu-west-1:123456789012:service/production/web (got 'prod/web')",
        ),
        (
            "my cluster",
            "web",
            "or its ARN, such as arn:aws:ecs:eu-west-1:123456789012:cluster/production (got 'my cluster')",
        ),
        ("prod", "w" * 256, "must be the name of an ECS service"),
        ("stage", f"{ECS}:service/prod/web", "belongs to the cluster 'prod', but cluster is 'stage'"),
        # Someone who writes the ARN of the cluster `default` means it.
        (f"{ECS}:cluster/default", f"{ECS}:service/prod/web", "but cluster is 'default'"),
        (f"{ECS}:service/prod/web", "web", "`cluster` must be the name of an ECS cluster"),
        ("prod", f"{ECS}:task/prod/0123456789abcdef", "`service` must be the name of an ECS service"),
        ("prod", f"{ECS}:task-set/prod/web/ecs-svc/1", "`service` must be the name of an ECS service"),
        ("prod", f"{ECS}:service/prod/web/more", "`service` must be the name of an ECS service"),
        ("prod", f"{ECS}:service/", "must be the name of an ECS service"),
        ("prod", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "`service` must be the name of an ECS service"),
        ("prod", "arn:aws:ecs", "(got 'arn:aws:ecs')"),
        ("arn:aws:ecs", "web", "`cluster` must be the name of an ECS cluster"),
        (
            "arn:aws:ecs:us-east-1:111122223333:cluster/prod",
            f"{ECS}:service/prod/web",
            "the one given as cluster is from account 111122223333 in us-east-1",
        ),
    ],
)
def test_refusals(cluster, service, words):
    with pytest.raises(Refused) as refused:
        parse_service(cluster, service)
    assert words in str(refused.value)
