# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The Python dependencies of a Lambda function: pinned requirements, and the files of their wheels."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import Refused

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)")


@dataclass(frozen=True)
class Requirement:
    """A Python distribution in one version, with the SHA-256 digests of its accepted files."""

    name: str
    version: str
    digests: tuple[str, ...]


def wheel_files(wheel: bytes) -> dict[str, bytes]:
    """Return the files of a pure-Python wheel as path -> content. Raises ``Refused`` for other wheels."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as source:
        paths = [path for path in source.namelist() if not path.endswith("/")]
        odd = [path for path in paths if path.startswith("/") or ".." in path.split("/")]
        if odd or any(path.endswith((".so", ".pyd")) or ".data/" in path for path in paths):
            raise Refused("A wheel is not pure Python, so it cannot be packaged for Lambda on any machine")
        return {path: source.read(path) for path in paths}


def merged(parts: Iterable[Mapping[str, bytes]]) -> dict[str, bytes]:
    """Return the files of all parts. Raises ``Refused`` if two parts have different files with the same path."""
    files: dict[str, bytes] = {}
    for part in parts:
        for path, content in part.items():
            if files.setdefault(path, content) != content:
                raise Refused(f"Two parts of the package have a file {path}, and the two differ")
    return files


def read_requirements(text: str) -> list[Requirement]:
    """Read requirements in pip's format. Raises ``Refused`` unless each is pinned to a version and to digests."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    found = []
    for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines):
        if not line:
            continue
        match = _PINNED.fullmatch(line)
        if not match:
            raise Refused(f"'{line}' is not pinned to one version and its digests, as name==1.0 --hash=sha256:...")
        digests = tuple(re.findall(r"sha256:([0-9a-f]{64})", match["hashes"]))
        found.append(Requirement(match["name"], match["version"], digests))
    return found
