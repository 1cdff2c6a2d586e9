# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What the recycle needs of AWS: one method, one call (a page or a hundred tasks at a time).

Every method may raise ``CallFailed``. Two things implement this: ``_aws`` with boto3, and the
simulation with the sandbox's scheduler on a virtual clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from .model import FoundImage, RegistryImage, Scaling, Service, Targets, Task


class World(Protocol):
    """One service of one account, to look at and to change."""

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls made so far, by operation."""

    def now(self) -> float:
        """AWS's clock, from the date of its answers: epoch seconds, at most a second behind."""

    def clock(self) -> float:
        """Seconds of a clock that only goes forward, for measuring how long things take."""

    def describe_service(self) -> Service | None:
        """The service with its tags and events; None when the cluster has no such service."""

    def list_tasks(self) -> list[str]:
        """ARNs of all tasks of the service that ECS means to keep running (every page)."""

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        """The tasks that still exist among those named; a hundred a call."""

    def has_health_check(self, revision: str) -> bool:
        """Whether an essential container of this task definition has a health check that ECS runs."""

    def grows_on_demand(self, providers: Sequence[str]) -> bool:
        """Whether one of these capacity providers adds capacity by itself when a task finds no place."""

    def target_states(self, group: str) -> Targets | None:
        """Health of every target of a member of ``Service.target_groups``; None when that does not exist."""

    def protected_until(self, arns: Iterable[str]) -> Mapping[str, float]:
        """Of those of the tasks named that are under scale-in protection now: when it ends; a hundred a call."""

    def fixed_images(self, revision: str) -> Collection[str]:
        """The images that a task definition names and that ECS fixes to their digests when a service is deployed."""

    def find_image(self, image: RegistryImage) -> FoundImage | None:
        """An image in Amazon ECR; None when it is not there."""

    def secrets_changed_at(self, revision: str) -> float:
        """When a secret, parameter or environment file that a task definition names was last changed.

        Raises ``Refused`` when it names none."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """State of CloudWatch alarms by name: OK, ALARM or INSUFFICIENT_DATA; without those that do not exist."""

    def scaling(self) -> Scaling | None:
        """The switches of the service's scalable target; None when it has no such target."""

    def suspend(self, scaling: Scaling) -> None:
        """Set all three switches, and nothing else, of the scalable target."""

    def set_desired(self, count: int) -> None:
        """Set the desired count, and nothing else, of the service."""

    def stop_task(self, arn: str, reason: str) -> bool:
        """Stop a task. False when ECS no longer knows it."""

    def protect(self, arns: Iterable[str], until: float) -> set[str]:
        """Put tasks under scale-in protection until an instant, to the minute; at most ten. Those that are now: not
        among them are tasks that are gone or on their way.

        Raises ``CallFailed`` with the code DEPLOYMENT_BLOCKED when older protections hold up a deployment."""

    def unprotect(self, arns: Iterable[str]) -> None:
        """End the scale-in protection of those of the tasks named that are still there; at most ten."""

    def tag(self, tags: Mapping[str, str]) -> None:
        """Write tags of the service."""

    def untag(self, keys: Iterable[str]) -> None:
        """Remove tags of the service."""

    def untag_task(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags of a task; one that is gone does no harm."""
