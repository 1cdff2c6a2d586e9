# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in Amazon ECR, by tag and by digest."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import ecr
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import FoundImage, RegistryImage

from tests.unit.aws.clients import stubbed

DIGEST = f"sha256:{'a' * 64}"
BY_TAG = RegistryImage("111122223333", "eu-central-1", "team/web", tag="latest")
BY_DIGEST = RegistryImage("111122223333", "eu-central-1", "team/web", digest=DIGEST)
LIST = "application/vnd.oci.image.index.v1+json"


@pytest.mark.parametrize(
    ("image", "wanted"), [(BY_TAG, {"imageTag": "latest"}), (BY_DIGEST, {"imageDigest": DIGEST})], ids=["tag", "digest"]
)
@pytest.mark.parametrize(
    ("more", "found"),
    [({}, FoundImage(DIGEST)), ({"imageManifestMediaType": LIST}, FoundImage(DIGEST, for_several=True))],
    ids=["one", "several"],
)
def test_an_image(image, wanted, more, found):
    client, stub = stubbed("ecr")
    asked = {"registryId": "111122223333", "repositoryName": "team/web", "imageIds": [wanted]}
    stub.add_response("describe_images", {"imageDetails": [{"imageDigest": DIGEST, **more}]}, asked)
    assert ecr.find_image(client, image) == found


def test_an_answer_without_the_image():
    client, stub = stubbed("ecr")
    stub.add_response("describe_images", {"imageDetails": []})
    assert ecr.find_image(client, BY_TAG) is None


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_an_image_that_is_not_there(code):
    client, stub = stubbed("ecr")
    stub.add_client_error("describe_images", code, "no")
    assert ecr.find_image(client, BY_TAG) is None


def test_a_registry_that_may_not_be_asked():
    client, stub = stubbed("ecr")
    stub.add_client_error("describe_images", "AccessDeniedException", "no")
    with pytest.raises(CallFailed):
        ecr.find_image(client, BY_TAG)
