# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every known event goes through the rules of every kind into a queue: none is missed, false or sent twice."""

from __future__ import annotations

import json
from collections import Counter

from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.parse import pattern_text
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.templates import (
    Message,
    transformer,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import KINDS, read_filters

from tests.sandbox.client import Sandbox

from .conftest import NUMBER, REGION, Aws
from .event_stack import messages, policy, queue, statement, target

RULES = [kind for kind in KINDS if kind != "all_task_changes"]


def test_each_failure_is_one_message_and_nothing_else_is(events: Sandbox, aws: Aws) -> None:
    arn = queue(aws, Policy=policy(statement("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{NUMBER}:alerts", None)))
    for kind in RULES:
        aws("events").put_rule(Name=kind, EventPattern=pattern_text(failure_pattern(kind, read_filters(kind, {}))))
        paths, template = transformer(Message("plain"), kind)
        target(aws, arn, kind, InputTransformer={"InputPathsMap": paths, "InputTemplate": template})
    for sample in CATALOGUE:
        events.publish(dict(sample.event))
    assert events.settle()
    got: list[str] = []
    while bodies := [json.loads(each["Body"]) for each in messages(aws)]:
        got += [body["event_id"] for body in bodies]
    names = {sample.event["id"]: sample.name for sample in CATALOGUE}
    undecidable = {sample.name for sample in CATALOGUE if sample.undecidable}
    told = Counter(names[each] for each in got)
    assert set(told) - undecidable == {sample.name for sample in CATALOGUE if sample.failure}
    assert set(told.values()) == {1}
    assert {line["outcome"] for line in events.deliveries()} == {"delivered"}
