# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The warnings about images whose tag points to something else in the registry now."""

from __future__ import annotations

import json
import os

import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import warnings
from tests.end_to_end.witness import Witness


@pytest.fixture
def registry(sandbox):
    client = aws_client(sandbox, "ecr")
    client.create_repository(repositoryName="team/web")
    return client


def push(registry, content, tag="latest"):
    """Tag a new image, and return its digest."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "a", "size": 1, "digest": f"sha256:{content * 64}"},
        "layers": [{"mediaType": "a", "size": 1, "digest": f"sha256:{content * 64}"}],
    }
    answer = registry.put_image(repositoryName="team/web", imageManifest=json.dumps(manifest), imageTag=tag)
    return answer["image"]["imageId"]["imageDigest"]


@pytest.fixture
def service(sandbox, registry):
    """Create a service that was deployed with the image that the tag named then."""
    digest = push(registry, "a")
    push(registry, "a", tag="v1")  # moto forgets an image that has lost its last tag
    host = f"123456789012.dkr.ecr.{os.environ['AWS_REGION']}.amazonaws.com"
    container = {"name": "web", "image": f"{host}/team/web:latest", "imageDigest": digest}
    sandbox.service("web", tasks=2, containers=[container])
    return digest


def test_a_tag_that_is_where_it_was(recycle, service):
    result = recycle(max_task_age="1h")
    assert warnings(result) == []
    assert result["recycle"]["api_calls"]["DescribeImages"] == 1
    assert "DescribeImages" not in recycle(max_task_age="1h")["recycle"]["api_calls"], "nothing is stale"


def test_a_moved_tag(recycle, service, registry):
    moved = push(registry, "b")
    for check in (True, False):
        (said,) = warnings(recycle(max_task_age="1h", check=check))
        assert "Only a deployment picks up" in said
        assert service in said
        assert moved in said


def test_an_image_that_was_deleted(recycle, service, registry):
    registry.batch_delete_image(repositoryName="team/web", imageIds=[{"imageDigest": service}])
    (said,) = warnings(recycle(max_task_age="1h", check=True))
    assert "New tasks cannot pull it" in said


def test_nobody_asked(recycle, service, registry):
    push(registry, "b")
    result = recycle(max_task_age="1h", check_images=False)
    assert warnings(result) == []
    assert "DescribeImages" not in result["recycle"]["api_calls"]


def test_without_the_permission_nothing_is_said(sandbox, recycle, service, registry):
    push(registry, "b")
    sandbox.fault("access_denied", operations=["DescribeImages"])
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h")
    assert (warnings(result), result["recycle"]["status"]) == ([], "recycled")
    witness.replaced()
