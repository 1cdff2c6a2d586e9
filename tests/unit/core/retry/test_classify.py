# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What passes by itself."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.classify import of_error, of_refusal, of_start

from tests.unit.core.retry.samples import CAPACITY


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (CAPACITY, "transient"),
        ("AGENT", "transient"),
        ("RESOURCE:CPU", "transient"),
        ("RESOURCE:MEMORY", "transient"),
        ("RESOURCE:ENI", "transient"),
        ("RESOURCE:FARGATE", "transient"),
        ("RESOURCE:GPU", "transient"),
        ("You've reached the limit on the number of tasks you can run concurrently", "quota"),
        ("You've reached the limit on the number of vCPUs you can run concurrently", "quota"),
        ("ATTRIBUTE", "permanent"),
        ("LOCATION", "permanent"),
        ("MISSING", "permanent"),
        ("INACTIVE", "permanent"),
        ("MemberOf placement constraint unsatisfied.", "permanent"),
        ("AGENTLESS", "permanent"),
        ("something new", "permanent"),
        ("", "permanent"),
    ],
)
def test_a_refusal(reason, expected):
    assert of_refusal(reason) == expected


@pytest.mark.parametrize(
    ("code", "message", "status", "expected"),
    [
        ("ThrottlingException", "Rate exceeded", 400, "transient"),
        ("Throttling", "", 0, "transient"),
        ("ClientException", "Rate exceeded", 400, "transient"),
        ("ServerException", "Service Unavailable", 0, "transient"),
        ("Server.InternalFailure", "", 0, "transient"),
        ("Odd", "", 503, "transient"),
        ("ReadTimeoutError", "", 0, "transient"),
        ("EndpointConnectionError", "", 0, "transient"),
        ("ClientException", "You've reached the limit on the number of tasks you can run concurrently", 400, "quota"),
        ("AccessDenied", "", 0, "permanent"),
        ("AccessDeniedException", "", 400, "permanent"),
        ("ClusterNotFoundException", "Cluster not found.", 400, "permanent"),
        ("InvalidParameterException", "", 400, "permanent"),
        ("ClientException", "TaskDefinition is inactive", 400, "permanent"),
        ("PlatformUnknownException", "", 400, "permanent"),
        ("BlockedException", "", 400, "permanent"),
        ("ParamValidationError", "", 0, "permanent"),
    ],
)
def test_an_error(code, message, status, expected):
    assert of_error(code, message, status) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Timeout waiting for network interface provisioning to complete.", "transient"),
        ("Timeout waiting for EphemeralStorage provisioning to complete.", "transient"),
        ("CannotPullContainerError: pull image manifest has been retried 5 time(s): i/o timeout", "transient"),
        ("CannotPullContainerError: 429 Too Many Requests - toomanyrequests", "transient"),
        ("ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin", "transient"),
        ("Unexpected EC2 error while attempting to Create Network Interface with AuthFailure", "transient"),
        ("Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddresses", "permanent"),
        ("CannotPullContainerError: manifest for web:9 not found", "permanent"),
        ("CannotPullContainerError: 403 Forbidden after i/o timeout", "permanent"),
        ("ResourceInitializationError: unable to pull secrets: AccessDeniedException", "permanent"),
        ("CannotStartContainerError: exec format error", "permanent"),
        ("", "permanent"),
    ],
)
def test_a_task_that_was_not_started(reason, expected):
    assert of_start(reason) == expected
