# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The overrides of a task: their structure, and how to find values that were replaced by a mark."""

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
# A test compares it with botocore's model.
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

# The marks that CloudTrail, and tools that copy its records, write instead of a value.
_MARK = re.compile(
    r"HIDDEN_DUE_TO_\w+|<?sensitiveDataRemoved>?|\*{3,}"
    r"|[<\[({*_#-]*\s*(?i:hidden|redacted|masked|censored|obfuscated|sanitized|removed)(?![A-Za-z])[^>\])}*_#]*[>\])}*_#]+"
    r"|REDACTED|MASKED|CENSORED|HIDDEN"
)


def is_mark(text: str) -> bool:
    """Return whether a text is a mark that replaced a hidden value."""
    return _MARK.fullmatch(text) is not None


def oddity(overrides: object) -> str:
    """Return where overrides contain a mark or a structure that RunTask does not accept; empty if they are valid."""
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
    if not isinstance(value, shape) or isinstance(value, bool):
        return _not(value, path)
    return f"{path} is hidden" if isinstance(value, str) and is_mark(value) else ""


def _not(value: object, path: str) -> str:
    """Describe a value of the wrong type. A text instead of a structure counts as a mark, whether known or not."""
    return f"{path} is null" if value is None else f"{path} is hidden"


def without_roles(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides without the roles of the task."""
    return {name: value for name, value in overrides.items() if name not in ROLES}


def concealed(overrides: object) -> str:
    """Return the path of a hidden value in overrides; empty if nothing is hidden.

    An environment always counts as hidden. CloudTrail never shows one, so an environment in a record was either hidden
    in an unknown way or written by someone else.
    """
    if not isinstance(overrides, Mapping):
        return "overrides" if isinstance(overrides, str) else ""
    containers = overrides.get("containerOverrides")
    for number, container in enumerate(containers if isinstance(containers, list) else []):
        if isinstance(container, Mapping) and container.get("environment"):
            return f"overrides.containerOverrides[{number}].environment"
    found, _is, what = oddity(overrides).rpartition(" is ")
    return found if what == "hidden" else ""


def agrees(shown: object, whole: object, shape: Any = None) -> bool:
    """Return whether ``shown`` can be ``whole`` with some of its values hidden."""
    shape = OVERRIDES if shape is None else shape
    if _hides(shown, shape):
        return whole is not None
    if isinstance(shown, Mapping) and isinstance(whole, Mapping):
        left, right = ({name: item for name, item in each.items() if item not in (None, [], {})}
                       for each in (shown, whole))  # fmt: skip
        return left.keys() == right.keys() and all(
            (name == "environment" and bool(right[name])) or agrees(left[name], right[name], shape[name])
            for name in left
        )
    if isinstance(shown, list) and isinstance(whole, list):
        return len(shown) == len(whole) and all(
            agrees(one, other, shape[0]) for one, other in zip(shown, whole, strict=True)
        )
    return shown == whole


def filled(shown: Any, template: Any, shape: Any = None, environment: bool = True) -> Any:
    """Return ``shown`` with its hidden values taken from ``template``, if ``template`` has them.

    Containers are matched by name. With ``environment``, each environment comes from ``template``, or is null.
    """
    shape = OVERRIDES if shape is None else shape
    if _hides(shown, shape):
        return shown if template is None else template
    if isinstance(shown, Mapping):
        known = template if isinstance(template, Mapping) else {}
        return {
            name: known.get(name)
            if name == "environment" and item and environment
            else filled(item, known.get(name), shape.get(name, str), environment)
            for name, item in shown.items()
        }
    if isinstance(shown, list) and shape[0] is CONTAINER and all(isinstance(each, Mapping) for each in shown):
        known = {each.get("name"): each for each in template or [] if isinstance(each, Mapping)}
        return [filled(each, known.get(each.get("name")), CONTAINER, environment) for each in shown]
    if isinstance(shown, list) and any(_oddity(each, shape[0], "") for each in shown):
        return shown if template is None else template
    return shown


def _hides(shown: object, shape: Any) -> bool:
    """Return whether a value has another type than ``shape`` says, or is a text that is a mark."""
    kind = Mapping if isinstance(shape, dict) else list if isinstance(shape, list) else shape
    return not isinstance(shown, kind) or (isinstance(shown, str) and is_mark(shown))
