# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change, tag_writes, wanted_tags
from hypothesis import given
from hypothesis import strategies as st

TAGS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1", "2"]))


@pytest.mark.parametrize(
    ("before", "after", "changed", "name"),
    [
        (None, None, False, False),
        (None, {"name": "a"}, True, True),
        ({"name": "a"}, None, True, True),
        ({"name": "a", "size": 1}, {"name": "a", "size": 1}, False, False),
        ({"name": "a", "size": 1}, {"name": "a", "size": 2}, True, False),
        ({"name": "a"}, {"name": "b"}, True, True),
    ],
)
def test_change(before, after, changed, name):
    change = Change(before, after)
    assert (change.changed, change.differs("name")) == (changed, name)


@given(current=TAGS, wanted=TAGS, purge=st.booleans())
def test_writing_tags_leads_to_the_wanted_ones(current, wanted, purge):
    after = wanted_tags(current, wanted, purge)
    to_set, to_remove = tag_writes(current, after)
    written = {key: value for key, value in {**current, **to_set}.items() if key not in to_remove}
    assert written == after
    assert wanted.items() <= after.items()
    assert purge or current.keys() <= after.keys()
    assert tag_writes(after, wanted_tags(after, wanted, purge)) == ({}, [])


def test_tags_that_are_not_given_stay():
    assert wanted_tags({"a": "1"}, None, purge=True) == {"a": "1"}
    assert wanted_tags({"a": "1"}, {}, purge=True) == {}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("arn:aws:sns:eu-central-1:123456789012:alerts", ("aws", "sns", "eu-central-1", "123456789012", "alerts")),
        ("arn:aws-cn:iam::123456789012:role/a/b", ("aws-cn", "iam", "", "123456789012", "role/a/b")),
        ("arn:aws:iam::aws:policy/X", ("aws", "iam", "", "aws", "policy/X")),
        ("arn:aws:s3:::bucket", ("aws", "s3", "", "", "bucket")),
        ("alerts", None),
        ("arn:aws:sns:eu-central-1:123:alerts", None),
        ("arn:aws:sns:eu-central-1:123456789012:", None),
    ],
)
def test_arns(text, parts):
    arn = parse_arn(text)
    assert (arn and (arn.partition, arn.service, arn.region, arn.account, arn.resource)) == parts
    assert arn is None or str(arn) == text
