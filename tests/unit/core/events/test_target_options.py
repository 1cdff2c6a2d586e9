# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.kinds import KINDS
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.options import ROLE_ACTIONS, read_target

from tests.unit.core.events import target_options as of
from tests.unit.core.events.target_options import WRONG, params, template


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_what_is_wrong_is_refused_in_words_that_name_it(options, words):
    with pytest.raises(Refused) as refused:
        read_target(params(**options))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("arn", "kind", "more"),
    [
        (of.TOPIC, "topic", {}),
        (of.TOPIC, "topic", {"role_arn": of.ROLE}),
        (of.QUEUE, "queue", {}),
        (of.QUEUE, "queue", {"message_group_id": "fair"}),
        (of.FIFO, "queue", {"message_group_id": "a"}),
        (of.FUNCTION, "function", {}),
        (f"{of.FUNCTION}:live", "function", {}),
        (f"{of.FUNCTION}:7", "function", {"role_arn": of.ROLE}),
        (of.LOG_GROUP, "log_group", {}),
        (of.STATE_MACHINE, "state_machine", {"role_arn": of.ROLE}),
        (f"{of.STATE_MACHINE}:live", "state_machine", {"role_arn": of.ROLE}),
        (of.API_DESTINATION, "api_destination", {"role_arn": of.ROLE}),
        (of.BUS, "event_bus", {"role_arn": of.ROLE}),
        (of.STREAM, "stream", {"role_arn": of.ROLE, "partition_key_path": "$.detail.clusterArn"}),
        (of.FIREHOSE, "delivery_stream", {"role_arn": of.ROLE}),
        ("arn:aws-cn:sns:cn-north-1:123456789012:alerts", "topic", {}),
    ],
)
def test_kinds_of_target(arn, kind, more):
    wanted = read_target(params(arn=arn, **more))
    assert (wanted.kind.name, str(wanted.arn)) == (kind, arn)
    assert wanted.facts["arn"] == arn


def test_a_log_group_is_the_same_with_and_without_a_star():
    wanted = read_target(params(arn=f"{of.LOG_GROUP}:*"))
    assert wanted.facts["arn"] == of.LOG_GROUP


@pytest.mark.parametrize(
    "options",
    [
        template('{"reason": <reason>, "all": <aws.events.event.json>}', reason="$.detail.stoppedReason"),
        template('"Rule <aws.events.rule-name>"\n"Reason: <reason>"', reason="$.detail.stoppedReason"),
        template("<detail>", detail="$.detail"),
        template("[<a>, 1]", a="$.detail.containers[*].exitCode"),
        {"arn": of.LOG_GROUP, **template('{"timestamp": <t>, "message": "<id>"}', t="$.time", id="$.id")},
        {"arn": of.LOG_GROUP, "input": '{"timestamp": 1, "message": "x"}'},
        {"input": '"failed"'},
        {"input_path": "$"},
        {"input_path": "$.resources[0]"},
        {"message_template": "slack", "message_options": {"channel": "C1", "severity": "info", "title": 'a "b"'}},
        {"maximum_retry_attempts": 0, "maximum_event_age_in_seconds": 60},
        {"http_parameters": {"header_parameters": None, "path_parameter_values": []}, "arn": of.QUEUE},
    ],
)
def test_what_is_right_is_taken(options):
    if options.get("arn") == of.QUEUE:
        options = {**options, "arn": of.API_DESTINATION, "role_arn": of.ROLE}
    assert read_target(params(**options)).present


def test_an_absent_target_needs_no_arn_and_keeps_nothing_of_the_other_options():
    wanted = read_target(params(state="absent", arn=None, message_template="slack"))
    assert (wanted.present, wanted.facts, wanted.arn) == (False, None, None)


def test_every_kind_that_needs_a_role_tells_what_the_role_needs():
    assert {kind.name for kind in KINDS if kind.role == "required"} == ROLE_ACTIONS.keys()
