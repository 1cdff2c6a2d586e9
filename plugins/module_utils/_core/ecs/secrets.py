# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Secrets, parameters and environment files that a task definition names and that ECS reads once, at task start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..arns import parse_arn


@dataclass(frozen=True, order=True)
class Named:
    """A secret, parameter or file. ``service`` is secretsmanager, ssm or s3. ``name`` identifies it there: a secret by
    its ARN, a parameter by its name, a file by ``bucket/key``. ``region`` is empty if it is that of the task."""

    service: str
    name: str
    region: str = ""


def names_in(containers: Iterable[Mapping[str, Any]]) -> list[Named]:
    """Return everything that container definitions, in the format of ECS, name; each once."""
    found: set[Named] = set()
    for container in containers:
        log = container.get("logConfiguration", {})
        for secret in (*container.get("secrets", ()), *log.get("secretOptions", ())):
            found.add(_named(secret["valueFrom"]))
        credentials = container.get("repositoryCredentials", {}).get("credentialsParameter")
        if credentials:
            found.add(_named(credentials, "secretsmanager"))
        for file in container.get("environmentFiles", ()):
            found.add(Named("s3", file["value"].partition(":::")[2] or file["value"]))
    return sorted(found)


def _named(reference: str, service: str = "ssm") -> Named:
    """Read a ``valueFrom``: a secret's ARN, maybe with key, stage and version, or the ARN or name of a parameter."""
    arn = parse_arn(reference)
    if arn is None:
        return Named(service, reference)
    if arn.service == "secretsmanager":
        name = ":".join(arn.resource.split(":")[:2])
        return Named("secretsmanager", reference.replace(arn.resource, name), arn.region)
    # A parameter's name begins with a slash when it is a path.
    name = arn.resource.removeprefix("parameter")
    return Named("ssm", name if name.count("/") > 1 else name.lstrip("/"), arn.region)
