# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module begins and ends."""

from __future__ import annotations

from functools import partial

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._module import Outcome, run

from tests.unit.module.arguments import ended

ARGUMENTS = {"service": {"required": True}, "cluster": {"default": "default"}}
ABOUT = "service {service} of cluster {cluster}"
GIVEN = {"service": "web", "region": "eu-central-1", "secret_key": "s3cr3t", "access_key": "A"}


@pytest.fixture
def returned(capsys):
    def of(work, rules=None, **arguments):
        return ended(partial(run, ARGUMENTS, work, ABOUT, **(rules or {})), capsys, **{**GIVEN, **arguments})

    return of


def raising(error):
    def work(_module, _check_mode):
        raise error

    return work


def test_results(returned):
    result = returned(lambda _module, _check_mode: Outcome(changed=True, results={"recycle": {"status": "recycled"}}))
    assert (result["changed"], result["recycle"]) == (True, {"status": "recycled"})
    assert "diff" not in result
    assert "failed" not in result


@pytest.mark.parametrize("asked", [True, False])
def test_check_mode_is_passed_on(returned, asked):
    result = returned(lambda _module, check_mode: Outcome(results={"check": check_mode}), _ansible_check_mode=asked)
    assert result["check"] is asked


def test_options_are_those_of_the_module_and_of_the_connection(returned):
    result = returned(lambda module, _check_mode: Outcome(results={"got": [module.params["cluster"], module.region]}))
    assert result["got"] == ["default", "eu-central-1"]


def test_rules(returned):
    result = returned(lambda _module, _check_mode: Outcome(), {"mutually_exclusive": [("service", "region")]})
    assert "mutually exclusive" in result["msg"]


def test_diff(returned):
    result = returned(lambda _module, _check_mode: Outcome(changed=True, before={"stale": 2}, after={"stale": 0}))
    assert result["diff"] == {"before": {"stale": 2}, "after": {"stale": 0}}


@pytest.mark.parametrize("error", [Refused("Do this."), Failed("Do this.")])
def test_failures(returned, error):
    result = returned(raising(error), _ansible_verbosity=3)
    assert (result["failed"], result["changed"], result["msg"]) == (True, False, "Do this.")
    assert "exception" not in result


@pytest.mark.parametrize(("region", "where"), [("eu-central-1", " in eu-central-1"), (None, "")])
def test_failed_calls(returned, monkeypatch, region, where):
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    result = returned(raising(CallFailed("StopTask", "ServerException", "Oops", "passing")), region=region)
    assert result["msg"] == (f"service web of cluster default{where}: StopTask failed with ServerException: Oops")


def test_warnings(returned):
    result = returned(lambda _module, _check_mode: Outcome(warnings=["Mind this."]))
    assert "Mind this." in str(result["warnings"])
    assert len(result["warnings"]) == 1


def test_what_was_done_is_told_of_a_failure_too(returned):
    result = returned(
        lambda _module, _check_mode: Outcome(
            changed=True, results={"recycle": {"status": "failed"}}, failure=Failed("The canary died.")
        )
    )
    assert (result["failed"], result["changed"], result["msg"]) == (True, True, "The canary died.")
    assert result["recycle"] == {"status": "failed"}


def test_secrets_are_struck_out(returned):
    assert "s3cr3t" not in str(returned(raising(Failed("The key s3cr3t is no good."))))


def test_no_region(returned, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    result = returned(lambda module, _check_mode: module.client("ecs"), region=None)
    assert "Give region" in result["msg"]
