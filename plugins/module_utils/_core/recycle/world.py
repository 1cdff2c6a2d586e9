# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The interface to AWS that the recycle needs. One method is one call (a page or a hundred tasks at a time).

Every method may raise ``CallFailed``. There are two implementations: ``_aws`` with boto3, and the
simulation with the sandbox's scheduler on a virtual clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from .model import FoundImage, RegistryImage, Scaling, Service, Targets, Task


class World(Protocol):
    """Reads and changes one service of one account."""

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls made so far, by operation."""

    def now(self) -> float:
        """Return AWS's time in epoch seconds, from the date of its answers. It is at most a second behind."""

    def clock(self) -> float:
        """Return the seconds of a clock that only goes forward, for measuring durations."""

    def describe_service(self) -> Service | None:
        """Return the service with its tags and events, or None if the cluster has no such service."""

    def list_tasks(self) -> list[str]:
        """Return the ARNs of all tasks of the service that ECS means to keep running, from every page."""

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        """Return the given tasks that still exist. One call asks for a hundred."""

    def has_health_check(self, revision: str) -> bool:
        """Return whether an essential container of this task definition has a health check that ECS runs."""

    def grows_on_demand(self, providers: Sequence[str]) -> bool:
        """Return whether one of these capacity providers adds capacity by itself when a task finds no place."""

    def target_states(self, group: str) -> Targets | None:
        """Return the health of every target of a member of ``Service.target_groups``, or None if it does not exist."""

    def protected_until(self, arns: Iterable[str]) -> Mapping[str, float]:
        """Return when scale-in protection ends, for the given tasks that have it now. One call asks for a hundred."""

    def fixed_images(self, revision: str) -> Collection[str]:
        """Return the images in a task definition that ECS pins to their digests when a service is deployed."""

    def find_image(self, image: RegistryImage) -> FoundImage | None:
        """Return an image in Amazon ECR, or None if it is not there."""

    def secrets_changed_at(self, revision: str) -> float:
        """Return when a secret, parameter or environment file that a task definition names was last changed.

        Raise ``Refused`` if it names none."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the state of the CloudWatch alarms that exist, by name: OK, ALARM or INSUFFICIENT_DATA."""

    def scaling(self) -> Scaling | None:
        """Return the switches of the service's scalable target, or None if it has no such target."""

    def suspend(self, scaling: Scaling) -> None:
        """Set all three switches of the scalable target, and nothing else."""

    def set_desired(self, count: int) -> None:
        """Set the desired count of the service, and nothing else."""

    def stop_task(self, arn: str, reason: str) -> bool:
        """Stop a task. Return False if ECS no longer knows it."""

    def protect(self, arns: Iterable[str], until: float) -> set[str]:
        """Protect at most ten tasks from scale-in until an instant, to the minute. Return those that are protected now,
        which excludes tasks that are gone or stopping.

        Raise ``CallFailed`` with the code DEPLOYMENT_BLOCKED if older protections block a deployment."""

    def unprotect(self, arns: Iterable[str]) -> None:
        """End the scale-in protection of those of the given tasks that still exist. At most ten can be given."""

    def tag(self, tags: Mapping[str, str]) -> None:
        """Write tags to the service."""

    def untag(self, keys: Iterable[str]) -> None:
        """Remove tags from the service."""

    def untag_task(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags from a task. A task that is gone is not an error."""
