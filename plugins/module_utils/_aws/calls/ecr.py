# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon ECR: each function makes one call and may raise ``CallFailed``."""

from __future__ import annotations

from typing import Any

from ..._amazon import aws_call
from ..._core.recycle.model import FoundImage, RegistryImage

_LISTS = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


@aws_call("ecr:DescribeImages", expected="(Image|Repository)NotFoundException")
def find_image(ecr: Any, image: RegistryImage) -> FoundImage | None:
    """Return the image, or None if the repository or the image does not exist."""
    wanted = {"imageTag": image.tag} if image.tag else {"imageDigest": image.digest}
    answer = ecr.describe_images(registryId=image.account, repositoryName=image.repository, imageIds=[wanted])
    for found in answer["imageDetails"]:
        return FoundImage(found["imageDigest"], found.get("imageManifestMediaType") in _LISTS)
    return None
