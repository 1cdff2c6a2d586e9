# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execute every shape of a definition: which states follow, what is launched, how long it waits, how it ends."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.ecs.refused_launch import ENVELOPES
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states import definition as names
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.definition import definition
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.job import read_job
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.states.asl_paths import AslError
from tests.unit.core.retry.answers import ANSWERS
from tests.unit.core.states.jobs import ANY, FAILURES, NETWORK, ON_DEMAND, RETRY, SPOT, TOPIC, jobs, made
from tests.unit.core.states.playing import CAPACITY, DONE, EXECUTION, MACHINE, STARTED, ended, play

STEADY = {**RETRY, "jitter": False}
NEVER = {**RETRY, "max_attempts": 0}
JUDGED = {**FAILURES, "jitter": False, "interval": 10, "max_delay": 30, "max_attempts": 3, "exit_codes": [75, 76]}
TIMEOUT = AslError("States.Timeout", "")
DENIED = AslError("ECS.AccessDeniedException", "not authorized")
REFUSALS = [AslError(name, "no room") for name in names.REFUSED]
PLACES = {
    "network_configuration": NETWORK,
    "rotate_subnets": True,
    "capacity_provider_strategy": SPOT,
    "fallback_capacity_provider_strategy": ON_DEMAND,
    "retry_launch": {**STEADY, "max_attempts": 3},
}
# As Step Functions reports it; see run_task_answers.tsv.
EMPTY_CLUSTER = AslError(
    "ECS.InvalidParameterException",
    "No Container Instances were found in your cluster. (Service: AmazonECS; Status Code: 400; Error Code: "
    "InvalidParameterException; Request ID: cb76661d; Proxy: null)",
)
NO_SUBNET = AslError(
    "ECS.InvalidParameterException", "The subnet ID 'subnet-1' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
)
INSTANCES = "ResourceInitializationError: Unable to launch instance(s) for capacity provider p. "
NO_INSTANCE, NEVER_AN_INSTANCE, RAN_ALL_THE_SAME = (
    ended(code, stop_code=stop_code, StoppedReason=reason)
    for code, stop_code, reason in (
        (None, "TaskFailedToStart", INSTANCES + "UnfulfillableCapacity: Unable to fulfill capacity."),
        (None, "TaskFailedToStart", INSTANCES + "UnauthorizedOperation: You are not authorized"),
        (0, "TaskFailedToStart", INSTANCES + "UnfulfillableCapacity: Unable to fulfill capacity."),
    )
)
NEVER_AGAIN = [
    ("stopped by somebody", "UserInitiated", f"{INSTANCES}UnfulfillableCapacity"),
    ("an image that was not pulled", "TaskFailedToStart", "CannotPullContainerError: Rate exceeded"),
    ("never an instance, in words of both kinds", "TaskFailedToStart", f"{INSTANCES}Throttling: AccessDenied"),
]
EXITS_75, EXITS_1 = ended(75), ended(1)
LOOK_AT_IT = [
    names.ENDED, names.REFUSED_FOR_NOW, names.IS_TASK, names.READ, names.CONTAINERS, names.NO_INSTANCE_FOR_NOW,
]  # fmt: skip
NO_TASK = [names.ENDED, names.REFUSED_FOR_NOW, names.IS_TASK]
ONE_MORE_LAUNCH = [names.ENDED, names.REFUSED_FOR_NOW, names.NEXT_LAUNCH, names.WAIT, names.RUN]
ONCE_MORE = [*LOOK_AT_IT, names.JUDGE, names.AGAIN, names.NEXT_ATTEMPT, names.WAIT, names.RUN]


def outcome(played):
    return played.error or "succeeded"


# All recorded answers of RunTask whose code alone says nothing.
TRANSIENT, PERMANENT = (
    [
        (each["code"] if each["code"].startswith("ECS.") else f"ECS.{each['code']}", each["text"])
        for each in ANSWERS
        if each["verdict"] == verdict and each["code"].rpartition(".")[2] in ENVELOPES
    ]
    for verdict in ("transient", "permanent")
)

# Options, the outcomes of RunTask's calls in their order, the waits between them, and how the execution ends.
SHAPES = [
    ("a plain job", {"retry_launch": NEVER}, [DONE], [], "succeeded"),
    ("a plain job fails", {"retry_launch": NEVER}, [EXITS_1], [], "States.TaskFailed"),
    ("a plain job times out", {"retry_launch": NEVER}, [TIMEOUT], [], "States.Timeout"),
    ("a refused launch without retries", {"retry_launch": NEVER}, [CAPACITY], [], CAPACITY.error),
    *[(f"{each.error} is retried", {"retry_launch": STEADY}, [each, DONE], [60], "succeeded") for each in REFUSALS],
    ("refused until it is enough", {"retry_launch": STEADY}, [CAPACITY] * 7, [60, 120, 240, 480, 900, 900],
     CAPACITY.error),
    ("a failure is not a refused launch", {"retry_launch": STEADY}, [EXITS_1], [], "States.TaskFailed"),
    ("a denied launch is not retried", {"retry_launch": STEADY}, [DENIED], [], DENIED.error),
    *[(f"{error}: {text[:60]}", {"retry_launch": STEADY}, [AslError(error, text), DONE], [60], "succeeded")
      for error, text in TRANSIENT],
    *[(f"{error}: {text[:60]}", {"retry_launch": STEADY}, [AslError(error, text)], [], error)
      for error, text in PERMANENT],
    ("an empty cluster until it is enough", {"retry_launch": {**STEADY, "max_attempts": 2}}, [EMPTY_CLUSTER] * 3,
     [60, 120], EMPTY_CLUSTER.error),
    ("refusals of all kinds have the same attempts", {"retry_launch": {**STEADY, "max_attempts": 2}},
     [EMPTY_CLUSTER, CAPACITY, NO_INSTANCE], [60, 120], NO_INSTANCE.error),
    ("an empty cluster without retries", {"retry_launch": NEVER}, [EMPTY_CLUSTER], [], EMPTY_CLUSTER.error),
    ("no instance", {"retry_launch": STEADY}, [NO_INSTANCE, DONE], [60], "succeeded"),
    ("never an instance", {"retry_launch": STEADY}, [NEVER_AN_INSTANCE], [], "States.TaskFailed"),
    ("a container that ran", {"retry_launch": STEADY}, [RAN_ALL_THE_SAME], [], "States.TaskFailed"),
    *[(words, {"retry_launch": STEADY}, [ended(None, stop_code=code, StoppedReason=reason)], [], "States.TaskFailed")
      for words, code, reason in NEVER_AGAIN],
    ("a job whose command has the words", {"retry_launch": STEADY},
     [ended(1, Overrides={"ContainerOverrides": [{"Command": [EMPTY_CLUSTER.cause, INSTANCES]}]})], [],
     "States.TaskFailed"),
    ("all failures, but no empty cluster", {"retry_launch": NEVER, "retry_failures": STEADY}, [EMPTY_CLUSTER, DONE],
     [60], "succeeded"),
    ("all failures, but no wrong subnet", {"retry_launch": STEADY, "retry_failures": STEADY}, [NO_SUBNET], [],
     NO_SUBNET.error),
    ("a refused launch between failures gives no more of these",
     {"retry_launch": STEADY, "retry_failures": {**STEADY, "max_attempts": 1}}, [EXITS_1, CAPACITY, EXITS_1],
     [60, 60], "States.TaskFailed"),
    ("any error", {"retry_any": {**ANY, "max_attempts": 2}}, [TIMEOUT, DENIED, DONE], [10, 10], "succeeded"),
    ("any error until it is enough", {"retry_any": ANY}, [EXITS_1, CAPACITY], [10], CAPACITY.error),
    ("all failures", {"retry_launch": NEVER, "retry_failures": {**STEADY, "max_attempts": 1}},
     [EXITS_1, DONE], [60], "succeeded"),
    ("all failures, but no refused launch", {"retry_launch": NEVER, "retry_failures": STEADY}, [CAPACITY], [],
     CAPACITY.error),
    ("all failures, but no timeout", {"retry_launch": NEVER, "retry_failures": STEADY}, [TIMEOUT], [],
     "States.Timeout"),
    ("failures and refused launches have attempts of their own",
     {"retry_launch": {**STEADY, "max_attempts": 1}, "retry_failures": {**STEADY, "interval": 5, "max_attempts": 1}},
     [EXITS_1, CAPACITY, CAPACITY], [5, 60], CAPACITY.error),
    ("an exit code that is named", {"retry_failures": JUDGED}, [EXITS_75, ended(76), DONE], [10, 20], "succeeded"),
    ("an exit code until it is enough", {"retry_failures": JUDGED}, [EXITS_75] * 4, [10, 20, 30], "States.TaskFailed"),
    ("an exit code that is not named", {"retry_failures": JUDGED}, [EXITS_1], [], "States.TaskFailed"),
    ("no exit code at all", {"retry_failures": JUDGED}, [ended(None)], [], "States.TaskFailed"),
    ("one exit code", {"retry_failures": {**JUDGED, "exit_codes": [75]}}, [EXITS_75, EXITS_1], [10],
     "States.TaskFailed"),
    ("any container's exit code", {"retry_failures": JUDGED}, [ended(0, 75), DONE], [10], "succeeded"),
    ("one container's exit code", {"retry_failures": {**JUDGED, "container": "c1"}}, [ended(0, 75), DONE], [10],
     "succeeded"),
    ("another container's exit code", {"retry_failures": {**JUDGED, "container": "c1"}}, [ended(75, 0)], [],
     "States.TaskFailed"),
    ("a stop code", {"retry_failures": {**JUDGED, "exit_codes": None, "stop_codes": ["SpotInterruption"]}},
     [ended(1, stop_code="SpotInterruption"), EXITS_75], [10], "States.TaskFailed"),
    ("a stop code or an exit code", {"retry_failures": {**JUDGED, "stop_codes": ["SpotInterruption"]}},
     [ended(1, stop_code="SpotInterruption"), EXITS_75, EXITS_1], [10, 20], "States.TaskFailed"),
    ("a timeout is not judged", {"retry_failures": JUDGED}, [TIMEOUT], [], "States.Timeout"),
    ("a judged job whose launches are not retried", {"retry_failures": JUDGED, "retry_launch": NEVER},
     [EXITS_75, CAPACITY], [10], CAPACITY.error),
    ("a judged job whose launches are not retried, and another code", {"retry_failures": JUDGED, "retry_launch": NEVER},
     [EXITS_75, EXITS_1], [10], "States.TaskFailed"),
    ("a judged job has its launches retried by Step Functions",
     {"retry_failures": JUDGED, "retry_launch": {**STEADY, "max_attempts": 1}}, [CAPACITY, EXITS_75, CAPACITY, DONE],
     [60, 10, 60], "succeeded"),
    ("other places", PLACES, [CAPACITY, CAPACITY, CAPACITY, DONE], [60, 120, 240], "succeeded"),
    ("other places until it is enough", PLACES, [CAPACITY] * 4, [60, 120, 240], CAPACITY.error),
    ("other places, and a failure", PLACES, [CAPACITY, EXITS_1], [60], "States.TaskFailed"),
    ("other places, and a denied launch", PLACES, [CAPACITY, DENIED], [60], DENIED.error),
    ("other places and other failures", {**PLACES, "retry_failures": JUDGED},
     [CAPACITY, CAPACITY, EXITS_75, CAPACITY, EXITS_75, EXITS_1], [60, 120, 10, 60, 20], "States.TaskFailed"),
    ("each failure begins with all its launches", {**PLACES, "retry_failures": JUDGED},
     [CAPACITY, EXITS_75, CAPACITY, CAPACITY, CAPACITY, DONE], [60, 10, 60, 120, 240], "succeeded"),
]  # fmt: skip


@pytest.mark.parametrize("notify", [None, TOPIC], ids=["silent", "notifying"])
@pytest.mark.parametrize(("options", "outcomes", "waits", "end"), [each[1:] for each in SHAPES],
                         ids=[each[0] for each in SHAPES])  # fmt: skip
def test_an_execution(options, outcomes, waits, end, notify):
    played = play(made(**options, notify_topic_arn=notify), outcomes)
    assert (played.waits, outcome(played)) == (waits, end)
    assert len(played.launches) == len(outcomes)
    if played.error:
        assert played.cause == outcomes[-1].cause
    else:
        assert played.output == DONE
    assert len(played.messages) == bool(played.error and notify)


@given(jobs(), st.lists(st.sampled_from([CAPACITY, EMPTY_CLUSTER, NO_INSTANCE]), max_size=9), st.data())
def test_a_job_that_has_run_is_not_repeated_unless_told(options, refusals, data):
    options = {key: value for key, value in options.items() if not key.startswith(("retry_failures", "retry_any"))}
    refusals = refusals[: options["retry_launch"]["max_attempts"]]
    end = data.draw(
        st.sampled_from([EXITS_1, EXITS_75, RAN_ALL_THE_SAME, ended(stop_code="SpotInterruption"), TIMEOUT])
    )
    alone = [[]] if options["concurrency"] != "allow" else []
    played = play(definition(read_job(options)), [*refusals, end], running=alone)
    assert len(played.launches) == len(refusals) + 1
    assert (played.error, played.cause) == (end.error, end.cause)


@pytest.mark.parametrize(
    ("options", "outcomes", "states"),
    [
        ({"retry_launch": NEVER}, [EXITS_1], [names.RUN]),
        ({}, [DONE], [names.START, names.RUN]),
        ({}, [EXITS_1], [names.START, names.RUN, *LOOK_AT_IT, names.FAIL]),
        ({}, [EMPTY_CLUSTER, DONE], [names.START, names.RUN, *ONE_MORE_LAUNCH]),
        ({}, [NO_INSTANCE, DONE], [names.START, names.RUN, *LOOK_AT_IT, names.NEXT_LAUNCH, names.WAIT, names.RUN]),
        ({"retry_failures": JUDGED}, [DONE], [names.START, names.RUN]),
        ({"retry_failures": JUDGED}, [EXITS_75, DONE], [names.START, names.RUN, *ONCE_MORE]),
        (
            {"retry_failures": JUDGED},
            [EXITS_1],
            [names.START, names.RUN, *LOOK_AT_IT, names.JUDGE, names.AGAIN, names.FAIL],
        ),
        ({"retry_failures": JUDGED}, [TIMEOUT], [names.START, names.RUN, *NO_TASK, names.FAIL]),
        (PLACES, [EXITS_1], [names.START, names.RUN, *LOOK_AT_IT, names.FAIL]),
        (
            PLACES,
            [CAPACITY, DONE],
            [names.START, names.RUN, *ONE_MORE_LAUNCH],
        ),
        (
            {"notify_topic_arn": TOPIC},
            [EXITS_1],
            [names.START, names.RUN, *LOOK_AT_IT, names.DESCRIBE_TASK, names.NOTIFY, names.FAIL],
        ),
        (
            {"notify_topic_arn": TOPIC},
            [DENIED],
            [names.START, names.RUN, *NO_TASK, names.DESCRIBE_REFUSAL, names.NOTIFY, names.FAIL],
        ),
    ],
)
def test_the_way_through_the_states(options, outcomes, states):
    assert play(made(**options), outcomes).states == states


def test_each_launch_has_its_place():
    """Launches use all subnets and Spot first, then one subnet after another on demand; a new attempt starts over."""
    outcomes = [CAPACITY, CAPACITY, CAPACITY, EXITS_75, CAPACITY, DONE]
    played = play(made(**PLACES, retry_failures=JUDGED), outcomes)
    networks = [each["NetworkConfiguration"]["AwsvpcConfiguration"] for each in played.launches]
    both, one, two = ["subnet-1", "subnet-2"], ["subnet-1"], ["subnet-2"]
    assert [each["Subnets"] for each in networks] == [both, one, two, one, both, one]
    assert all(each["SecurityGroups"] == ["sg-1"] and each["AssignPublicIp"] == "ENABLED" for each in networks)
    providers = [each["CapacityProviderStrategy"] for each in played.launches]
    spot, on_demand = ([{"CapacityProvider": each, "Weight": 1, "Base": 0}] for each in ("FARGATE_SPOT", "FARGATE"))
    assert providers == [spot, on_demand, on_demand, on_demand, spot, on_demand]


@pytest.mark.parametrize(
    ("left_out", "subnets", "provider"),
    [
        ("rotate_subnets", [["subnet-1", "subnet-2"]] * 2, ["FARGATE_SPOT", "FARGATE"]),
        ("fallback_capacity_provider_strategy", [["subnet-1", "subnet-2"], ["subnet-1"]], ["FARGATE_SPOT"] * 2),
    ],
)
def test_only_what_is_asked_for_changes_with_the_place(left_out, subnets, provider):
    options = {key: value for key, value in PLACES.items() if key != left_out}
    played = play(made(**options), [CAPACITY, DONE])
    networks = [each["NetworkConfiguration"]["AwsvpcConfiguration"] for each in played.launches]
    assert [each["Subnets"] for each in networks] == subnets
    assert [each["CapacityProviderStrategy"][0]["CapacityProvider"] for each in played.launches] == provider


def test_subnets_take_turns():
    three = {**NETWORK, "subnets": ["subnet-1", "subnet-2", "subnet-3"]}
    options = {**PLACES, "network_configuration": three, "retry_launch": {**STEADY, "max_attempts": 4}}
    launches = play(made(**options), [CAPACITY] * 4 + [DONE]).launches
    assert [each["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] for each in launches] == [
        ["subnet-1", "subnet-2", "subnet-3"],
        ["subnet-1"],
        ["subnet-2"],
        ["subnet-3"],
        ["subnet-1"],
    ]


def test_a_fallback_without_a_network():
    options = {key: value for key, value in PLACES.items() if key not in ("network_configuration", "rotate_subnets")}
    played = play(made(**options), [CAPACITY, DONE])
    assert ["NetworkConfiguration" in each for each in played.launches] == [False, False]


@pytest.mark.parametrize("options", [PLACES, {"retry_failures": JUDGED}])
def test_waits_are_drawn_with_jitter(options):
    kind = next(iter(options.keys() & {"retry_launch", "retry_failures"}))
    jitter = {**options, kind: {**options[kind], "jitter": True, "max_attempts": 50, "max_delay": None}}
    outcomes = [EXITS_75 if kind == "retry_failures" else CAPACITY] * 50
    waits = play(made(**jitter), [*outcomes, DONE]).waits
    steady = play(made(**{**jitter, kind: {**jitter[kind], "jitter": False}}), [*outcomes, DONE]).waits
    assert len(waits) == len(steady) == 50
    assert all(0 <= wait < longest for wait, longest in zip(waits, steady, strict=True))
    assert any(wait < longest / 2 for wait, longest in zip(waits, steady, strict=True))


def test_timeouts():
    played = play(made(timeout="2h", notify_topic_arn=TOPIC), [EXITS_1])
    assert played.timeouts == {("ecs:runTask.sync", 7200), ("sns:publish", 60)}
    assert made(execution_timeout="1d")["TimeoutSeconds"] == 86400
    assert "TimeoutSeconds" not in made()
    assert "Comment" not in made()


# -- what is told -------------------------------------------------------------------------------------------------

TASK = {
    "TaskArn": "arn:task/2",
    "TaskDefinitionArn": "arn:task-definition/report:7",
    "ClusterArn": "arn:cluster/prod",
    "Group": "nightly",
    "StoppedReason": "Essential container in task exited",
    "Containers": [
        {"Name": "app", "ExitCode": 3, "Reason": "OutOfMemoryError: killed"},
        {"Name": "side", "ExitCode": 0},
    ],
}
OF_THE_TASK = [
    "EssentialContainerExited",
    "Essential container in task exited",
    "[3,0]",
    '["app","side"]',
    '["OutOfMemoryError: killed"]',
    "nightly",
    "arn:cluster/prod",
    "arn:task-definition/report:7",
    "arn:task/2",
]


def told(problem, **options):
    """Return the values of a message, one per line."""
    (message,) = play(made(notify_topic_arn=TOPIC, **options), [problem]).messages
    assert message["TopicArn"] == TOPIC
    assert "nightly" in message["Subject"]
    *lines, machine, execution, started = message["Message"].splitlines()
    assert machine.endswith(f": {MACHINE}")
    assert execution.endswith(f": {EXECUTION}")
    assert started.endswith(f" {STARTED}")
    return [line.partition(": ")[2] for line in lines]


@pytest.mark.parametrize("options", [{}, {"retry_failures": JUDGED}, PLACES], ids=["plain", "judged", "places"])
def test_a_message_about_a_task(options):
    assert told(ended(**TASK), **options) == OF_THE_TASK


@pytest.mark.parametrize("key", [*sorted(TASK.keys() - {"TaskArn"}), "StopCode"])
def test_a_message_about_a_task_that_lacks_something(key):
    """Not every task has every field, for example a launch with its own group name or a task that never ran."""
    cause = {"StopCode": "EssentialContainerExited", **TASK}
    del cause[key]
    lines = told(AslError("States.TaskFailed", json.dumps(cause)))
    value = cause.get(key, "")
    if key == "Containers":
        assert lines[2:5] == ["[]", "[]", "[]"]
    else:
        assert lines.count(str(value)) == 1
    assert len(lines) == len(OF_THE_TASK)


@pytest.mark.parametrize("problem", [DENIED, AslError("X", '{"some": "JSON"}'), AslError("X", "TaskArn {}")])
def test_a_message_about_another_error(problem):
    assert told(problem) == [problem.error, problem.cause]


@pytest.mark.parametrize(
    ("problem", "subject", "first"),
    [
        (EXITS_1, "failed", "ECS task failed: EssentialContainerExited"),
        (ended(None, stop_code="TaskFailedToStart"), "failed", "ECS task failed: TaskFailedToStart"),
        (TIMEOUT, "timed out", "ECS task timed out: States.Timeout"),
        *[(each, "refused", f"ECS launch refused: {each.error}") for each in (*REFUSALS, DENIED, NO_SUBNET)],
        (AslError("Sfn.SfnException", "x"), "failed", "ECS job failed: Sfn.SfnException"),
    ],
)
def test_a_refused_launch_a_failure_and_a_timeout_are_told_apart(problem, subject, first):
    (message,) = play(made(retry_launch=NEVER, notify_topic_arn=TOPIC, timeout="90m"), [problem]).messages
    assert message["Subject"] == f"ECS job nightly {subject}"
    lines = message["Message"].splitlines()
    assert lines[0] == first
    if problem is TIMEOUT:
        assert lines[1] == "Reason: It did not end within 5400 seconds, and Step Functions stopped it"


def test_a_cause_that_was_cut_off_is_not_quoted():
    """It contains the overrides with values of environment variables, and is not valid JSON, as its end is missing."""
    whole = json.dumps({"Overrides": {"Environment": [{"Name": "TOKEN", "Value": "s3cr3t"}]}, **TASK})
    error, cause = told(AslError("States.TaskFailed", whole.partition('"TaskDefinitionArn"')[0].rstrip(", ")))
    assert error == "States.TaskFailed"
    assert "s3cr3t" not in cause
    assert cause


@pytest.mark.parametrize("failures", [1, 3, 4])
def test_a_message_that_cannot_be_sent(failures):
    """Sending is retried three times; the execution fails with the error of the task in any case."""
    problem = AslError("SNS.ThrottledException", "slow down")
    played = play(made(notify_topic_arn=TOPIC), [EXITS_1], [problem] * failures)
    assert (played.error, played.cause) == (EXITS_1.error, EXITS_1.cause)
    assert len(played.messages) == min(failures + 1, 4)
    assert played.states[-2:] == [names.NOTIFY, names.FAIL]


def test_a_message_is_tried_again_soon():
    retry = made(notify_topic_arn=TOPIC)["States"][names.NOTIFY]["Retry"]
    assert [(each["IntervalSeconds"], each["MaxAttempts"]) for each in retry] == [(2, 3)]


@pytest.mark.parametrize(
    "options", [{"notify_topic_arn": TOPIC}, {"retry_failures": {**JUDGED, "exit_codes": None, "stop_codes": ["a"]}}]
)
def test_exit_codes_are_compared_only_where_some_are_named(options):
    states = made(**options)["States"]
    assert names.JUDGE not in states
    assert set(states[names.CONTAINERS]["Parameters"]) == {"names.$", "exit_codes.$", "reasons.$"}


def test_data_that_states_share_has_every_key():
    """Step Functions may report an error without a cause, which is merged with these defaults."""
    start = made(notify_topic_arn=TOPIC)["States"][names.START]["Result"]
    assert start["no_error"] == {"Error": "", "Cause": ""}
    assert set(start) == {"no_error", "no_task", "launch_waits", "attempt", "templates"}
    judged = made(retry_failures=JUDGED)["States"][names.START]["Result"]
    assert set(judged) == {"no_error", "no_task", "launch_waits", "failure_waits", "attempt"}
    assert judged["attempt"] == {"failures": 0, "launches": 0, "wait": 0}
    told_only = made(notify_topic_arn=TOPIC, retry_launch=NEVER)["States"][names.START]["Result"]
    assert set(told_only) == {"no_error", "no_task", "templates"}
    moves = made(**PLACES)["States"][names.START]["Result"]
    assert set(moves) == {"no_error", "no_task", "places", "launch_waits", "attempt"}
