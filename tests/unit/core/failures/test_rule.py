# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as they are wanted, as they are, and what must change."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.rule import Rule, bus_name
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import TAKEN_BY
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.rule import (
    WantedRule,
    plan_rule,
    read_rule,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.rule_facts import (
    rule_facts,
    rule_info_facts,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.events.pattern.patterns import law

ARN = "arn:aws:events:eu-central-1:123456789012:rule/alerts"
TEXT = '{"source":["aws.ecs"],"detail":{"lastStatus":["STOPPED"]}}'
PATTERN = {"detail": {"lastStatus": ["STOPPED"]}, "source": ["aws.ecs"]}
OTHER = {"source": ["aws.states"]}
THIRD = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
CURRENT = Rule("alerts", ARN, "default", "ENABLED", TEXT, "words", tags={"team": "shop"})
WANTED = WantedRule("alerts", "default")

NOTHING = dict.fromkeys(("kind", "event_pattern", "enabled", "description", "tags", *TAKEN_BY))
OPTIONS = {"name": "alerts", "event_bus_name": "default", "state": "present", "purge_tags": True, **NOTHING}


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        ({}, {}),
        ({"event_pattern": PATTERN}, {}),
        ({"event_pattern": OTHER}, {"event_pattern": OTHER}),
        ({"enabled": True}, {}),
        ({"enabled": False}, {"state": "DISABLED", "enabled": False}),
        ({"description": "words"}, {}),
        ({"description": ""}, {"description": ""}),
        ({"tags": {"team": "shop"}}, {}),
        ({"tags": {}}, {"tags": {}}),
        ({"tags": {}, "purge_tags": False}, {}),
        ({"tags": {"cost": 7}}, {"tags": {"cost": "7"}}),
        ({"tags": {"cost": 7}, "purge_tags": False}, {"tags": {"team": "shop", "cost": "7"}}),
    ],
)
def test_what_changes(wanted, changes):
    change = plan_rule(replace(WANTED, **wanted), CURRENT)
    assert change.before == rule_facts(CURRENT)
    assert change.after == {**rule_facts(CURRENT), **changes}


@pytest.mark.parametrize(
    ("current", "enabled", "expected"),
    [
        ("ENABLED", None, "ENABLED"),
        ("DISABLED", None, "DISABLED"),
        ("DISABLED", True, "ENABLED"),
        (THIRD, None, THIRD),
        (THIRD, True, THIRD),
        (THIRD, False, "DISABLED"),
    ],
)
def test_states(current, enabled, expected):
    change = plan_rule(replace(WANTED, enabled=enabled), replace(CURRENT, state=current))
    assert change.after["state"] == expected


def test_a_new_rule():
    wanted = replace(WANTED, bus="arn:aws:events:eu-central-1:123456789012:event-bus/orders", event_pattern=PATTERN)
    change = plan_rule(replace(wanted, tags={"a": 1}), None)
    assert change.before is None
    assert change.after == {
        "name": "alerts",
        "arn": None,
        "event_bus_name": "orders",
        "event_pattern": PATTERN,
        "state": "ENABLED",
        "enabled": True,
        "description": "",
        "tags": {"a": "1"},
    }
    assert plan_rule(replace(wanted, enabled=False), None).after["state"] == "DISABLED"


def test_no_rule():
    absent = replace(WANTED, present=False)
    assert not plan_rule(absent, None).changed
    assert plan_rule(absent, CURRENT).after is None
    with pytest.raises(Refused, match="Set kind or event_pattern"):
        plan_rule(WANTED, None)


@pytest.mark.parametrize("present", [False, True])
@pytest.mark.parametrize(
    ("foreign", "words"),
    [
        ({"schedule": "rate(1 day)", "pattern_text": None}, "is a schedule, rate"),
        ({"managed_by": "states.amazonaws.com"}, "is managed by states.amazonaws.com"),
    ],
)
def test_rules_of_others_are_refused(foreign, words, present):
    with pytest.raises(Refused, match=words):
        plan_rule(replace(WANTED, present=present), replace(CURRENT, **foreign))


maybe_tags = st.none() | st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]))


@law
@given(
    pattern=st.sampled_from([PATTERN, OTHER]),
    enabled=st.sampled_from([None, True, False]),
    description=st.sampled_from([None, "", "words", "other"]),
    tags=maybe_tags,
    purge=st.booleans(),
    state=st.sampled_from(["ENABLED", "DISABLED", THIRD]),
)
def test_the_second_run_changes_nothing(pattern, enabled, description, tags, purge, state):
    wanted = WantedRule("alerts", "default", True, pattern, enabled, description, tags, purge)
    after = plan_rule(wanted, replace(CURRENT, state=state)).after
    now = replace(CURRENT, state=after["state"], description=after["description"], tags=after["tags"])
    now = replace(now, pattern_text=json.dumps(after["event_pattern"]))
    assert not plan_rule(wanted, now).changed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "a/b"}, "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got 'a/b')"),
        ({"kind": "task", "event_pattern": "{}"}, "kind and event_pattern are mutually exclusive"),
        ({"clusters": ["x"]}, "clusters requires kind"),
        ({"description": "x" * 513}, "`description` must have at most 512 characters (got 513)"),
        ({"tags": {"": "x"}}, "`tags key` must have 1 to 128 characters (got 0)"),
        ({"tags": {"AWS:x": "x"}}, "must not have keys that begin with aws:"),
        ({"event_pattern": '{"a": "b"}'}, "event_pattern: a: its value must be a list"),
    ],
)
def test_options_that_are_refused(options, words):
    with pytest.raises(Refused) as refused:
        read_rule({**OPTIONS, **options})
    assert words in str(refused.value)


def test_what_is_not_looked_at_when_a_rule_goes():
    assert not read_rule({**OPTIONS, "state": "absent", "kind": "task", "services": ["x"]}).present


def test_a_long_pattern_of_filters_is_warned_of():
    wanted = read_rule({**OPTIONS, "kind": "task", "clusters": [f"cluster-{number:03}" for number in range(60)]})
    assert wanted.warnings[0].startswith("The event pattern that kind task and its filters make: it has 3")


@pytest.mark.parametrize(
    ("bus", "name"),
    [
        ("default", "default"),
        ("aws.partner/example.com/1", "aws.partner/example.com/1"),
        ("arn:aws-us-gov:events:us-gov-west-1:123456789012:event-bus/a-b", "a-b"),
    ],
)
def test_buses(bus, name):
    assert bus_name(bus) == name


def test_findings_of_a_rule_that_is_there():
    twice = replace(CURRENT, pattern_text='{"source":["a"],"source":["b"]}')
    (finding,) = rule_info_facts(twice)["findings"]
    assert finding["level"] == "error"
    assert "'source' is written twice" in finding["message"]
    assert rule_info_facts(twice)["event_pattern"] == {"source": ["b"]}
    assert rule_info_facts(replace(CURRENT, pattern_text=None, schedule="rate(1 day)"))["findings"] == []
