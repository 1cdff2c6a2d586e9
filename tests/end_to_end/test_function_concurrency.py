# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_function_concurrency on the sandbox."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.end_to_end.aws import aws_client


@pytest.fixture
def functions(sandbox):
    iam, client = (aws_client(sandbox, name) for name in ("iam", "lambda"))
    role = iam.create_role(RoleName="retry", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    client.create_function(
        FunctionName="retry", Runtime="python3.13", Role=role, Handler="handler.x", Code={"ZipFile": content.getvalue()}
    )
    return client


@pytest.fixture
def concurrency(sandbox, functions, start):
    """Runs the module, and returns its result and how many writes it made."""

    def run(**options):
        seen = sandbox.state()["calls"]
        given = {"function_name": "retry", "reserved_concurrent_executions": 5, **options}
        result = start("lambda_function_concurrency", diff=True, **given).result()
        return result, sum(call["write"] for call in sandbox.journal(since=seen)["calls"])

    return run


def test_it_is_set_apart_kept_and_given_back(concurrency, functions):
    for options, count in (({}, 5), ({"reserved_concurrent_executions": 2}, 2), ({"state": "absent"}, None)):
        planned, none = concurrency(check=True, **options)
        done, one = concurrency(**options)
        assert (none, one) == (0, 1)
        assert (planned["diff"], planned["concurrency"]) == (done["diff"], done["concurrency"])
        assert functions.get_function_concurrency(FunctionName="retry").get("ReservedConcurrentExecutions") == count
        again, writes = concurrency(**options)
        assert (again["changed"], writes) == (False, 0)


def test_what_cannot_be_is_told(concurrency, sandbox):
    assert "The function nothing does not exist" in concurrency(function_name="nothing")[0]["msg"]
    assert concurrency(function_name="nothing", state="absent")[0]["changed"] is False
    assert "is required" in concurrency(reserved_concurrent_executions=None)[0]["msg"]
    words = (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    )
    sandbox.fault("error", operations=["PUT *"], code="InvalidParameterValueException", message=words, status=400)
    result, _writes = concurrency()
    assert "Reserve fewer or none" in result["msg"]
    assert result["changed"] is False
