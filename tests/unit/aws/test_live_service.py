# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service as the recycle sees it: which calls are made, how often, and what is cached."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.line import Line
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.plain_service import PlainService
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.service import LiveService
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import (
    FoundImage,
    RegistryImage,
    Scaling,
)
from botocore.stub import ANY

from tests.unit.aws.clients import ECS, GROUP, GROUP_2, Clients, at, service, task

INSTANCE = f"{ECS}:container-instance/prod/1"
ANY_TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/prod/web",
    "ScalableDimension": "ecs:service:DesiredCount",
    "SuspendedState": ANY,
}


class Account(Clients):
    """Stubbed clients, and a clock that a test sets."""

    def __init__(self):
        super().__init__()
        self.seconds = 100.0

    def live(self, cluster="prod", name="web"):
        return LiveService(Line(self, monotonic=lambda: self.seconds, wall=lambda: 5.0), cluster, name)

    def described(self, date=None, **more):
        headers = {"date": date} if date else {}
        self["ecs"].add_response(
            "describe_services",
            {"services": [service(**more)], "failures": [], "ResponseMetadata": {"HTTPHeaders": headers}},
            {"cluster": "prod", "services": ["web"], "include": ["TAGS"]},
        )


@pytest.fixture
def account():
    made = Account()
    yield made
    made.assert_all_asked()


def test_nothing_is_connected_before_it_is_needed(account):
    assert account.live().calls == {}
    assert account.made == {}


def test_a_missing_service(account):
    account["ecs"].add_response("describe_services", {"services": [], "failures": [{"reason": "MISSING"}]})
    live = account.live()
    assert live.describe_service() is None
    assert live.calls == {"DescribeServices": 1}


def test_calls_are_counted_when_they_fail_and_when_botocore_repeats_them(account):
    account["ecs"].add_client_error("stop_task", "AccessDeniedException", "no")
    account["ecs"].add_response("stop_task", {"ResponseMetadata": {"RetryAttempts": 2}})
    live = account.live()
    with pytest.raises(CallFailed):
        live.stop_task("1", "reason")
    assert live.stop_task("1", "reason") is True
    assert live.calls == {"StopTask": 4}


def test_calls_that_get_no_answer_are_counted(account):
    live = account.live()
    client = account("ecs")
    live._client("ecs")
    client.meta.events.emit("after-call-error.ecs.StopTask", exception=OSError(), context={})
    assert live.calls == {"StopTask": 1}


def test_the_clock_is_that_of_ecs(account):
    """The date is cut to a second and takes time to arrive, so the largest difference is the most accurate."""
    live = account.live()
    assert live.now() == 5.0, "our own, as long as nothing else is known"
    for seconds, date, expected in [
        (100.0, "Sun, 22 Nov 2026 10:00:00 GMT", 1795341600.0),
        (100.9, "Sun, 22 Nov 2026 10:00:00 GMT", 1795341600.9),
        (101.0, "Sun, 22 Nov 2026 10:00:02 GMT", 1795341602.0),
        (102.5, "Sun, 22 Nov 2026 10:00:02 GMT", 1795341603.5),
        (103.0, "no date at all", 1795341604.0),
        (103.5, None, 1795341604.5),
    ]:
        account.seconds = seconds
        account.described(date)
        live.describe_service()
        assert live.now() == pytest.approx(expected)
    assert live.clock() == 103.5


def test_errors_tell_the_time_too(account):
    account["ecs"].add_client_error(
        "stop_task",
        "AccessDeniedException",
        response_meta={"HTTPHeaders": {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}},
    )
    live = account.live()
    with pytest.raises(CallFailed):
        live.stop_task("1", "reason")
    assert live.now() == 1795341600.0


def test_dates_of_other_services_are_left_alone(account):
    account["elbv2"].add_response(
        "describe_target_health",
        {
            "TargetHealthDescriptions": [],
            "ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}},
        },
    )
    live = account.live()
    assert live.target_states(GROUP).states == {}
    assert live.now() == 5.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("arn:aws:ecs:us-east-1:111122223333:service/prod/web", "region us-east-1"),
        ("arn:aws:ecs:eu-central-1:999999999999:service/prod/web", "account 999999999999"),
    ],
)
def test_a_service_of_the_same_name_elsewhere_is_not_the_one(account, name, words):
    if "account" in words:
        account.described()
    with pytest.raises(Refused) as refused:
        account.live(name=name).describe_service()
    assert words in str(refused.value)


def test_lists_have_pages_and_no_task_twice(account):
    asked = {"cluster": "prod", "serviceName": "web", "desiredStatus": "RUNNING"}
    account["ecs"].add_response("list_tasks", {"taskArns": ["1", "2"], "nextToken": "b"}, asked)
    account["ecs"].add_response("list_tasks", {"taskArns": ["2", "3"], "nextToken": "c"}, {**asked, "nextToken": "b"})
    account["ecs"].add_response("list_tasks", {"taskArns": ["4"]}, {**asked, "nextToken": "c"})
    live = account.live()
    assert live.list_tasks() == ["1", "2", "3", "4"]
    assert live.calls == {"ListTasks": 3}


def test_tasks_are_described_by_the_hundred(account):
    account.described()
    arns = [str(number) for number in range(250)]
    for some in (arns[:100], arns[100:200], arns[200:]):
        account["ecs"].add_response(
            "describe_tasks", {"tasks": [task(taskArn=arn) for arn in some]}, {"cluster": "prod", "tasks": some}
        )
    live = account.live()
    live.describe_service()
    assert [found.arn for found in live.describe_tasks(iter(arns))] == arns
    assert live.describe_tasks([]) == []
    assert live.calls == {"DescribeServices": 1, "DescribeTasks": 3}


def test_instances_are_looked_up_once(account):
    said = task(
        containerInstanceArn=INSTANCE,
        containers=[{"name": "web", "networkBindings": [{"containerPort": 80, "hostPort": 32768}]}],
    )
    account.described(loadBalancers=[{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}])
    account["ecs"].add_response("describe_tasks", {"tasks": [said]})
    account["ecs"].add_response(
        "describe_container_instances",
        {"containerInstances": [{"containerInstanceArn": INSTANCE, "ec2InstanceId": "i-1"}]},
        {"cluster": "prod", "containerInstances": [INSTANCE]},
    )
    account["ecs"].add_response("describe_tasks", {"tasks": [said]})
    live = account.live()
    for _time in range(2):
        [found] = live.describe_tasks([said["taskArn"]])
        assert found.targets == {GROUP: ("i-1:32768",)}
    assert live.calls == {"DescribeServices": 1, "DescribeTasks": 2, "DescribeContainerInstances": 1}


@pytest.mark.parametrize(
    ("in_use", "expected"),
    [
        ([GROUP], GROUP),
        ([GROUP_2], GROUP_2),
        ([], GROUP),
        ([GROUP, GROUP_2], GROUP),
    ],
)
def test_blue_green_services_change_target_groups(account, in_use, expected):
    pair = {
        "targetGroupArn": GROUP,
        "containerName": "web",
        "containerPort": 80,
        "advancedConfiguration": {"alternateTargetGroupArn": GROUP_2},
    }
    account.described(loadBalancers=[pair], currentServiceRevisions=[{"arn": "revision"}])
    account["ecs"].add_response(
        "describe_service_revisions",
        {
            "serviceRevisions": [
                {"resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": arn} for arn in in_use]}}
            ]
        },
        {"serviceRevisionArns": ["revision"]},
    )
    account.described(loadBalancers=[pair], currentServiceRevisions=[{"arn": "revision"}])
    live = account.live()
    for _time in range(2):
        assert live.describe_service().target_groups == (expected,)
    assert live.calls == {"DescribeServices": 2, "DescribeServiceRevisions": 1}


def test_who_only_lists_tasks_does_not_ask_which_target_group_is_in_use(account):
    pair = {"targetGroupArn": GROUP, "advancedConfiguration": {"alternateTargetGroupArn": GROUP_2}}
    account.described(loadBalancers=[pair], currentServiceRevisions=[{"arn": "revision"}])
    account["ecs"].add_response("describe_tasks", {"tasks": [task(containerInstanceArn=INSTANCE)]})
    plain = PlainService(Line(account), "prod", "web")
    assert plain.describe_service().name == "web"
    assert len(plain.describe_tasks(["1"])) == 1
    assert plain.calls == {"DescribeServices": 1, "DescribeTasks": 1}


def test_target_groups_without_an_alternate_cost_no_call(account):
    one = {"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}
    account.described(loadBalancers=[one], currentServiceRevisions=[{"arn": "revision"}])
    assert account.live().describe_service().target_groups == (GROUP,)


@pytest.mark.parametrize(
    ("provider", "grows"),
    [
        # Source: API model, CapacityProvider.
        ({"autoScalingGroupProvider": {"autoScalingGroupArn": "a", "managedScaling": {"status": "ENABLED"}}}, True),
        ({"autoScalingGroupProvider": {"autoScalingGroupArn": "a", "managedScaling": {"status": "DISABLED"}}}, False),
        ({"autoScalingGroupProvider": {"autoScalingGroupArn": "a"}}, False),
        ({"type": "MANAGED_INSTANCES"}, True),
        ({"type": "EC2_AUTOSCALING"}, False),
        ({}, False),
    ],
)
def test_capacity_providers_that_grow_on_demand(account, provider, grows):
    live = account.live()
    wanted = {"capacityProviders": ["ours"], "cluster": "prod"}
    account["ecs"].add_response("describe_capacity_providers", {"capacityProviders": [provider]}, wanted)
    assert live.grows_on_demand(("ours",)) == grows


def test_protection_that_has_run_out_is_none(account):
    account.described("Sun, 22 Nov 2026 10:00:00 GMT")
    arns = [str(number) for number in range(101)]
    account["ecs"].add_response(
        "get_task_protection",
        {
            "protectedTasks": [
                {"taskArn": "1", "protectionEnabled": True, "expirationDate": at(1795341599)},
                {"taskArn": "2", "protectionEnabled": True, "expirationDate": at(1795341660)},
            ]
        },
        {"cluster": "prod", "tasks": arns[:100]},
    )
    account["ecs"].add_response(
        "get_task_protection",
        {"protectedTasks": [{"taskArn": "100", "protectionEnabled": True}]},
        {"cluster": "prod", "tasks": ["100"]},
    )
    live = account.live()
    live.describe_service()
    assert live.protected_until(arns) == {"2": 1795341660, "100": float("inf")}


def test_who_is_protected(account):
    account.described("Sun, 22 Nov 2026 10:00:00 GMT")
    soon = {"taskArn": "1", "protectionEnabled": True, "expirationDate": at(1795341660)}
    account["ecs"].add_response(
        "get_task_protection", {"protectedTasks": [soon]}, {"cluster": "prod", "tasks": ["1", "2"]}
    )
    live = account.live()
    live.describe_service()
    assert set(live.protected_until(["1", "2"])) == {"1"}


def test_a_protection_ends_at_the_minute_nearest_to_what_was_asked_for(account):
    account.described("Sun, 22 Nov 2026 10:00:00 GMT")
    account["ecs"].add_response(
        "update_task_protection",
        {"protectedTasks": [{"taskArn": "1", "protectionEnabled": True}]},
        {"cluster": "prod", "tasks": ["1"], "protectionEnabled": True, "expiresInMinutes": 61},
    )
    live = account.live()
    live.describe_service()
    assert live.protect(["1"], live.now() + 3640) == {"1"}


def test_a_revision_is_looked_at_once(account):
    account["ecs"].add_response("describe_task_definition", {"taskDefinition": {"containerDefinitions": []}})
    live = account.live()
    assert [live.has_health_check("web:7"), live.has_health_check("web:7")] == [False, False]
    assert live.calls == {"DescribeTaskDefinition": 1}


def test_changes(account):
    account["application-autoscaling"].add_response("describe_scalable_targets", {"ScalableTargets": []})
    account["application-autoscaling"].add_response("register_scalable_target", {}, ANY_TARGET)
    account["ecs"].add_response("update_service", {}, {"cluster": "prod", "service": "web", "desiredCount": 4})
    account["ecs"].add_response("stop_task", {}, {"cluster": "prod", "task": "1", "reason": "why"})
    account.described()  # a tag is written to an ARN, so the ARN must be known
    arn = f"{ECS}:service/prod/web"
    account["ecs"].add_response("tag_resource", {}, {"resourceArn": arn, "tags": [{"key": "a", "value": "1"}]})
    account["ecs"].add_response("untag_resource", {}, {"resourceArn": arn, "tagKeys": ["a"]})
    live = account.live()
    assert live.scaling() is None
    live.suspend(Scaling(dynamic_in=True))
    live.set_desired(4)
    assert live.stop_task("1", "why") is True
    live.tag({"a": "1"})
    live.untag(["a"])


def test_a_missing_service_has_no_tags(account):
    account["ecs"].add_response("describe_services", {"services": [], "failures": [{"reason": "MISSING"}]})
    with pytest.raises(Refused, match="has no service web"):
        account.live().tag({"a": "1"})


IMAGE = RegistryImage("111122223333", "eu-central-1", "team/web", tag="latest")
DIGEST = f"sha256:{'a' * 64}"


def revision(account, **container):
    account["ecs"].add_response("describe_task_definition", {"taskDefinition": {"containerDefinitions": [container]}})


def test_images(account):
    revision(account, name="web", image="web:1")
    account["ecr"].add_response("describe_images", {"imageDetails": [{"imageDigest": DIGEST}]})
    live = account.live()
    assert live.fixed_images("web:7") == {"web:1"}
    assert live.find_image(IMAGE) == FoundImage(DIGEST)
    with pytest.raises(CallFailed, match="team/web lies in us-east-1"):
        live.find_image(replace(IMAGE, region="us-east-1"))


SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-Ab12Cd"
FILE = "arn:aws:s3:::settings/web/app.env"


def secret(answer):
    return ("secretsmanager.describe_secret", {"SecretId": SECRET}, answer)


@pytest.mark.parametrize(
    ("container", "calls", "changed_at"),
    [
        ({"secrets": [{"name": "a", "valueFrom": SECRET}]}, [secret({"LastChangedDate": at(5)})], 5.0),
        ({"secrets": [{"name": "a", "valueFrom": SECRET}]}, [secret({"CreatedDate": at(4)})], 4.0),
        (
            {"environmentFiles": [{"value": FILE, "type": "s3"}]},
            [("s3.head_object", {"Bucket": "settings", "Key": "web/app.env"}, {"LastModified": at(6)})],
            6.0,
        ),
        (
            {"secrets": [{"name": "a", "valueFrom": SECRET}, {"name": "b", "valueFrom": "key"}]},
            [
                secret({"LastChangedDate": at(5)}),
                ("ssm.describe_parameters", None, {"Parameters": [{"Name": "key", "LastModifiedDate": at(9)}]}),
            ],
            9.0,
        ),
    ],
)
def test_when_secrets_were_changed_last(account, container, calls, changed_at):
    revision(account, name="web", image="web:1", **container)
    account.expect(*calls)
    assert account.live().secrets_changed_at("web:7") == changed_at


@pytest.mark.parametrize(
    ("container", "calls", "words"),
    [
        ({}, [], "names no secret, no parameter and no environment file"),
        (
            {"secrets": [{"name": "a", "valueFrom": SECRET.replace("eu-central-1", "us-east-1")}]},
            [],
            "is in us-east-1, but the module can only check the region of the service, eu-central-1",
        ),
        (
            {"secrets": [{"name": "a", "valueFrom": "key"}]},
            [("ssm.describe_parameters", None, {"Parameters": []})],
            "names the parameter key, which Systems Manager does not have",
        ),
    ],
)
def test_secrets_that_tell_nothing(account, container, calls, words):
    revision(account, name="web", image="web:1", **container)
    account.expect(*calls)
    with pytest.raises(Refused, match=words):
        account.live().secrets_changed_at("web:7")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, r"names the environment file s3://settings/web/app.env, which S3 does not have\. Create the file, or"),
        (403, r"app.env, which S3 hides or does not have\. Allow s3:GetObject on it, or"),
    ],
)
def test_an_environment_file_that_cannot_be_seen(account, status, words):
    """An answer to HEAD has no body, so its status takes the place of the error code."""
    revision(account, name="web", image="web:1", environmentFiles=[{"value": FILE, "type": "s3"}])
    account["s3"].add_client_error("head_object", str(status), http_status_code=status)
    with pytest.raises(Refused, match=words):
        account.live().secrets_changed_at("web:7")


def test_alarms_are_asked_for_by_the_hundred(account):
    names = [f"alarm-{number}" for number in range(101)]
    for some, answer in (
        (names[:100], {"MetricAlarms": [{"AlarmName": "alarm-0", "StateValue": "OK"}]}),
        (names[100:], {"CompositeAlarms": [{"AlarmName": "alarm-100", "StateValue": "ALARM"}]}),
    ):
        asked = {"AlarmNames": some, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}
        account["cloudwatch"].add_response("describe_alarms", answer, asked)
    assert account.live().alarms(names) == {"alarm-0": "OK", "alarm-100": "ALARM"}


def test_a_protection_is_ended(account):
    asked = {"cluster": "prod", "tasks": ["1"], "protectionEnabled": False}
    account["ecs"].add_response("update_task_protection", {"protectedTasks": []}, asked)
    account.live().unprotect(["1"])


LATTICE = "arn:aws:vpc-lattice:eu-central-1:111122223333:targetgroup/tg-0123456789abcdef0"


def test_ipv6_targets_of_a_task_with_two_addresses(account):
    details = [{"name": "privateIPv4Address", "value": "10.0.1.7"}, {"name": "ipv6Address", "value": "2001:db8::7"}]
    said = task(attachments=[{"type": "ElasticNetworkInterface", "details": details}])
    account.described(loadBalancers=[{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}])
    account["ecs"].add_response("describe_tasks", {"tasks": [said]})
    account["elbv2"].add_response(
        "describe_target_health",
        {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address, "Port": 80}, "TargetHealth": {"State": "healthy"}}
                for address in ("2001:DB8:0::7", "2001:db8::8")
            ]
        },
    )
    live = account.live()
    [found] = live.describe_tasks([said["taskArn"]])
    assert found.targets == {GROUP: ("10.0.1.7:80",)}
    assert live.target_states(GROUP).states == {"10.0.1.7:80": "healthy", "2001:db8::8:80": "healthy"}


def test_the_port_of_vpc_lattice_has_a_name(account):
    details = [{"name": "privateIPv4Address", "value": "10.0.1.7"}]
    said = task(
        attachments=[{"type": "ElasticNetworkInterface", "details": details}],
        taskDefinitionArn=f"{ECS}:task-definition/web:7",
    )
    lattice = {"targetGroupArn": LATTICE, "portName": "http", "roleArn": "arn:aws:iam::111122223333:role/x"}
    account.described(deployments=[{"status": "PRIMARY", "vpcLatticeConfigurations": [lattice]}])
    container = {"name": "web", "portMappings": [{"name": "http", "containerPort": 8080}]}
    for _time in range(2):
        account["ecs"].add_response("describe_tasks", {"tasks": [said]})
        if not _time:
            account["ecs"].add_response(
                "describe_task_definition", {"taskDefinition": {"containerDefinitions": [container]}}
            )
    items = [{"id": "10.0.1.7", "port": 8080, "status": "INITIAL", "reasonCode": "TargetRegistrationInProgress"}]
    account["vpc-lattice"].add_response("list_targets", {"items": items})
    live = account.live()
    for _time in range(2):
        [found] = live.describe_tasks([said["taskArn"]])
        assert found.targets == {LATTICE: ("10.0.1.7:8080",)}
    seen = live.target_states(LATTICE)
    assert seen.states == {"10.0.1.7:8080": "initial"}
    assert seen.reasons == {"10.0.1.7:8080": "TargetRegistrationInProgress"}


def test_instances_of_a_classic_load_balancer(account):
    account["elb"].add_response(
        "describe_instance_health",
        {"InstanceStates": [{"InstanceId": "i-1", "State": "InService"}]},
        {"LoadBalancerName": "old"},
    )
    assert account.live().target_states("old").states == {"i-1": "healthy"}


REVISION = f"{ECS}:service-revision/prod/web/1"
UNTOLD_WORDS = "does not name the target group of this Express service"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param({"serviceRevisions": [{}]}, "Untold", UNTOLD_WORDS, id="ECS does not tell"),
        pytest.param(None, "AccessDeniedException", "Allow ecs:DescribeServiceRevisions", id="a permission is missing"),
    ],
)
def test_an_express_service_whose_target_group_is_not_told(account, answer, code, words):
    for _time in range(2):
        account.described(resourceManagementType="ECS", currentServiceRevisions=[{"arn": REVISION}])
        if _time:
            continue
        if answer:
            account["ecs"].add_response("describe_service_revisions", answer)
        else:
            account["ecs"].add_client_error("describe_service_revisions", "AccessDeniedException", "No")
    live = account.live()
    for _time in range(2):
        assert live.describe_service().target_groups == (REVISION,)
    with pytest.raises(CallFailed, match=words) as failed:
        live.target_states(REVISION)
    assert failed.value.code == code
    assert live.calls == {"DescribeServices": 2, "DescribeServiceRevisions": 1}


def test_without_the_permission_a_service_has_the_load_balancers_that_it_shows(account):
    account.described(currentServiceRevisions=[{"arn": REVISION}])
    account["ecs"].add_client_error("describe_service_revisions", "AccessDeniedException", "No")
    assert account.live().describe_service().target_groups == ()
