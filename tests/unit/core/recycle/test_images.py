# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References to images, and the warning if their registry contains another image now."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.images import find_warnings, parse_image
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import FoundImage, RegistryImage

from tests.unit.core.recycle.samples import task

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
LATEST = f"{HOST}/team/web:latest"
REVISION = task(0).revision


def image(**parts):
    return RegistryImage("123456789012", "eu-central-1", "team/web", **parts)


@pytest.mark.parametrize(
    ("reference", "parsed"),
    [
        (LATEST, image(tag="latest")),
        (f"{HOST}/team/web", image(tag="latest")),
        (f"{HOST}/team/web:1.2_3-x", image(tag="1.2_3-x")),
        (f"{HOST}/team/web@{OLD}", image(digest=OLD)),
        (f"{HOST}/team/web:1@{OLD}", image(digest=OLD)),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/web:1",
            RegistryImage("123456789012", "cn-north-1", "web", tag="1"),
        ),
        (
            "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/web",
            RegistryImage("123456789012", "us-east-1", "web", tag="latest"),
        ),
        ("public.ecr.aws/nginx/nginx:stable", None),
        ("nginx", None),
        ("ghcr.io/team/web:latest", None),
        (f"{HOST}.example.org/web", None),
    ],
)
def test_references(reference, parsed):
    assert parse_image(reference) == parsed


class Registry:
    """The part of a World that these tests need."""

    def __init__(self, fixed=(LATEST,), failure=None, **digests):
        self.fixed, self.failure, self.digests, self.asked = fixed, failure, digests, []

    def fixed_images(self, revision):
        return self.fixed

    def find_image(self, wanted):
        self.asked.append(wanted.tag or wanted.digest)
        if self.failure:
            raise self.failure
        if wanted.tag:
            return self.digests.get(wanted.tag)
        return FoundImage(wanted.digest) if wanted.digest in self.digests.get("there", ()) else None


def warnings(registry, reference=LATEST, digest=OLD, revision=REVISION):
    return find_warnings(registry, REVISION, [task(0, images=((reference, digest),), revision=revision)] * 3)


@pytest.mark.parametrize(
    ("registry", "words", "asked"),
    [
        pytest.param(Registry(latest=FoundImage(OLD)), None, ["latest"], id="as it was"),
        pytest.param(Registry(latest=FoundImage(NEW), there=(OLD, NEW)), "was moved", ["latest", OLD], id="moved"),
        pytest.param(
            Registry(latest=FoundImage(NEW), there=(NEW,)), "no longer in its registry", ["latest", OLD], id="gone"
        ),
        pytest.param(Registry(there=(OLD,)), None, ["latest", OLD], id="the tag is gone, which harms nobody"),
        pytest.param(Registry(), "no longer in its registry", ["latest", OLD], id="all of it is gone"),
        pytest.param(
            Registry(latest=FoundImage(NEW, for_several=True), there=(OLD,)), None, ["latest", OLD], id="architectures"
        ),
        pytest.param(Registry(fixed=(), latest=FoundImage(NEW)), None, [], id="version consistency is disabled"),
        pytest.param(
            Registry(failure=CallFailed("DescribeImages", "AccessDeniedException", "no")), None, ["latest"], id="denied"
        ),
    ],
)
def test_warnings(registry, words, asked):
    found = warnings(registry)
    assert len(found) == (words is not None)
    assert all(words in each and LATEST in each for each in found)
    assert registry.asked == asked


def test_other_registries_and_other_revisions_are_not_asked_for():
    registry = Registry(fixed=("nginx", LATEST))
    assert warnings(registry, reference="nginx") == []
    assert warnings(registry, revision="another") == []
    assert registry.asked == []
