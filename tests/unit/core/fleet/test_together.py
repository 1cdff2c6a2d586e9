# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of several services in one: each gets its own answer once, and asks alone for everything else."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.together import Member, ask_together


class World:
    """Answers with what it was asked, and counts."""

    def __init__(self, name):
        self.name = name
        self.asked = []

    def describe_service(self):
        self.asked.append("service")
        return f"{self.name} alone"

    def describe_tasks(self, arns):
        self.asked.append(("tasks", list(arns)))
        return ["alone"]

    def protected_until(self, arns):
        self.asked.append(("protected", list(arns)))
        return {}

    def scaling(self):
        self.asked.append("scaling")

    def list_tasks(self):
        return [f"task of {self.name}"]


class Bulk:
    def __init__(self, failure=None):
        self.asked = []
        self.failure = failure

    def describe_services(self, worlds):
        self.asked.append([world.name for world in worlds])
        if self.failure:
            raise self.failure
        return [f"{world.name} together" if world.name != "b" else CallFailed("X", "Y", "z") for world in worlds]

    def describe_tasks(self, asked):
        self.asked.append([(world.name, names) for world, names in asked])
        return [[f"{world.name}/{name}" for name in names] for world, names in asked]

    def protected_until(self, asked):
        self.asked.append([(world.name, names) for world, names in asked])
        return [dict.fromkeys(names, 5.0) for _world, names in asked]

    def scaling(self, worlds):
        self.asked.append([world.name for world in worlds])
        return [None for _world in worlds]


def members(names):
    return [Member(World(name)) for name in names]


def test_each_finds_its_own_answer_or_its_own_error():
    a, b, c = members("abc")
    bulk = Bulk()
    assert a.meets("describe_service", ())
    assert b.meets("describe_service", ())
    assert c.meets("describe_tasks", (["1", "2"],))
    ask_together([a, b, c], bulk)
    assert bulk.asked == [["a", "b"], [("c", ["1", "2"])]]
    assert a.describe_service() == "a together"
    with pytest.raises(CallFailed):
        b.describe_service()
    assert c.describe_tasks(iter(["1", "2"])) == ["c/1", "c/2"]
    assert [member.world.asked for member in (a, b, c)] == [[], [], []]


def test_an_answer_is_for_once():
    (a,) = members("a")
    a.meets("describe_service", ())
    ask_together([a], Bulk())
    assert [a.describe_service(), a.describe_service()] == ["a together", "a alone"]


@pytest.mark.parametrize("announced", [("describe_service", ()), ("describe_tasks", (["2"],)), ("scaling", ())])
def test_another_question_is_asked_alone(announced):
    (a,) = members("a")
    a.meets(*announced)
    ask_together([a], Bulk())
    assert a.describe_tasks(["1"]) == ["alone"]
    assert a.world.asked == [("tasks", ["1"])]
    assert a.describe_service() == "a alone", "and what was answered is too old by then"


def test_reads_that_no_call_takes_together_are_not_waited_for():
    (a,) = members("a")
    assert not a.meets("list_tasks", ())
    assert not a.meets("has_health_check", ("web:1",))
    bulk = Bulk()
    ask_together([a], bulk)
    assert (bulk.asked, a.list_tasks()) == ([], ["task of a"])


def test_a_call_that_fails_fails_for_all_who_asked():
    a, b = members("ab")
    for member in (a, b):
        member.meets("describe_service", ())
    ask_together([a, b], Bulk(CallFailed("DescribeServices", "ThrottlingException", "slow down", "throttled")))
    for member in (a, b):
        with pytest.raises(CallFailed, match="slow down"):
            member.describe_service()


def test_all_kinds():
    a, b = members("ab")
    a.meets("protected_until", (["1"],))
    b.meets("scaling", ())
    bulk = Bulk()
    ask_together([a, b], bulk)
    assert bulk.asked == [[("a", ["1"])], ["b"]]
    assert a.protected_until(["1"]) == {"1": 5.0}
    assert b.scaling() is None
    assert b.world.asked == []
