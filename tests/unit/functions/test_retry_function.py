# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry function from its archive, with boto3 clients whose answers the test sets."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import iso
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.archive import code_sha256
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.retry_function import retry_function
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry import message
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import Wish
from botocore.stub import ANY

from tests.unit.aws.clients import stubbed
from tests.unit.core.retry.samples import (
    CAPACITY,
    REGION,
    answer,
    cloudtrail,
    event,
    messages,
    refused,
    request,
    stopped,
    subscription,
)
from tests.unit.functions.loaded import CONTEXT, EDGE, LETTERS, QUEUE, TOPIC, loaded

SECRET = [{"name": "T", "value": "s3cr3t"}]
OVERRIDES = {"containerOverrides": [{"name": "a", "environment": SECRET}]}
OPTIONS = {
    "max_attempts": 3,
    "max_age": 86400,
    "rebuild_hidden": True,
    "launch_templates": {"report": {"overrides": OVERRIDES}},
}
HIDDEN = {"containerOverrides": [{"name": "a", "environment": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}


def recent(asked=None, answered=None, **more):
    """Return a record of the current second."""
    return cloudtrail(asked, answered, eventTime=iso(int(time.time())), **more)


OTHERS = ("sqs", "sns", "scheduler", "events")


class Function:
    """The function in this process, with its clients stubbed."""

    def __init__(self, module, aws):
        self.module, self.aws = module, aws
        self.stubs = {}
        for service, once in (*(("ecs", each) for each in (True, False)), *((name, False) for name in OTHERS)):
            client, stub = stubbed(service)
            aws._clients[service, REGION, once] = client
            self.stubs[f"{service} once" if once else service] = stub

    def __call__(self, delivery):
        result = self.module.handler(delivery, CONTEXT)
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
        return result

    def run_task(self, *told, error=None, **parameters):
        stub = self.stubs["ecs once"]
        if error:
            return stub.add_client_error("run_task", *error)
        tasks = answer(*told)
        return stub.add_response("run_task", tasks, parameters or None)

    def queued(self, count, failed=()):
        entries = [{"Id": str(number), "MessageBody": ANY, "DelaySeconds": ANY} for number in range(count)]
        good = [{"Id": str(n), "MessageId": "m", "MD5OfMessageBody": "x"} for n in range(count) if n not in failed]
        bad = [{"Id": str(number), "SenderFault": False, "Code": "InternalError"} for number in failed]
        answered = {"Successful": good, "Failed": bad}
        self.stubs["sqs"].add_response("send_message_batch", answered, {"QueueUrl": QUEUE, "Entries": entries})

    def buried(self):
        self.stubs["sqs"].add_response("send_message", {}, {"QueueUrl": LETTERS, "MessageBody": ANY})

    def told(self):
        self.stubs["sns"].add_response("publish", {}, {"TopicArn": TOPIC, "Subject": ANY, "Message": ANY})


@pytest.fixture
def function(tmp_path, monkeypatch):
    environment = {"RETRY_QUEUE_URL": QUEUE, "DEAD_LETTER_QUEUE_URL": LETTERS, "TOPIC_ARN": TOPIC}
    for name, value in {**environment, "RETRY_OPTIONS": json.dumps(OPTIONS), "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    with loaded(tmp_path) as modules:
        yield Function(modules.handler, modules.aws)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def due(attempt=1, **more):
    fields = {"origin": "origin", "at": time.time(), "region": REGION, "request": request(count=2), "missing": 2}
    return message.written(Wish(**{**fields, "attempt": attempt, "bears": attempt, **more}))


def test_the_archive_is_the_same_from_run_to_run():
    assert code_sha256(retry_function(EDGE)) == code_sha256(retry_function(EDGE))
    assert retry_function(EDGE, OPTIONS) != retry_function(EDGE)


def test_a_refused_launch_is_put_into_the_queue(function, capsys):
    function.queued(1)
    assert function(event(recent())) == {"batchItemFailures": []}
    (line,) = lines(capsys)
    assert (line["decision"], line["attempt"], line["missing"], line["reasons"]) == ("retry", 1, 1, [CAPACITY])


def test_fifty_records_with_five_broken_ones(function, capsys):
    records = [recent(eventID=f"id-{number}") for number in range(45)]
    for place in (0, 7, 20, 33, 45):
        records.insert(place, "broken")
    good = 0
    for record in records:  # broken records go to the dead-letter queue at once, the others are sent ten at a time
        if record == "broken":
            function.buried()
            continue
        good += 1
        if good % 10 == 0:
            function.queued(10)
    function.queued(5)
    function(subscription(*records))
    decisions = [line["decision"] for line in lines(capsys)]
    assert (decisions.count("retry"), decisions.count("unreadable")) == (45, 5)


def test_a_wish_is_fulfilled_with_its_own_token(function, capsys):
    function.run_task(2)
    assert function(messages(due())) == {"batchItemFailures": []}
    assert [line["decision"] for line in lines(capsys)] == ["started", "ignore"]


def test_a_wish_that_is_refused_waits_again(function, capsys):
    function.run_task(1, CAPACITY)
    function.queued(1)
    function(messages(due()))
    started, retry = lines(capsys)
    assert len(started["tasks"]) == 1
    assert (retry["attempt"], retry["missing"]) == (2, 1)


def test_in_the_end_there_is_a_letter_and_one_message(function, capsys):
    function.stubs["ecs"].add_response("list_tasks", {"taskArns": []}, {"cluster": "prod", "startedBy": ANY})
    function.stubs["ecs"].add_response("list_tasks", {"taskArns": []}, {"cluster": "prod", "startedBy": ANY})
    function.run_task(0, CAPACITY)
    function.buried()
    function.told()
    function(messages(due(3)))
    assert [line["why"] for line in lines(capsys)] == ["all 3 attempts were refused"]


def test_a_task_of_a_doubled_delivery_is_not_started_again(function, capsys):
    function.stubs["ecs"].add_response("list_tasks", {"taskArns": ["a", "b"]})
    function(messages(due(2)))
    assert [line["why"] for line in lines(capsys)] == ["a duplicate delivery has already started the tasks"]


def test_without_the_right_to_look_the_token_has_to_do(function, capsys):
    function.stubs["ecs"].add_client_error("list_tasks", "AccessDeniedException", "no")
    function.run_task(2)
    function(messages(due(2)))
    assert [line["decision"] for line in lines(capsys)] == ["unchecked", "started", "ignore"]


def test_the_same_delivery_thrice_is_handled_once(function, capsys):
    function.queued(1)
    record = recent()
    function(subscription(record, record, record))
    assert [line["decision"] for line in lines(capsys)] == ["retry", "ignore", "ignore"]


@pytest.mark.parametrize(
    "delivery",
    [event(refused("AccessDenied")), event(refused("ClusterNotFoundException", "Cluster not found."))],
    ids=["denied", "no cluster"],
)
def test_what_stays_refused_is_told_at_once(function, delivery, capsys):
    function.buried()
    function.told()
    function(delivery)
    assert [line["decision"] for line in lines(capsys)] == ["give up"]


def test_a_topic_that_is_gone_does_not_make_it_come_again(function, capsys):
    function.buried()
    function.stubs["sns"].add_client_error("publish", "NotFound", "Topic does not exist")
    assert function(event(refused("AccessDenied"))) == {"batchItemFailures": []}
    assert [line["decision"] for line in lines(capsys)] == ["give up", "untold"]


def test_a_message_that_cannot_be_handled_comes_again_and_no_other(function, capsys):
    function.run_task(0, CAPACITY)
    function.run_task(2)
    function.queued(1, failed=[0])
    found = function(messages(due(), due(origin="other")))
    assert found == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    # The function handles the message when it comes again, and does not take it for a duplicate.
    function.run_task(2)
    assert function(messages(due())) == {"batchItemFailures": []}
    assert [line["decision"] for line in lines(capsys)][-2:] == ["started", "ignore"]


def test_a_record_that_cannot_be_queued_is_buried(function, capsys):
    function.queued(1, failed=[0])
    function.buried()
    function(event(recent()))
    assert [line["decision"] for line in lines(capsys)] == ["retry", "undelivered"]


def test_what_cannot_even_be_buried_fails_the_invocation(function):
    for _time in range(2):
        function.stubs["sqs"].add_client_error("send_message", "AccessDenied", "no")
    with pytest.raises(RuntimeError, match="1 records could not be handled or put into the dead-letter queue"):
        function(event(refused("AccessDenied")))


def test_a_conflict_means_that_it_was_started_before(function, capsys):
    function.run_task(error=("ConflictException", "in use"))
    function(messages(due()))
    assert [line["decision"] for line in lines(capsys)] == ["ignore"]


def test_a_call_that_botocore_does_not_make_is_given_up(function, capsys):
    """The runtime's botocore does not know a nested parameter, and without it, something else would start."""
    function.stubs["ecs once"].deactivate()  # a stub answers before botocore checks the parameters
    function.buried()
    function.told()
    function(messages(due(request=request(count=2, networkConfiguration={"newFeature": "s3cr3t"}))))
    (line,) = lines(capsys)
    assert line["decision"] == "give up"
    assert line["reasons"] == ["ParamValidationError: botocore does not take networkConfiguration"]


def test_a_wish_that_lay_for_days_is_given_up(function, capsys):
    function.buried()
    function.told()
    function(messages(due(at=time.time() - 100_000)))
    assert "too late" in lines(capsys)[0]["why"]


def test_tasks_that_stopped_are_ignored_unless_asked_for(function, capsys):
    function(stopped())
    assert [line["why"] for line in lines(capsys)] == ["stopped_tasks has no spot"]


ROLE = "arn:aws:iam::111122223333:role/r"


def target(overrides, **more):
    parameters = {"TaskDefinitionArn": "arn:aws:ecs:eu-central-1:111122223333:task-definition/report:7"}
    return {
        "Arn": "arn:aws:ecs:eu-central-1:111122223333:cluster/prod",
        "RoleArn": ROLE,
        "EcsParameters": parameters,
        "Input": json.dumps(overrides),
        **more,
    }


def scheduled(started_by):
    return event(recent(request(startedBy=started_by, overrides=HIDDEN, taskDefinition="report:7")))


def schedules(function, prefix, *found):
    """``found`` are (group, name, target), each on a separate page."""
    stub = function.stubs["scheduler"]
    for number, (group, name, told) in enumerate(found):
        more = {"NextToken": str(number + 1)} if number + 1 < len(found) else {}
        asked = {"NamePrefix": prefix, **({"NextToken": str(number)} if number else {})}
        stub.add_response("list_schedules", {"Schedules": [{"GroupName": group, "Name": name}], **more}, asked)
        if told:
            stub.add_response("get_schedule", {"Target": told}, {"GroupName": group, "Name": name})


def queued_request(function):
    """Return the overrides that wait in the queue."""
    sent = []
    client = function.aws._clients["sqs", REGION, False]
    client.meta.events.register("before-parameter-build.sqs.*", lambda params, **_more: sent.append(params))
    function.queued(1)
    return lambda: json.loads(sent[0]["Entries"][0]["MessageBody"])["request"]["overrides"]


def test_what_is_hidden_is_asked_of_the_schedule(function, capsys):
    overrides = queued_request(function)
    schedules(
        function,
        "gold-coast-data-lak",
        ("default", "gold-coast-data-lake", target(OVERRIDES)),
        ("other", "gold-coast-data-lab", None),
    )
    function(scheduled("chronos-schedule/gold-coast-data-lak"))
    assert overrides() == OVERRIDES
    told = capsys.readouterr().out
    assert json.loads(told)["decision"] == "retry"
    assert "s3cr3t" not in told


def test_what_is_hidden_is_asked_of_the_rule(function):
    overrides = queued_request(function)
    stub = function.stubs["events"]
    stub.add_response("list_rules", {"Rules": [{"Name": "nightly"}, {"Name": "nightly-2"}]}, {"NamePrefix": "nightly"})
    found = {"Targets": [{**target(OVERRIDES), "Id": "1"}, {"Id": "2", "Arn": "arn:aws:sqs:::q"}]}
    stub.add_response("list_targets_by_rule", found, {"Rule": "nightly"})
    function(scheduled("events-rule/nightly"))
    assert overrides() == OVERRIDES


def test_a_schedule_that_cannot_be_read_is_told(function, capsys):
    function.stubs["scheduler"].add_client_error("list_schedules", "AccessDeniedException", "no")
    function.buried()
    function.told()
    function(scheduled("chronos-schedule/nightly"))
    (line,) = lines(capsys)
    assert line["why"] == "the schedule nightly cannot be read: AccessDeniedException"


def test_schedules_that_do_not_agree_are_told(function, capsys):
    other = {"containerOverrides": [{"name": "a", "environment": [{"name": "T", "value": "other"}]}]}
    schedules(function, "nightly", ("one", "nightly", target(OVERRIDES)), ("two", "nightly", target(other)))
    function.buried()
    function.told()
    function(scheduled("chronos-schedule/nightly"))
    (line,) = lines(capsys)
    assert line["why"] == "more than one target of the schedule nightly may have made the call"


def test_no_secret_is_in_the_log(function, capsys):
    asked = request(count=2, overrides=OVERRIDES)
    function.queued(1)
    function(event(recent(asked)))
    function.run_task(error=("InvalidParameterException", "s3cr3t is bad"))
    function.buried()
    function.told()
    function(messages(due(request=asked)))
    assert "s3cr3t" not in capsys.readouterr().out
