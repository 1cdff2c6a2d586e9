# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry options as users write them."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import RetryOptions, read_options
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.rules import Rule


def test_nothing_said_is_the_default():
    assert read_options({}) == read_options({"max_attempts": None, "rules": None}) == RetryOptions()


def test_all_that_can_be_said():
    options = read_options(
        {
            "max_attempts": 3,
            "max_age": 7200,
            "base_delay": 10,
            "max_delay": 300,
            "clusters": ["arn:aws:ecs:eu-central-1:111122223333:cluster/prod", "test"],
            "families": ["report"],
            "rotate_subnets": False,
            "fargate_after": 2,
            "retry_quota": True,
            "tag_tasks": False,
            "left_alone_started_by": ["x*"],
            "left_alone_clusters": [],
            "left_alone_services": [],
            "errors_left_to": [],
            "own_role_arns": ["arn:aws:iam::111122223333:role/retry"],
            "stopped_tasks": ["spot"],
            "launch_templates": {"report": {"tags": []}},
            "rules": [{"action": "retry", "exit_codes": [75], "containers": ["app"], "launch_failure": False}],
            "allow_role_overrides": True,
            "allow_execute_command": True,
            "trusted_callers": ["arn:aws:iam::111122223333:role/pipeline-*"],
            "pass_role_arns": {"report": ["arn:aws:iam::111122223333:role/report"]},
        },
        "111122223333",
    )
    assert options.clusters == {"prod", "test"}
    assert options.rules == (
        Rule("retry", launch_failure=False, exit_codes=frozenset({75}), containers=frozenset({"app"})),
    )
    assert options.account == "111122223333"
    assert read_options({}, "").__dataclass_fields__.keys() == options.__dataclass_fields__.keys()


def rule(**conditions):
    return {"rules": [{"action": "retry", **conditions}]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "must be a mapping"),
        ("max_attempts: 3", "must be a mapping"),
        ({"attempts": 3}, "no attempts. They have allow_execute_command"),
        ({"max_attempts": 0}, "max_attempts must be a whole number from 1 to 50"),
        ({"max_attempts": True}, "max_attempts must be a whole number from 1 to 50 (got True)"),
        ({"max_attempts": "3"}, "max_attempts must be a whole number from 1 to 50 (got '3')"),
        ({"max_age": 86401}, "forgets client tokens"),
        ({"max_age": 59}, "from 60"),
        ({"max_delay": 901}, "Amazon SQS"),
        ({"base_delay": 60, "max_delay": 30}, "base_delay (60) is above max_delay (30)"),
        ({"clusters": "prod"}, "clusters must be a list"),
        ({"clusters": [""]}, "clusters must be a list"),
        ({"families": ["report:7"]}, "Say 'report'"),
        ({"rotate_subnets": "yes"}, "rotate_subnets must be true or false"),
        ({"fargate_after": -1}, "from 0 to 50"),
        ({"stopped_tasks": ["oom"]}, "stopped_tasks must be some of spot, host_loss, failed_to_start (got oom)"),
        ({"launch_templates": []}, "launch_templates must be a mapping"),
        ({"launch_templates": {"report": []}}, "no mapping"),
        ({"launch_templates": {"report": {"subnets": []}}}, "report has subnets. RunTask has"),
        ({"launch_templates": {"report": {"tags": {}}}}, "tags is no list"),
        ({"pass_role_arns": []}, "pass_role_arns must be a mapping"),
        ({"pass_role_arns": {"report": "x"}}, "pass_role_arns: report must be a list of texts"),
        ({"rules": {}}, "rules must be a list of rules"),
        ({"rules": ["retry"]}, "number 1 must be a mapping"),
        ({"rules": [{"exit_codes": [1]}]}, "action is None. Say retry, ignore, fail"),
        ({"rules": [{"action": "count", "exit_codes": [1]}]}, "action is 'count'"),
        (rule(), "number 1 has no condition"),
        (rule(codes=[1]), "has codes, which no rule has"),
        (rule(exit_codes=1), "exit_codes must be a list"),
        (rule(exit_codes=[]), "exit_codes must be a list"),
        (rule(exit_codes=[0]), "0, which is not a failure"),
        (rule(exit_codes=["1"]), "exit_codes must be whole numbers (got '1')"),
        (rule(stop_codes=["Spot"]), "stop_codes must be some of TaskFailedToStart"),
        (rule(reasons=["("]), "must be regular expressions"),
        (rule(reasons=[1]), "must be regular expressions"),
        (rule(containers=["app"]), "containers requires exit_codes"),
        (rule(launch_failure="yes"), "for tasks (got 'yes')"),
        (rule(launch_failure=True, exit_codes=[1]), "has no exit_codes"),
    ],
)
def test_what_cannot_be_meant(options, words):
    with pytest.raises(Refused) as refused:
        read_options(options)
    assert words in str(refused.value)
