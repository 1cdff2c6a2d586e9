# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Warn about images that recycling cannot update: new tasks run the digest that ECS fixed at the deployment."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from ..errors import CallFailed
from .model import RegistryImage, Task
from .world import World

_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
    r"/(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def parse_image(reference: str) -> RegistryImage | None:
    """Parse the image name of a container definition. Return None if the image is not in Amazon ECR."""
    match = _ECR.fullmatch(reference)
    if not match:
        return None
    tag = None if match["digest"] else match["tag"] or "latest"
    return RegistryImage(match["account"], match["region"], match["repository"], tag, match["digest"])


def find_warnings(world: World, revision: str, tasks: Iterable[Task]) -> list[str]:
    """Return warnings about the images that the revision's tasks run. A failed call ends the search silently."""
    run = sorted({pair for task in tasks if task.revision == revision for pair in task.images})
    known = [(reference, image, digest) for reference, digest in run if (image := parse_image(reference))]
    found: list[str] = []
    try:
        fixed: Collection[str] = world.fixed_images(revision) if known else ()
        for reference, image, digest in known:
            if reference in fixed:
                found.extend(_warnings_of(world, reference, image, digest))
    except CallFailed:  # a warning is not worth a failure, and must not require a permission
        pass
    return found


def _warnings_of(world: World, reference: str, image: RegistryImage, digest: str) -> Iterable[str]:
    tagged = world.find_image(image) if image.tag else None
    if tagged and tagged.digest == digest:
        return
    if world.find_image(replace(image, tag=None, digest=digest)) is None:
        yield (
            f"the image {reference} that the tasks run ({digest}) is no longer in its registry. New tasks cannot pull"
            " it, and no task is stopped if the first of them fails. Push it again, or deploy the service again"
        )
    elif tagged and not tagged.for_several:
        yield (
            f"the image {reference} was moved to another digest ({tagged.digest}). New tasks run the digest of the"
            f" last deployment ({digest}). Only a deployment picks up the new one"
        )
