# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the definition of a failure against the catalogue, and what every filter makes of it."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.lint import lint
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.parse import pattern_text
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.covers import covers
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import (
    KINDS,
    TAKEN_BY,
    given_filters,
    read_filters,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.sample_events import (
    CLUSTER,
    ECS,
    RETRY_ROLE,
    SERVICE,
    STATE_MACHINE,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.decide import decide
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.deliveries import read_delivery
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import GiveUp
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import read_options

from tests.unit.core.retry.samples import OWN_ROLE

BY_NAME = {sample.name: sample for sample in CATALOGUE}
FAILURE_KINDS = [kind for kind in KINDS if kind != "all_task_changes"]
OTHER = ECS.replace("eu-central-1", "eu-west-1")


def pattern(kind, **filters):
    return failure_pattern(kind, read_filters(kind, filters))


def alerts(kind, **filters):
    """Return the names of the samples that a rule alerts on."""
    made = pattern(kind, **filters)
    assert [str(finding) for finding in lint(made, repeats_are_meant=kind == "all_task_changes")] == []
    return {sample.name for sample in CATALOGUE if matches(made, sample.event)}


def failures(kind):
    return {sample.name for sample in CATALOGUE if sample.kind == kind and sample.failure}


# The one sample that no pattern can classify without the names of containers.
UNDECIDABLE = {sample.name for sample in CATALOGUE if sample.undecidable}


def test_what_no_pattern_can_tell_is_one_thing():
    assert list(UNDECIDABLE) == ["sidecar_137"]


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_nothing_is_missed_and_nothing_else_is_told(kind):
    assert alerts(kind) - UNDECIDABLE == failures(kind)


# This one fails because of a container that was not named.
OF_ANOTHER = {"sidecar_start"}


def test_with_the_name_of_the_container_not_even_that():
    assert alerts("task", container_names=["app"]) == failures("task") - OF_ANOTHER


def test_no_failure_is_told_twice():
    told = [name for kind in FAILURE_KINDS for name in alerts(kind)]
    assert len(told) == len(set(told))


def test_all_changes_are_the_changes_of_tasks():
    assert alerts("all_task_changes") == {
        sample.name for sample in CATALOGUE if sample.kind in {"task", "service_task"}
    }


@pytest.mark.parametrize("kind", KINDS)
def test_patterns_are_short(kind):
    assert len(pattern_text(pattern(kind))) < 1400
    if "clusters" in TAKEN_BY and kind in TAKEN_BY["clusters"]:
        ten = [f"{ECS}:cluster/production-{number}" for number in range(10)]
        assert len(pattern_text(pattern(kind, clusters=ten))) < 2048


# The recipes that were published.

EXITS = {"exit_1", "exit_137", "exit_139", "exit_255", "main_and_sidecar", "out_of_memory", "out_of_memory_exit_1",
         "group_free_text", "group_none", "exit_1_before_sidecar"}  # fmt: skip


def test_four_exit_codes_of_one_scheduled_task():
    told = alerts("task", exit_codes=[1, 137, 139, 255], clusters=["production"], task_families=["nightly-import"])
    assert told == {*EXITS, *UNDECIDABLE}


def test_any_exit_code_but_0():
    told = alerts("task", stop_codes=["EssentialContainerExited"], ignore_exit_codes=[])
    ended = {name for name in failures("task") if BY_NAME[name].event["detail"].get("stopCode", "").startswith("Ess")}
    assert told == {*ended, *UNDECIDABLE, "exit_143", "sidecar_143"}


# What filters let through: of the failures of the kind, and of the rest.

NARROWER = [
    ("task", {"clusters": ["production"]}, True),
    ("task", {"clusters": [CLUSTER]}, True),
    ("task", {"clusters": ["staging", "production"]}, True),
    ("task", {"clusters": ["staging"]}, False),
    ("task", {"clusters": ["reproduction", "duction"]}, False),
    ("task", {"clusters": [f"{OTHER}:cluster/production"]}, False),
    ("task", {"task_families": ["nightly-import"]}, True),
    ("task", {"task_families": [f"{ECS}:task-definition/nightly-import"]}, True),
    ("task", {"task_families": ["nightly", "import", "nightly-import-2"]}, False),
    ("task", {"task_families": [f"{ECS}:task-definition/nightly"]}, False),
    ("task", {"container_names": ["app"]}, True),
    ("task", {"container_names": ["ap*"]}, True),
    ("service_task", {"clusters": ["production"], "services": ["web"]}, True),
    ("service_task", {"services": [SERVICE]}, True),
    ("service_task", {"services": ["we"]}, False),
    ("service_task", {"services": [SERVICE.replace("production", "staging")]}, False),
    ("service_task", {"task_families": ["web"]}, True),
    ("service_action", {"clusters": ["production"]}, True),
    ("service_action", {"clusters": [CLUSTER]}, True),
    ("service_action", {"services": ["web"]}, True),
    ("service_action", {"services": [SERVICE]}, True),
    ("service_action", {"clusters": ["production"], "services": ["web"]}, True),
    ("service_action", {"clusters": ["staging"], "services": ["web"]}, False),
    ("service_action", {"services": ["b", "eb"]}, False),
    ("deployment_hook", {"clusters": ["production"], "services": ["web"]}, True),
    ("deployment_hook", {"services": [SERVICE]}, True),
    ("deployment_hook", {"clusters": ["staging"]}, False),
    ("daemon", {"clusters": [CLUSTER]}, True),
    ("daemon", {"clusters": ["duction"]}, False),
    ("container_instance", {"clusters": ["production"]}, True),
    ("container_instance", {"clusters": ["staging"]}, False),
    ("task_retirement", {"clusters": ["production"]}, True),
    ("task_retirement", {"clusters": [CLUSTER]}, True),
    ("deployment", {"clusters": ["production"]}, True),
    ("deployment", {"clusters": [CLUSTER]}, True),
    ("deployment", {"clusters": ["staging"]}, False),
    ("deployment", {"clusters": ["duction"]}, False),
    ("deployment", {"services": ["web"]}, True),
    ("deployment", {"services": [SERVICE]}, True),
    ("deployment", {"clusters": ["production"], "services": ["web"]}, True),
    ("deployment", {"clusters": [CLUSTER], "services": ["web"]}, True),
    ("deployment", {"clusters": [CLUSTER], "services": ["api"]}, False),
    ("deployment", {"clusters": ["staging"], "services": ["web"]}, False),
    ("launch", {"clusters": ["production"]}, True),
    ("launch", {"clusters": [CLUSTER]}, True),
    ("launch", {"task_families": ["nightly-import"]}, True),
    ("launch", {"started_by": ["events-rule/*"]}, True),
    ("state_machine", {"state_machine_arns": [STATE_MACHINE]}, True),
    ("state_machine", {"state_machine_arns": [f"{STATE_MACHINE}2"]}, False),
]


@pytest.mark.parametrize(("kind", "filters", "all_of_them"), NARROWER)
def test_filters_say_whose_failures(kind, filters, all_of_them):
    others = OF_ANOTHER if "container_names" in filters else set()
    assert alerts(kind, **filters) - UNDECIDABLE == (failures(kind) - others if all_of_them else set())


@pytest.mark.parametrize(
    ("kind", "filters", "expected"),
    [
        ("task", {"groups": ["imports*"]}, {"group_free_text"}),
        ("task", {"started_by": ["AWS Step Functions"]}, {"in_state_machine"}),
        ("task", {"started_by": ["events-rule/*", "chronos-schedule/nightly-import"]}, {"exit_1", "exit_2"}),
        ("task", {"exit_codes": [2, 126]}, {"exit_2", "exit_126"}),
        ("task", {"exit_codes": [-1073741819]}, {"exit_negative"}),
        ("task", {"exit_codes": [0], "container_names": ["app"]},
         {"success", "success_before_guardduty", "success_before_sidecar", "success_guardduty_start", "sidecar_start",
          "sidecar_143", "sidecar_137", "guardduty_137", "guardduty_out_of_memory"}),
        ("task", {"stop_codes": ["TaskFailedToStart"]},
         {"image_pull", "secrets", "network_interface", "network_interface_refused", "empty_capacity_provider",
          "container_start", "sidecar_start", "exit_1_before_sidecar"}),
        ("task", {"exit_codes": [2], "stop_codes": ["EssentialContainerExited", "TaskFailedToStart"]},
         {"exit_2", "image_pull", "secrets", "network_interface", "network_interface_refused",
          "empty_capacity_provider", "container_start", "sidecar_start"}),
        ("task", {"stop_codes": ["UserInitiated"]}, {"stopped_by_user", "stopped_by_deploy_script"}),
        ("task", {"stop_codes": ["SpotInterruption", "TerminationNotice"]}, {"spot", "host_lost"}),
        ("task", {"stop_codes": ["ServiceSchedulerInitiated"]}, set()),
        ("task", {"exit_codes": [2], "stop_codes": ["EssentialContainerExited", "SpotInterruption"]},
         {"exit_2", "spot"}),
        ("task", {"stopped_reasons": ["CannotPullContainerError*"]}, {"image_pull"}),
        ("task", {"stopped_reasons": ["Your Spot Task was interrupted."]}, {"spot", "spot_no_stop_code"}),
        ("service_task", {"stop_codes": ["ServiceSchedulerInitiated"]},
         {"service_elb_health", "service_container_health"}),
        ("service_task", {"stop_codes": ["ServiceSchedulerInitiated"], "stopped_reasons": ["*maintenance*"]},
         {"service_maintenance"}),
        ("service_task", {"stop_codes": ["SpotInterruption", "TerminationNotice"]},
         {"service_spot", "service_host_lost"}),
        ("service_task", {"exit_codes": [0]}, {"service_exit_0"}),
        ("state_machine", {"statuses": ["ABORTED", "FAILED"]}, {"execution_aborted", "execution_failed"}),
        ("launch", {"callers": ["lambda.amazonaws.com"]}, {"launch_of_retry"}),
        ("launch", {"callers": ["batch.amazonaws.com"], "exclude_clusters": []}, {"launch_batch"}),
        ("launch", {"exclude_clusters": ["AWSBatch-*", "prod*"]}, {"launch_denied"}),
        ("launch", {"exclude_clusters": [CLUSTER]}, {"launch_denied"}),
        ("deployment_hook", {"services": ["api"]}, set()),
        ("task_retirement", {"services": ["api"]}, {"retirement_services"}),
        ("task_retirement", {"clusters": ["production"], "services": ["web"]}, {"retirement_services"}),
        ("task_retirement", {"clusters": [CLUSTER], "services": ["we"]}, set()),
        ("task_retirement", {"clusters": ["duction"]}, set()),
        # A launch whose cluster is unknown is reported whatever the filter says.
        ("launch", {"clusters": ["staging"]}, {"launch_denied"}),
        ("launch", {"task_families": ["other"], "groups": ["x"]}, {"launch_denied"}),
    ],
)  # fmt: skip
def test_filters_say_which_failures(kind, filters, expected):
    assert alerts(kind, **filters) == expected


def test_ignored_exit_codes():
    assert failures("task") - alerts("task", ignore_exit_codes=[1, 143]) == {
        "exit_1", "main_and_sidecar", "group_free_text", "group_none", "exit_1_before_sidecar", "stop_code_none",
    }  # fmt: skip
    assert "service_exit_0" not in alerts("service_task", ignore_exit_codes=[0, 143])
    assert alerts("service_task", ignore_exit_codes=[]) == failures("service_task")


def test_ignored_containers():
    assert "sidecar_137" not in alerts("task", ignore_containers=["sidecar", "aws-guardduty-agent-*"])
    assert "guardduty_137" in alerts("task", ignore_containers=["sidecar"])
    assert alerts("task", ignore_containers=["side*", "aws-guardduty-agent-*"]) == failures("task") - OF_ANOTHER
    assert "success_guardduty_start" in alerts("task", ignore_containers=["sidecar"])
    assert {"guardduty_137", "sidecar_137"} <= alerts("task", ignore_containers=[])


def test_refusals_of_aws_batch_are_routine_unless_they_are_wanted():
    assert alerts("launch", exclude_callers=[], exclude_clusters=[]) == failures("launch") | {"launch_batch"}
    assert "launch_batch" not in alerts("launch", exclude_callers=[])
    assert "launch_batch" not in alerts("launch", exclude_clusters=[])


def test_the_function_that_retries_launches_can_be_left_out():
    assert failures("launch") - alerts("launch", exclude_role_arns=[RETRY_ROLE]) == {"launch_of_retry"}


def changed(name, **parameters):
    event = copy.deepcopy(BY_NAME[name].event)
    event["detail"]["requestParameters"].update(parameters)
    return event


@pytest.mark.parametrize(
    ("parameters", "filters", "expected"),
    [
        ({"cluster": "production"}, {"clusters": ["production"]}, True),
        ({"cluster": "production"}, {"clusters": [CLUSTER]}, True),
        ({"cluster": "staging"}, {"clusters": [CLUSTER]}, False),
        ({"taskDefinition": "nightly-import"}, {"task_families": ["nightly-import"]}, True),
        ({"taskDefinition": "nightly-import:3"}, {"task_families": ["nightly-import"]}, True),
        ({"taskDefinition": f"{ECS}:task-definition/nightly-import:3"}, {"task_families": ["nightly-import"]}, True),
        ({"taskDefinition": "nightly-import:3"}, {"task_families": [f"{ECS}:task-definition/nightly-import"]}, True),
        ({"taskDefinition": "nightly-import-2"}, {"task_families": ["nightly-import"]}, False),
        ({"group": "imports"}, {"groups": ["imports"]}, True),
    ],
)
def test_launches_name_things_as_their_caller_did(parameters, filters, expected):
    assert matches(pattern("launch", **filters), changed("launch_capacity", **parameters)) is expected


def test_a_launch_without_a_cluster_is_one_of_the_default_cluster():
    event = changed("launch_capacity")
    del event["detail"]["requestParameters"]["cluster"]
    assert matches(pattern("launch", clusters=["default"]), event)
    assert not matches(pattern("launch", clusters=["production"]), event)


@pytest.mark.parametrize("name", [name for name in TAKEN_BY if name not in {"exit_codes", "ignore_exit_codes"}])
def test_an_empty_list_is_no_filter(name):
    for kind in KINDS:
        filters = {name: []}
        assert given_filters(filters) == []
        if name not in {"ignore_containers", "exclude_clusters", "exclude_callers"}:
            assert pattern(kind, **filters) == pattern(kind)


@pytest.mark.parametrize("name", TAKEN_BY)
def test_filters_are_refused_where_they_make_no_sense(name):
    for kind in set(KINDS) - set(TAKEN_BY[name]):
        with pytest.raises(Refused, match=f"{name} is not for kind: {kind}. It is for"):
            read_filters(kind, {name: [1 if "exit_codes" in name else "x"]})


# What a rule covers.


def covered(made):
    return {row["name"] for row in covers(made) if row["alert"]}


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        ("task", {"clusters": ["staging"], "task_families": ["other"], "groups": ["a", "b*"], "started_by": ["x"]}),
        ("task", {"container_names": ["main"]}),
        ("service_task", {"clusters": [f"{OTHER}:cluster/staging"], "services": ["api", "shop"]}),
        ("service_action", {"clusters": ["staging"], "services": ["api"]}),
        ("deployment", {"clusters": ["staging", "testing"], "services": ["api"]}),
        ("deployment_hook", {"clusters": ["staging"], "services": ["api"]}),
        ("daemon", {"clusters": ["staging"]}),
        ("container_instance", {"clusters": [f"{OTHER}:cluster/staging"]}),
        ("task_retirement", {"clusters": ["staging"]}),
        ("launch", {"clusters": ["staging"], "task_families": ["other"], "groups": ["a"], "started_by": ["x"]}),
        ("state_machine", {"state_machine_arns": [f"{STATE_MACHINE}2"]}),
    ],
)
def test_covers_looks_at_which_failures_and_not_at_whose(kind, filters):
    others = OF_ANOTHER if "container_names" in filters else set()
    assert covered(pattern(kind, **filters)) - UNDECIDABLE == failures(kind) - others


@pytest.mark.parametrize(
    "detail",
    [
        {"clusterArn": ["production"], "lastStatus": ["STOPPED"]},
        {"lastStatus": ["STOPPED"], "$or": [{"clusterArn": ["production"]}, {"taskDefinitionArn": ["web"]}]},
    ],
)
def test_nothing_is_covered_by_a_name_where_events_carry_an_arn(detail):
    assert covered({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}) == set()


def test_covers_tells_the_published_patterns_apart():
    exits = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": ["arn:aws:ecs:us-east-1:999999999999:cluster/x"],
            "lastStatus": ["STOPPED"],
            "stoppedReason": ["Essential container in task exited"],
            "containers": {"exitCode": [1, 137, 139, 255]},
        },
    }
    missed = (failures("task") | failures("service_task")) - covered(exits)
    assert {"image_pull", "exit_2", "spot", "host_lost", "service_elb_health"} <= missed
    reasons = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"containers": {"exitCode": [{"anything-but": [0]}], "reason": [{"exists": True}]}},
    }
    assert {name for name in covered(reasons) if BY_NAME[name].failure} == {
        "out_of_memory", "out_of_memory_exit_1", "service_out_of_memory",
    }  # fmt: skip


def test_covers_has_a_row_for_every_sample():
    rows = covers(pattern("task"))
    assert [row["name"] for row in rows] == list(BY_NAME)
    assert {key for row in rows for key in row} == {"name", "description", "kind", "failure", "alert"}


def test_covers_of_what_cannot_be_read():
    assert covers(None) is None
    assert covers({"source": "aws.ecs"}) is None
    assert covers({"source": [{"starts-with": "aws"}]}) is None


# Together with the role launch_retry: what its function handles, and what is left to the rule.
RETRIED = {"retried_clusters": ["prod"], "retried_task_families": [f"{ECS}:task-definition/report"]}
DENIED = {"errorCode": "AccessDenied", "errorMessage": "no", "responseElements": None}


def refusal(cluster="prod", definition="report:7", error=None, **detail):
    """Return a refused launch as CloudTrail records it and EventBridge delivers it."""
    asked = {"cluster": cluster, "taskDefinition": definition}
    asked = {name: value for name, value in asked.items() if value is not None}
    answer = DENIED if error else {"responseElements": {"tasks": [], "failures": [{"reason": "RESOURCE:CPU"}]}}
    event = copy.deepcopy(BY_NAME["launch_capacity"].event)
    event["account"] = OWN_ROLE.split(":")[4]
    identity = {"sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/pipeline"}}}
    more = {"userIdentity": {**identity, **detail.pop("userIdentity", {})}, "recipientAccountId": event["account"]}
    event["detail"] = {**event["detail"], "requestParameters": asked or None, **answer, **more, **detail}
    return event


CALLED_BY = {
    name: {"userIdentity": {"invokedBy": f"{name}.amazonaws.com"}} for name in ("states", "events", "lambda", "batch")
}
OF_RETRY = {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": OWN_ROLE}}}}
# Each refusal, and who reports it when the function gives up every launch that it takes.
BESIDE = [
    (refusal(), "function"),
    (refusal(f"{ECS}:cluster/prod", f"{ECS}:task-definition/report:7"), "function"),
    (refusal(definition="report"), "function"),
    (refusal(error=True), "function"),
    (refusal(None, None, error=True), "function"),  # the job is unknown, and the function says so
    (refusal(error=True, **CALLED_BY["events"]), "function"),
    (refusal(**CALLED_BY["lambda"]), "function"),
    (refusal(**OF_RETRY), None),  # the function itself gets the answer
    (refusal("staging"), "rule"),
    (refusal(f"{ECS}:cluster/staging", error=True), "rule"),
    (refusal("production"), "rule"),
    (refusal(None), "rule"),  # the default cluster
    (refusal(definition="daily-report:7"), "rule"),
    (refusal(definition="report-2"), "rule"),
    (refusal(definition=f"{ECS}:task-definition/other:7", error=True), "rule"),
    (refusal(eventName="StartTask"), "rule"),
    (refusal(error=True, eventName="StartTask"), "rule"),
    (refusal(**CALLED_BY["states"]), "rule"),
    (refusal(error=True, **CALLED_BY["states"]), "rule"),
    (refusal(**CALLED_BY["batch"]), None),  # routine
]


def reported_by_function(event):
    options = read_options(
        {"clusters": ["prod"], "families": ["report"], "own_role_arns": [OWN_ROLE],
         "rules": [{"action": "fail", "launch_failure": True}]}, event["account"], event["region"],
    )  # fmt: skip
    heard = matches(pattern("launch", clusters=["prod"], task_families=["report"], exclude_role_arns=[OWN_ROLE]), event)
    (delivered,) = read_delivery(event, event["region"], event["account"])
    return heard and bool(delivered.record) and isinstance(decide(delivered.record, 0, options, 0, lambda: 0), GiveUp)


@pytest.mark.parametrize(("event", "who"), BESIDE)
def test_beside_the_retry_function_each_refusal_is_one_message(event, who):
    by_rule = matches(pattern("launch", **RETRIED), event)
    assert {name for name, reports in (("rule", by_rule), ("function", reported_by_function(event))) if reports} == (
        {who} if who else set()
    )


@pytest.mark.parametrize(
    ("filters", "reported"),
    [
        ({"clusters": ["prod"]}, ["other family", "StartTask", "states"]),
        ({"clusters": ["staging"]}, ["other cluster"]),
        ({"clusters": ["staging", "prod"], "task_families": ["report"]}, ["other cluster", "StartTask", "states"]),
        ({"clusters": ["prod"], "task_families": ["report"]}, ["StartTask", "states"]),
        ({"task_families": ["other"]}, ["other family"]),
        ({"callers": ["states.amazonaws.com"]}, ["states"]),
        ({"callers": ["lambda.amazonaws.com"]}, []),
        ({"exclude_callers": ["states.amazonaws.com"]}, ["other cluster", "other family", "StartTask"]),
        ({"exclude_clusters": ["stag*"]}, ["other family", "StartTask", "states"]),
        ({"exclude_clusters": []}, ["other cluster", "other family", "StartTask", "states"]),
        ({"groups": ["x"]}, []),
    ],
)
def test_other_filters_hold_beside_retries(filters, reported):
    events = {
        "retried": refusal(),
        "other cluster": refusal("staging"),
        "other family": refusal(definition="other"),
        "StartTask": refusal(eventName="StartTask"),
        "states": refusal(**CALLED_BY["states"]),
    }
    made = pattern("launch", **RETRIED, **filters)
    assert [str(finding) for finding in lint(made)] == []
    assert [name for name, event in events.items() if matches(made, event)] == reported


def test_clusters_and_families_of_retries_belong_together():
    for name, value in RETRIED.items():
        with pytest.raises(Refused, match="must be given together"):
            pattern("launch", **{name: value})
