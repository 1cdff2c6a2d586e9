# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check requests against botocore's model of the service, with AWS's wording in the errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session

from .model.state import SandboxError


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def check(service: str, operation: str, parameters: Any) -> None:
    """Raise ValidationException if a parameter is required but missing, too long, too short or malformed."""
    shape = model(service).operation_model(operation).input_shape
    found = list(complaints(shape, parameters, ""))
    if found:
        noun = "validation error" if len(found) == 1 else "validation errors"
        raise SandboxError("ValidationException", f"{len(found)} {noun} detected: {'; '.join(found)}")


def complaints(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{below(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from complaints(member, value[name], below(path, name))
    elif shape.type_name == "list":
        yield from size(shape, value, len(value), path)
        for number, each in enumerate(value):
            yield from complaints(shape.member, each, f"{path}.{number + 1}.member")
    elif shape.type_name == "map":
        yield from size(shape, value, len(value), path)
        for key, each in value.items():
            yield from complaints(shape.key, key, f"{path}.{key}.key")
            yield from complaints(shape.value, each, f"{path}.{key}.member")
    elif shape.type_name == "string":
        yield from text(shape, value, path)
    elif shape.type_name in ("integer", "long"):
        yield from number_of(shape, value, path)


def text(shape: Any, value: str, path: str) -> Iterator[str]:
    told = "'<sensitive>'" if shape.metadata.get("sensitive") else f"'{value}'"
    pattern, choices = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if pattern and not re.fullmatch(pattern, value, re.DOTALL if pattern == ".*" else 0):
        yield must(told, path, f"satisfy regular expression pattern: {pattern}")
    yield from size(shape, value, len(value), path, told)
    if choices and value not in choices:
        yield must(told, path, f"satisfy enum value set: [{', '.join(choices)}]")


def size(shape: Any, value: Any, length: int, path: str, told: str | None = None) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    told = told or f"'{value}'"
    if most is not None and length > most:
        yield must(told, path, f"have length less than or equal to {most}")
    if least is not None and length < least:
        yield must(told, path, f"have length greater than or equal to {least}")


def number_of(shape: Any, value: int, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and value > most:
        yield must(f"'{value}'", path, f"have value less than or equal to {most}")
    if least is not None and value < least:
        yield must(f"'{value}'", path, f"have value greater than or equal to {least}")


def must(told: str, path: str, rule: str) -> str:
    return f"Value {told} at '{path}' failed to satisfy constraint: Member must {rule}"


def below(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
