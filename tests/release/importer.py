# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.importer: import the artifact as Galaxy does, with ansible-core alone.

Fails on every error and warning that galaxy-importer logs, and on every plugin and role without documentation.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.release.artifact import archive
from tests.release.environment import programs

DOCUMENTED = ("module", "inventory", "lookup", "filter", "test")
KEPT = ("HOME", "LANG", "LC_ALL", "PIP_CERT", "SSL_CERT_FILE", "TMPDIR")


def complaints(log: str) -> list[str]:
    """Return the errors and warnings that galaxy-importer logged."""
    return [line for line in log.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL|Traceback)\b", line)]


def undocumented(result: Mapping[str, Any]) -> list[str]:
    """Return the plugins and roles that Galaxy would show without documentation."""
    found = []
    for content in result["docs_blob"]["contents"]:
        kind, name = content["content_type"], content["content_name"]
        has_plugin_docs = bool((content.get("doc_strings") or {}).get("doc"))
        if (kind in DOCUMENTED and not has_plugin_docs) or (kind == "role" and not content.get("readme_html")):
            found.append(f"{kind} {name} has no documentation")
    return found


def main() -> int:
    folder = programs("importer")
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(archive(), work)
        environment = {key: value for key, value in os.environ.items() if key in KEPT}
        environment["PATH"] = f"{folder}{os.pathsep}/usr/local/bin:/usr/bin:/bin"
        environment["ANSIBLE_HOME"] = f"{work}/ansible"
        environment["GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP"] = f"{work}/tmp"
        command = [folder / "python", "-m", "galaxy_importer.main", archive().name]
        done = subprocess.run(
            command, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        print(done.stdout)
        written = Path(work) / "importer_result.json"
        found = complaints(done.stdout)
        if done.returncode or not written.exists():
            found.append(f"galaxy-importer ended with {done.returncode} and no result")
        else:
            found += undocumented(json.loads(written.read_text()))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
