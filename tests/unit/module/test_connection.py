# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module class: one session, and every connection option of amazon.aws at work."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import boto3
import botocore
import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.module_utils import _amazon
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from botocore.loaders import Loader

from tests.unit.module.arguments import given

KEYS_AND_REGIONS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")
KEYS = {"access_key": "AKIATEST", "secret_key": "secret", "session_token": "token"}


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """Remove all credentials and regions except those that a test sets."""
    for name in (*KEYS_AND_REGIONS, "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def module(**arguments):
    with given(**arguments):
        return _amazon.AwsModule(argument_spec={})


def test_one_session_one_client_for_each_service():
    made = module(region="eu-west-1", **KEYS)
    ecs, elbv2 = made.client("ecs"), made.client("elbv2")
    assert made.client("ecs") is ecs
    assert ecs._loader is elbv2._loader, "what botocore reads from disk is read once"


@pytest.mark.parametrize("library", [boto3, botocore])
def test_an_sdk_that_is_too_old_is_refused(library, monkeypatch, capsys):
    monkeypatch.setattr(library, "__version__", "1.41.0")
    with pytest.raises(SystemExit):
        module(region="eu-west-1")
    assert "but 1.41.1 or newer is required" in json.loads(capsys.readouterr().out)["msg"]


def test_every_service_of_botocore_is_found_and_no_other():
    made = module(region="eu-west-1")
    known = Loader(include_default_search_paths=True).list_available_services("service-2")
    assert set(known) <= set(made.client("ecs")._loader.list_available_services(type_name="service-2"))
    with pytest.raises(Refused, match="nothing"):
        made.client("nothing")


def test_garbage_is_collected_after_the_import():
    assert gc.isenabled()


def test_the_options_arrive():
    client = module(region="eu-west-1", endpoint_url="http://127.0.0.1:1", **KEYS).client("ecs")
    credentials = client._request_signer._credentials.get_frozen_credentials()
    assert tuple(credentials)[:3] == ("AKIATEST", "secret", "token")
    assert (client.meta.region_name, client.meta.endpoint_url) == ("eu-west-1", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"validate_certs": False}, False),
        ({"aws_ca_bundle": "/ca.pem"}, "/ca.pem"),
        ({"aws_ca_bundle": "/ca.pem", "validate_certs": False}, False),
    ],
)
def test_certificates(options, expected):
    client = module(region="eu-west-1", **options).client("ecs")
    assert client._endpoint.http_session._verify == expected


def test_a_profile(tmp_path, monkeypatch):
    (tmp_path / "config").write_text(
        "[profile ours]\nregion = eu-north-1\naws_access_key_id = A\naws_secret_access_key = B\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    made = module(profile="ours")
    client = made.client("ecs")
    assert client._request_signer._credentials.access_key == "A"
    assert (client.meta.region_name, made.region) == ("eu-north-1", "eu-north-1")


def test_what_is_set_for_every_connection():
    config = module(region="eu-west-1").client("ecs").meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 15)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert f" steadyops.ecs/{_amazon.VERSION}" in config.user_agent


def test_what_botocore_connects_to_by_itself_is_waited_for_no_longer():
    """For example, botocore assumes the role of a profile through a client that it creates from its session."""
    made = module(region="eu-west-1", aws_config={"read_timeout": 7})
    config = made._connection().func.__self__._session.get_default_client_config()
    assert (config.connect_timeout, config.read_timeout) == (5, 7)


def test_aws_config_wins():
    wanted = {"read_timeout": 60, "retries": {"max_attempts": 7}}
    config = module(region="eu-west-1", aws_config=wanted).client("ecs").meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 60)
    assert config.retries["total_max_attempts"] == 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Give region, set AWS_REGION"),
        ({"region": "eu-west-1", "profile": "nobody's"}, "The config profile (nobody's) could not be found"),
        ({"region": "eu-west-1", "endpoint_url": "nonsense"}, "Invalid endpoint: nonsense"),
        ({"region": "eu-west-1", "aws_config": {"typo": 1}}, "Check profile, region, endpoint_url"),
        ({"region": "eu_west 1"}, "Check profile, region"),
    ],
)
def test_refusals(options, words):
    with pytest.raises(Refused) as refused:
        module(**options).client("ecs")
    assert words in str(refused.value)


def test_the_version_is_that_of_the_collection():
    galaxy = yaml.safe_load((Path(__file__).parents[3] / "galaxy.yml").read_text())
    assert galaxy["version"] == _amazon.VERSION
