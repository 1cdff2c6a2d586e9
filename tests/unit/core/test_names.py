# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for names and ARNs, and the messages of their readers."""

from __future__ import annotations

import botocore.session
import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core import names
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused

ARN_RULES = [rule for rule in vars(names).values() if isinstance(rule, names.ArnRule)]
ROLE = "arn:aws:iam::123456789012:role/jobs"


@pytest.mark.parametrize("rule", ARN_RULES, ids=lambda rule: rule.words)
def test_the_example_of_a_rule_follows_it(rule):
    assert str(names.read_arn("arn", str(rule), rule)) == str(rule)


@pytest.mark.parametrize("rule", ARN_RULES, ids=lambda rule: rule.words)
@pytest.mark.parametrize(
    "text", ["", "arn:", "alerts", "arn:aws:ec2:eu-west-1:123456789012:instance/i-1", "{} x", " {}"]
)
def test_what_is_no_arn_of_the_kind_is_refused(rule, text):
    with pytest.raises(
        Refused, match=f"^`role` must be the ARN of {rule.words}, such as arn:aws:{rule.service}:.*got "
    ):
        names.read_arn("role", text.format(rule), rule)


@pytest.mark.parametrize("rule", ARN_RULES, ids=lambda rule: rule.words)
def test_an_arn_without_its_account_or_region_is_refused(rule):
    partition, service, region, account, resource = parse_arn(str(rule))
    for head in (f"{region}:", f"{'' if region else 'eu-west-1'}:{account}"):
        assert rule.match(parse_arn(f"arn:{partition}:{service}:{head}:{resource}")) is None


@pytest.mark.parametrize(
    ("service", "shape", "rule"),
    [
        ("events", "RuleName", names.EVENTS_NAME),
        ("events", "TargetId", names.EVENTS_NAME),
        ("events", "ConnectionName", names.EVENTS_NAME),
        ("events", "ApiDestinationName", names.EVENTS_NAME),
        ("events", "EventBusName", names.BUS_NAME),
        ("scheduler", "Name", names.EVENTS_NAME),
        ("scheduler", "ScheduleGroupName", names.EVENTS_NAME),
        ("logs", "LogGroupName", names.LOG_GROUP_NAME),
        ("logs", "FilterName", names.FILTER_NAME),
    ],
)
def test_rules_are_those_of_the_api_models(service, shape, rule):
    model = botocore.session.get_session().get_service_model(service).shape_for(shape).metadata
    theirs = names.NameRule(model["pattern"].replace("Z-_", r"Z\-_"), "")
    for character in map(chr, range(0x20, 0x7F)):
        assert rule.fits(character) == theirs.fits(character), character
    assert [rule.fits("a" * length) for length in (0, model["min"], model["max"], model["max"] + 1)] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("production", ("production", None)),
        (str(names.CLUSTER), ("production", parse_arn(str(names.CLUSTER)))),
    ],
)
def test_a_name_or_an_arn(text, expected):
    assert names.read_name_or_arn("cluster", text, names.ECS_NAME, names.CLUSTER) == expected


def test_messages_name_the_option_the_rule_and_the_value():
    with pytest.raises(Refused) as refused:
        names.read_name("name", "two words", names.EVENTS_NAME)
    assert str(refused.value) == (
        "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got 'two words')"
    )
    with pytest.raises(Refused) as refused:
        names.read_name_or_arn("cluster", ROLE, names.ECS_NAME, names.CLUSTER)
    assert str(refused.value) == (
        "`cluster` must be the name of an ECS cluster (1 to 255 letters, digits, hyphens and underscores) or its ARN, "
        f"such as arn:aws:ecs:eu-west-1:123456789012:cluster/production (got '{ROLE}')"
    )
