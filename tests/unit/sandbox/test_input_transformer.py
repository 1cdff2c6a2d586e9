# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the renderer with AWS's documentation and with what AWS was seen to deliver."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.events.input_transformer import MISSING, NotRendered, complaint, find, render

RULE = "arn:aws:events:us-east-2:123456789012:rule/example"
TIME = "2015-11-11T21:29:55Z"
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2015-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {
        "instance-id": "i-0123456789",
        "state": "RUNNING",
        "code": 137,
        "ok": True,
        "none": None,
        "quoted": 'image "app" not\nfound',
        "payload": {"job": "nightly", "run": "r7"},
        "one": ["app"],
        "two": ["app", "proxy"],
        "containers": [{"name": "app", "exitCode": 1}, {"name": "side"}],
    },
}
PATHS = {
    "timestamp": "$.time",
    "instance": "$.detail.instance-id",
    "state": "$.detail.state",
    "code": "$.detail.code",
    "ok": "$.detail.ok",
    "none": "$.detail.none",
    "quoted": "$.detail.quoted",
    "payload": "$.detail.payload",
    "one": "$.detail.one",
    "two": "$.detail.two",
    "codes": "$.detail.containers[*].exitCode",
    "missing": "$.detail.not.there",
}


def rendered(template: str) -> str:
    transformer = {"InputPathsMap": PATHS, "InputTemplate": template}
    assert complaint("t", transformer) is None
    return render({"InputTransformer": transformer}, EVENT, RULE, TIME)


TEXTS = {
    # The table of the user guide.
    '"instance <instance> is in <state>"': '"instance i-0123456789 is in RUNNING"',
    r'"instance \"<instance>\" is in <state>"': r'"instance \"i-0123456789\" is in RUNNING"',
    '"<aws.events.rule-name> triggered"': '"example triggered"',
    # Seen at AWS.
    '"info <missing>"': '"info "',
    '"<one> alone"': '"[app] alone"',
    '"<two> stopped"': '"[app,proxy] stopped"',
    '"All of <payload> on <instance>"': '"All of {job:nightly,run:r7} on i-0123456789"',
    '"It is <ok>."': '"It is true."',
    '"[{ now <state>"': '"[{ now RUNNING"',
    '"<one> a"\n"<missing> b"\n"<instance> c"': '"[app] a"\n" b"\n"i-0123456789 c"',
    '"<aws.events.rule-arn> <aws.events.event.ingestion-time>"': f'"{RULE} {TIME}"',
    # Decided here.
    '"reason: <quoted>"': '"reason: image "app" not\nfound"',
    '"code <code>, <none>"': '"code 137, null"',
    "<payload>": '{"job":"nightly","run":"r7"}',
}
DOCUMENTS: dict[str, Any] = {
    '{\n  "instance" : <instance>,\n  "state": <state>\n}': {"instance": "i-0123456789", "state": "RUNNING"},
    r'{"instance": <instance>, "state": "<state>", "status": "instance \"<instance>\" is in <state>"}': {
        "instance": "i-0123456789",
        "state": "RUNNING",
        "status": 'instance "i-0123456789" is in RUNNING',
    },
    '{"instance" : <instance>, "state": [ 9, <state>, true ], "Transformed" : "Yes"}': {
        "instance": "i-0123456789",
        "state": [9, "RUNNING", True],
        "Transformed": "Yes",
    },
    '{"ruleArn": <aws.events.rule-arn>, "ruleName": <aws.events.rule-name>}': {"ruleArn": RULE, "ruleName": "example"},
    '{"reason": <missing>, "in": "<missing>"}': {"reason": "", "in": ""},
    '{"path": "<instance>/tasks/<instance>", "body": <payload>}': {
        "path": "i-0123456789/tasks/i-0123456789",
        "body": {"job": "nightly", "run": "r7"},
    },
    '{"names": <one>}': {"names": ["app"]},
    '{"event": <aws.events.event.json>}': {"event": EVENT},
    '{"event": <aws.events.event>}': {
        "event": {
            **{key: value for key, value in EVENT.items() if key not in ("detail", "detail-type")},
            "detailType": EVENT["detail-type"],
        }
    },
    '{"reason": <quoted>, "codes": <codes>, "code": "<code>"}': {
        "reason": 'image "app" not\nfound',
        "codes": [1],
        "code": "137",
    },
    '[{"eventType": "X", "code": <code>}]': [{"eventType": "X", "code": 137}],
}


@pytest.mark.parametrize("template", TEXTS)
def test_lines_of_text(template: str) -> None:
    assert rendered(template) == TEXTS[template]


@pytest.mark.parametrize("template", DOCUMENTS)
def test_json_documents_come_out_minified(template: str) -> None:
    text = rendered(template)
    assert json.loads(text) == DOCUMENTS[template]
    assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("template", [
    '{"payload": "<payload>"}',
    '{"item": "<one>"}',
    '{"path": "jobs/<payload>", "body": <payload>}',
    '{"reason": "it said <quoted>"}',
])  # fmt: skip
def test_what_makes_no_json_is_not_delivered(template: str) -> None:
    with pytest.raises(NotRendered):
        rendered(template)


REFUSED = {
    '"with <undefined>"': "contains invalid placeholder undefined",
    '"see <https://example.org|here>"': "contains invalid placeholder https://example.org|here",
    "<instance> is in state <state>": "Invalid InputTemplate for target t",
    '{"a": <state>': "Invalid InputTemplate for target t",
    "{<state>: 1}": "Invalid InputTemplate for target t",
    '{"a": x<state>}': "Invalid InputTemplate for target t",
    '{"a": "x" <state>}': "Invalid InputTemplate for target t",
}


@pytest.mark.parametrize("template", REFUSED)
def test_templates_that_put_targets_refuses(template: str) -> None:
    assert REFUSED[template] in str(complaint("t", {"InputPathsMap": PATHS, "InputTemplate": template}))


@pytest.mark.parametrize(("path", "value"), [
    ("$", EVENT),
    ("$.resources[0]", EVENT["resources"][0]),
    ("$.resources[1]", MISSING),
    ("$.detail.containers[1].name", "side"),
    ("$.detail.containers[*].name", ["app", "side"]),
    ("$.detail.containers[*].reason", []),
    ("$.detail.payload.*", ["nightly", "r7"]),
    ("$.detail['state']", MISSING),
    ("$..state", MISSING),
    ("detail.state", MISSING),
    ("$.detail.state.x", MISSING),
])  # fmt: skip
def test_paths(path: str, value: Any) -> None:
    assert find(EVENT, path) == value


def test_input_and_input_path() -> None:
    assert render({"Input": '{ "a": 1 }'}, EVENT, RULE, TIME) == '{ "a": 1 }'
    assert render({"InputPath": "$.detail.state"}, EVENT, RULE, TIME) == '"RUNNING"'
    assert render({"InputPath": "$.detail.payload"}, EVENT, RULE, TIME) == '{"job":"nightly","run":"r7"}'
    assert render({"InputPath": "$.detail['payload'].run"}, EVENT, RULE, TIME) == '"r7"'
    assert render({"InputPath": "$.nowhere"}, EVENT, RULE, TIME) == "null"
    assert json.loads(render({"Id": "1", "Arn": "x"}, EVENT, RULE, TIME)) == EVENT


@given(st.text())
def test_a_text_in_the_place_of_a_value_survives_whatever_it_is(text: str) -> None:
    transformer = {"InputPathsMap": {"x": "$.detail"}, "InputTemplate": '{"a": <x>}'}
    assert json.loads(render({"InputTransformer": transformer}, {"detail": text}, RULE, TIME)) == {"a": text}
