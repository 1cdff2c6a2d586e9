# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The last change of secrets, parameters and environment files. Their values are never read.

Instants are epoch seconds. Every function may raise ``CallFailed``.
"""

from __future__ import annotations

from typing import Any

from ..._amazon import aws_call
from .pages import pages


@aws_call("secretsmanager:DescribeSecret")
def secret_changed_at(secretsmanager: Any, name: str) -> float:
    """Return ``LastChangedDate``. A new value, a rotation and a change of the secret's settings all update it."""
    answer = secretsmanager.describe_secret(SecretId=name)
    changed = answer.get("LastChangedDate") or answer["CreatedDate"]
    return float(changed.timestamp())


@pages("ssm:DescribeParameters")
def parameter_changes(ssm: Any, name: str, **page: str) -> Any:
    """List the ``LastModifiedDate`` of the parameter with this name or ARN. Empty if it does not exist."""
    only = {"Key": "Name", "Option": "Equals", "Values": [name]}
    answer = ssm.describe_parameters(ParameterFilters=[only], **page)
    found = [float(parameter["LastModifiedDate"].timestamp()) for parameter in answer["Parameters"]]
    return found, {} if found else answer  # a page may be empty while a later one is not


@aws_call("s3:GetObject")
def file_changed_at(s3: Any, bucket: str, key: str) -> float:
    """Return when an environment file last changed. The file itself is not downloaded."""
    return float(s3.head_object(Bucket=bucket, Key=key)["LastModified"].timestamp())
