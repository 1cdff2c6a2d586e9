# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""One ECS service and its tasks, read through boto3 without its load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._core.ecs.names import parse_service
from ..._core.ecs.secrets import Named, names_in
from ..._core.errors import CallFailed, Refused
from ..._core.recycle.model import Hold, Service, Task
from ..calls import ecs, secrets
from ..calls.pages import hundreds
from ..shapes import ecs as ecs_shapes
from .line import Line


class PlainService:
    """One service, read only. ``_core.recycle.world`` documents each method."""

    def __init__(self, line: Line, cluster: str | None, service: str) -> None:
        """Make no call yet. Services of one account may share ``line``.

        ``cluster`` and ``service`` are as the user wrote them. Raise ``Refused`` if they are no valid names of ECS.
        """
        self.name = parse_service(cluster, service)
        self._line = line
        self.clock, self.now = line.clock, line.now
        self._client, self._containers = line.client, line.containers
        self._ended = ""  # ARN of the newest service deployment that is known to have ended
        self._arn: str | None = None
        self.propagates_tags = False

    @property
    def calls(self) -> Mapping[str, int]:
        return self._line.calls

    def describe_service(self) -> Service | None:
        self.check_region()
        found = ecs.describe_service(self._client("ecs"), self.name.cluster, self.name.service)
        return None if found is None else self.service_from(found)

    def check_region(self) -> None:
        """Raise ``Refused`` if the service was given by an ARN of a region other than the client's."""
        self._check("region", self.name.region, self._client("ecs").meta.region_name)

    def service_from(self, found: ecs_shapes.DescribedService) -> Service:
        """Return the result of ``describe_service`` from a response that may cover several services."""
        self._check("account", self.name.account, found.service.arn.split(":")[4])
        self._arn = found.service.arn
        self.propagates_tags = found.service.propagates_tags
        return replace(found.service, hold=self._hold(found))

    def list_tasks(self) -> list[str]:
        client = self._client("ecs")
        return list(dict.fromkeys(ecs.list_tasks(client, self.name.cluster, self.name.service)))

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        client = self._client("ecs")
        tasks = []
        for some in hundreds(arns):
            tasks += self.tasks_from(ecs.describe_tasks(client, self.name.cluster, some, self.propagates_tags))
        return tasks

    def tasks_from(self, answers: Sequence[Mapping[str, Any]]) -> list[Task]:
        """Return the result of ``describe_tasks`` from boto3's tasks of this service."""
        return [ecs_shapes.task(answer, {}) for answer in answers]

    def secrets_changed_at(self, revision: str) -> float:
        named = names_in(self._containers(revision))
        if not named:
            raise Refused(
                f"secrets_changed: task definition {revision} names no secret, no parameter and no environment file,"
                " so no change of one can make a task stale. Use another selector"
            )
        return max(self._changed_at(each) for each in named)

    def protected_until(self, arns: Iterable[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for some in hundreds(arns):
            until = ecs.protected_until(self._client("ecs"), self.name.cluster, some)
            found.update({arn: end for arn, end in until.items() if end > self.now()})
        return found

    # Helpers.

    def _changed_at(self, named: Named) -> float:
        here = self._client("ecs").meta.region_name
        if named.region not in ("", here):
            raise Refused(
                f"secrets_changed: {named.name} is in {named.region}, but the module can only check the region of the"
                f" service, {here}. Use started_before with the instant of the change instead"
            )
        if named.service == "secretsmanager":
            return secrets.secret_changed_at(self._client("secretsmanager"), named.name)
        if named.service == "s3":
            return self._file_changed_at(named.name)
        for changed in secrets.parameter_changes(self._client("ssm"), named.name):
            return changed
        raise Refused(
            f"secrets_changed: the task definition names the parameter {named.name}, which Systems Manager does not"
            " have. New tasks could not start either. Create it, or give the service a revision without it"
        )

    def _file_changed_at(self, name: str) -> float:
        """Return when an environment file was last changed. Raise ``Refused`` if it cannot be seen.

        S3 answers HEAD with a status alone, and with 403 also for a missing file if ``s3:ListBucket`` is not allowed.
        Source: S3 API reference, HeadObject.
        """
        bucket, _slash, key = name.partition("/")
        try:
            return secrets.file_changed_at(self._client("s3"), bucket, key)
        except CallFailed as failure:
            if failure.code not in ("403", "404"):
                raise
            hidden = failure.code == "403"
        raise Refused(
            f"secrets_changed: the task definition names the environment file s3://{name}, which S3"
            + (" hides or does not have. Allow s3:GetObject on it" if hidden else " does not have. Create the file")
            + ", or give the service a revision without it"
        )

    def _check(self, what: str, wanted: str | None, found: str) -> None:
        """Raise ``Refused`` on a mismatch: calls send names, not ARNs, and could reach a namesake of the service."""
        if wanted not in (None, found):
            raise Refused(
                f"The ARN of service {self.name.service} names the {what} {wanted}, but region and credentials belong"
                f" to {found}. Use the region and credentials of that service"
            )

    def _hold(self, found: ecs_shapes.DescribedService) -> Hold | None:
        """Return the progress of the current deployment. One that has ended is not looked up again."""
        deployment = found.service_deployment
        if not deployment or deployment == self._ended:
            return None
        hold = ecs.deployment_hold(self._client("ecs"), deployment)
        if hold is None:
            self._ended = deployment
        return hold
