# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the retry function from its archive into this process."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.retry_function import retry_function

from tests.unit.core.retry.samples import ACCOUNT, REGION

EDGE = Path(__file__).parents[3] / "roles/launch_retry/files/retry_function"
QUEUE, LETTERS = (f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}" for name in ("retry", "dead"))
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
CONTEXT = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:launch-retry")


@contextlib.contextmanager
def loaded(folder: Path) -> Iterator[SimpleNamespace]:
    """Return the function's modules ``handler`` and ``aws``. The caller sets the environment."""
    archive = folder / "function.zip"
    archive.write_bytes(retry_function(EDGE))
    sys.path.insert(0, str(archive))
    before = set(sys.modules)
    try:
        yield SimpleNamespace(handler=importlib.import_module("handler"), aws=importlib.import_module("aws"))
    finally:
        sys.path.remove(str(archive))
        for name in set(sys.modules) - before:
            if name.split(".")[0] in ("handler", "aws", "_core"):
                del sys.modules[name]
