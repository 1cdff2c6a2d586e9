# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the retry function: its handler files, and the files of the collection that decide.

The role runs this on the controller. It prints JSON: {"path", "code_sha256", "changed"}. Each run makes a package with
the same bytes. --options takes a file with the retry options as JSON, or - for standard input, and checks them. With
--pack-options, they go into the package as well, which does not have the limit of four kilobytes of a function's
environment. Launch templates may contain secrets, so only the user who runs this can read the package.

If it fails, it exits with 1 and prints the reason to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

FILES = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the collection may be anywhere, and this must not write into it
sys.path.insert(0, str(FILES.parents[2] / "plugins/module_utils"))

from _core.errors import Refused  # noqa: E402
from _core.functions.archive import code_sha256, keep  # noqa: E402
from _core.functions.retry_function import retry_function  # noqa: E402
from _core.retry.options import read_options  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--options", help="the retry options, as JSON: a file, or - for standard input")
    parser.add_argument("--pack-options", action="store_true", help="put the options into the package")
    parser.add_argument("--output", type=Path, required=True, help="the package to write")
    given = parser.parse_args()
    try:
        text = sys.stdin.read() if given.options == "-" else Path(given.options).read_text() if given.options else "{}"
        options = json.loads(text)
        read_options(options)
        package = retry_function(FILES / "retry_function", options if given.pack_options else None)
        changed = keep(given.output, package)
    except Refused as error:
        sys.exit(f"The retry options are invalid. {error}")
    except (OSError, ValueError) as error:
        sys.exit(f"The package {given.output} cannot be created: {error}")
    sys.stdout.write(
        json.dumps({"path": str(given.output), "code_sha256": code_sha256(package), "changed": changed}) + "\n"
    )


if __name__ == "__main__":
    main()
