# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services make up a fleet, what they are called, and how fast they may be read."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.bucket import Bucket
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.hosts import (
    host_name,
    host_vars,
    refuse_same_names,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.patterns import Patterns, read_patterns
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.selection import Clusters, read_selection
from hypothesis import given
from hypothesis import strategies as st

HERE, THERE = "eu-central-1", "us-east-1"
ARN = f"arn:aws:ecs:{THERE}:111122223333:cluster/prod"
EVERYTHING = Patterns()


def options(**more):
    return {"regions": [], "clusters": [], "services": [], "tags": {}, "statuses": [], **more}


@pytest.mark.parametrize(
    ("written", "name", "matches"),
    [
        ([], "web", True),
        (["web"], "web", True),
        (["web"], "web-1", False),
        (["web"], "Web", False),
        (["web*"], "web-1", True),
        (["web-?"], "web-1", True),
        (["web-[12]"], "web-3", False),
        (["a", "b"], "b", True),
        (["!web"], "web", False),
        (["!web"], "api", True),
        (["web*", "!web-test"], "web-test", False),
        (["!web-test", "web*"], "web-test", False),
        (["web*", "!web-test"], "api", False),
    ],
)
def test_patterns(written, name, matches):
    assert read_patterns("services", written).match(name) is matches


@pytest.mark.parametrize("text", ["", "!", "!!", "a b", "web.prod", "prod/web", "~web", "arn:aws:ecs:x"])
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(Refused, match=r"services: .* pattern"):
        read_patterns("services", [text])


@pytest.mark.parametrize(
    ("region", "more", "expected"),
    [
        # The module must list all clusters, unless clusters are named in full.
        (HERE, {}, [Clusters(HERE, (), EVERYTHING)]),
        (HERE, {"clusters": ["prod"]}, [Clusters(HERE, ("prod",))]),
        (HERE, {"clusters": ["prod", "prod"]}, [Clusters(HERE, ("prod",))]),
        (HERE, {"clusters": ["prod", "test-*"]}, [Clusters(HERE, ("prod",), Patterns(("test-*",)))]),
        (HERE, {"clusters": ["!test"]}, [Clusters(HERE, (), Patterns((), ("test",)))]),
        (HERE, {"clusters": ["prod", "test", "!te*"]}, [Clusters(HERE, ("prod",))]),
        (HERE, {"clusters": ["prod", "!prod"]}, []),
        # With several regions, the module looks for a named cluster in each of them.
        (
            None,
            {"regions": [HERE, THERE], "clusters": ["prod"]},
            [Clusters(HERE, (), Patterns(("prod",))), Clusters(THERE, (), Patterns(("prod",)))],
        ),
        (HERE, {"regions": [THERE, THERE], "clusters": ["prod"]}, [Clusters(THERE, ("prod",))]),
        (HERE, {"regions": [THERE]}, [Clusters(THERE, (), EVERYTHING)]),
        # An ARN contains its region.
        (None, {"clusters": [ARN]}, [Clusters(THERE, (ARN,))]),
        (HERE, {"clusters": [ARN]}, [Clusters(THERE, (ARN,))]),
        (HERE, {"clusters": [ARN, "prod"]}, [Clusters(HERE, ("prod",)), Clusters(THERE, (ARN,))]),
        (HERE, {"clusters": [ARN, "!test"]}, [Clusters(THERE, (ARN,))]),
        (THERE, {"clusters": [ARN, "*"]}, [Clusters(THERE, (ARN,), Patterns(("*",)))]),
    ],
)
def test_where_clusters_are_looked_for(region, more, expected):
    assert list(read_selection(options(**more), region).clusters) == expected


@pytest.mark.parametrize(
    ("region", "more", "words"),
    [
        (None, {}, "No AWS region is known"),
        (None, {"clusters": ["prod"]}, "No AWS region is known"),
        (None, {"clusters": ["prod", ARN]}, "No AWS region is known"),
        (
            HERE,
            {"clusters": ["arn:aws:ecs:eu-west-1:111122223333:service/prod/web"]},
            "`clusters` must be the ARN of an ECS cluster",
        ),
        (
            HERE,
            {"clusters": ["arn:aws:sns:eu-west-1:111122223333:cluster/prod"]},
            "`clusters` must be the ARN of an ECS cluster",
        ),
        (HERE, {"clusters": ["prod web"]}, "clusters: 'prod web'"),
        (HERE, {"services": ["prod/web"]}, "services: 'prod/web'"),
        (HERE, {"tags": {"team": None}}, "tags: 'team' must be a value"),
        (HERE, {"tags": {"team": []}}, "tags: 'team' must be a value"),
        (HERE, {"tags": {"team": {"a": "b"}}}, "tags: 'team' must be a value"),
        (HERE, {"tags": {"team": [["a"]]}}, "tags: 'team' must be a value"),
    ],
)
def test_what_cannot_be_selected_is_refused(region, more, words):
    with pytest.raises(Refused, match=words):
        read_selection(options(**more), region)


@pytest.mark.parametrize(
    ("asked", "tags", "takes"),
    [
        ({}, {}, True),
        ({"team": "shop"}, {"team": "shop"}, True),
        ({"team": "shop"}, {"team": "pay"}, False),
        ({"team": "shop"}, {"Team": "shop"}, False),
        ({"team": "shop"}, {}, False),
        ({"team": "*"}, {"team": ""}, True),
        ({"team": "s*"}, {"team": "shop"}, True),
        ({"team": ["pay", "shop"]}, {"team": "shop"}, True),
        ({"team": "*", "stage": "live"}, {"team": "shop"}, False),
        ({"weight": 3}, {"weight": "3"}, True),
    ],
)
def test_tags(asked, tags, takes):
    assert read_selection(options(tags=asked), HERE).takes({"tags": tags, "status": "ACTIVE"}) is takes


@pytest.mark.parametrize(
    ("asked", "status", "takes"),
    [([], "INACTIVE", True), (["ACTIVE"], "ACTIVE", True), (["ACTIVE"], "DRAINING", False)],
)
def test_statuses(asked, status, takes):
    assert read_selection(options(statuses=asked), HERE).takes({"tags": {}, "status": status}) is takes


@pytest.mark.parametrize(
    ("clusters", "found", "expected"),
    [
        (["prod", "dev*"], {HERE: ["prod"], THERE: ["dev-1"]}, ([], [])),
        (["prod", "dev*"], {HERE: [], THERE: []}, (["prod"], ["dev*"])),
        (["prod"], {HERE: [], THERE: ["prod"]}, ([], [])),
        ([], {HERE: [], THERE: []}, ([], [])),
    ],
)
def test_what_was_not_found_anywhere_is_told(clusters, found, expected):
    selection = read_selection(options(regions=[HERE, THERE], clusters=clusters), None)
    assert selection.not_found(found) == expected


def facts(service="web", cluster="prod", region=HERE):
    arn = f"arn:aws:ecs:{region}:111122223333:service/{cluster}/{service}"
    return {"service": service, "cluster": cluster, "region": region, "service_arn": arn, "tags": {"a": "b"}}


NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)


@given(st.lists(st.builds(facts, NAMES, NAMES, st.sampled_from([HERE, THERE])), max_size=20))
def test_no_two_services_get_the_same_name(services):
    refuse_same_names((host_name(each, with_region=True), each) for each in services)


def test_names():
    assert host_name(facts(), with_region=False) == "web.prod"
    assert host_name(facts(), with_region=True) == "web.prod.eu-central-1"


def test_services_with_the_same_name_are_refused():
    with pytest.raises(Refused, match=r"prod/web and .*dev/web are both named 'web'"):
        refuse_same_names([("web", facts()), ("web", facts(cluster="dev"))])


def test_variables_have_one_prefix():
    variables = host_vars(facts())
    assert variables.pop("ansible_connection") == "local"
    assert variables == {f"ecs_{key}": value for key, value in facts().items()}


def test_a_bucket_grants_what_it_holds_and_then_its_rate():
    bucket = Bucket(rate=10, size=3, now=0)
    assert [round(bucket.take(0), 3) for _call in range(6)] == [0, 0, 0, 0.1, 0.2, 0.3]
    assert bucket.take(0.3) == pytest.approx(0.1)


def test_a_bucket_fills_up_to_its_size():
    bucket = Bucket(rate=10, size=3, now=0)
    for _call in range(3):
        bucket.take(0)
    assert [round(bucket.take(1000), 3) for _call in range(4)] == [0, 0, 0, 0.1]


def test_an_emptied_bucket_has_nothing_saved_up():
    bucket = Bucket(rate=10, size=50, now=0)
    bucket.empty(0)
    assert bucket.take(0) == pytest.approx(0.1)
    bucket.empty(0)
    assert bucket.take(0) == pytest.approx(0.2), "those who wait already are not forgotten"


@given(
    rate=st.floats(0.5, 100),
    size=st.floats(1, 100),
    pauses=st.lists(st.floats(0, 1), min_size=1, max_size=100),
)
def test_in_no_time_does_a_bucket_grant_more_than_its_size_and_rate(rate, size, pauses):
    bucket, now, granted = Bucket(rate, size, 0.0), 0.0, []
    for pause in pauses:
        now += pause
        granted.append(now + bucket.take(now))
    for first, begin in enumerate(granted):
        for last in range(first, len(granted)):
            assert last - first + 1 <= size + rate * (granted[last] - begin) + 1e-6 + 1
