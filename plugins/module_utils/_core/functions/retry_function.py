# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Build the archive of the retry function from its handler files and the files of the collection that decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .archive import archive

_CORE = Path(__file__).parents[1]
_SHARED = (
    "__init__.py", "amounts.py", "aws_errors.py", "errors.py", "ecs/__init__.py", "ecs/refused_launch.py",
)  # fmt: skip
_EDGE = ("aws.py", "handler.py")


def retry_function(edge: Path, options: Mapping[str, Any] | None = None) -> bytes:
    """Return the zip. ``edge`` is the role's folder with the handler. ``options``, if given, are packed, too.

    Give ``options`` if they are too large for the environment. The same files and options give the same bytes.
    """
    files = {name: (edge / name).read_bytes() for name in _EDGE}
    files |= {f"_core/{name}": (_CORE / name).read_bytes() for name in _SHARED}
    for path in sorted((_CORE / "retry").glob("*.py")):
        files[f"_core/retry/{path.name}"] = path.read_bytes()
    if options is not None:
        files["options.json"] = json.dumps(options, sort_keys=True, indent=1).encode()
    return archive(files)
