# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The overrides of a task: how they are built, and where something stands in the place of a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PAIR = {"name": str, "value": str}
_TYPED = {"type": str, "value": str}
CONTAINER: dict[str, Any] = {
    "name": str,
    "command": [str],
    "environment": [_PAIR],
    "environmentFiles": [_TYPED],
    "cpu": int,
    "memory": int,
    "memoryReservation": int,
    "resourceRequirements": [{**_TYPED, "sharingStrategy": {"nvidiaMps": {"memory": int, "maxComputePercent": int}}}],
}
# A test holds it against botocore's model.
OVERRIDES: dict[str, Any] = {
    "containerOverrides": [CONTAINER],
    "cpu": str,
    "memory": str,
    "executionRoleArn": str,
    "taskRoleArn": str,
    "ephemeralStorage": {"sizeInGiB": int},
    "inferenceAcceleratorOverrides": [{"deviceName": str, "deviceType": str}],
}
ROLES = frozenset({"executionRoleArn", "taskRoleArn"})

# What CloudTrail and those who copy its records write in the place of a value.
_MARK = re.compile(
    r"HIDDEN_DUE_TO_\w+|<?sensitiveDataRemoved>?|\*{3,}"
    r"|[<\[({*_#-]*\s*(?i:hidden|redacted|masked|censored|obfuscated|sanitized|removed)(?![A-Za-z])[^>\])}*_#]*[>\])}*_#]+"
    r"|REDACTED|MASKED|CENSORED|HIDDEN"
)


def is_mark(text: str) -> bool:
    """Whether a text stands in the place of a value that was hidden."""
    return _MARK.fullmatch(text) is not None


def oddity(overrides: object) -> str:
    """Where overrides are not built as RunTask takes them, a mark included; empty when they are."""
    return _oddity(overrides, OVERRIDES, "overrides")


def _oddity(value: object, shape: Any, path: str) -> str:
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            return _not(value, path)
        unknown = next((name for name in value if name not in shape), None)
        if unknown is not None:
            return f"{path} has a field that this function does not know"
        inner = ((value[name], shape[name], f"{path}.{name}") for name in value)
        return next(filter(None, (_oddity(*each) for each in inner)), "")
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _not(value, path)
        each = (_oddity(item, shape[0], f"{path}[{number}]") for number, item in enumerate(value))
        return next(filter(None, each), "")
    if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        return _not(value, path)
    return f"{path} is hidden" if isinstance(value, str) and is_mark(value) else ""


def _not(value: object, path: str) -> str:
    """Of something that is not what belongs there. A text in the place of a structure is a mark, known or not."""
    return f"{path} is null" if value is None else f"{path} is hidden"


def without_roles(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides but for the roles of the task."""
    return {name: value for name, value in overrides.items() if name not in ROLES}
