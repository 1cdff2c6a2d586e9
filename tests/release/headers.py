# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.release.headers [--write]: check that each Python, YAML and rst file begins with the licence header.

Lists the files that do not. With --write, also adds the header to them. REUSE.toml covers all other files.
"""

from __future__ import annotations

import re
import subprocess
import sys

from tests.release.check import ROOT

LINES = (
    "Copyright (c) Contributors to the steadyops.ecs project",
    "GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)",
    # In two parts, because REUSE would otherwise read this as the licence of this file.
    "SPDX-License-Identifier" + ": GPL-3.0-or-later",
)
# Suffix of a file -> what precedes each line of the header.
MARKS = {"py": "# ", "yml": "# ", "rst": "  "}
# What may precede the header, and a header in any form.
BEFORE = r"(?P<before>(?:#!.*\n|---\n|\.\.\n)?)"
ANY_HEADER = r"(?:(?:# |  )(?:Copyright|GNU General Public License|SPDX-License-Identifier)\b.*\n)*"
# Hidden files, which belong to other tools, and the files that antsibull-changelog reads and writes.
OTHERS = re.compile(r"\.|changelogs/")


def with_header(suffix: str, text: str) -> str:
    """Return the text of a file with the header at its beginning, and with no other header."""
    header = "".join(f"{MARKS[suffix]}{line}\n" for line in LINES)
    found = re.match(BEFORE + ANY_HEADER, text)
    before = found["before"] or {"yml": "---\n", "rst": "..\n"}.get(suffix, "")
    rest = text[found.end() :]
    # Without this gap, the header would run into the text that follows it.
    gap = "\n" if (suffix == "rst" and not rest.startswith("\n")) or rest.startswith("#") else ""
    return f"{before}{header}{gap}{rest}"


def main(arguments: list[str]) -> int:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        suffix = path.suffix.removeprefix(".")
        if suffix not in MARKS or OTHERS.match(name) or not path.is_file() or not path.stat().st_size:
            continue
        text = path.read_text()
        wanted = with_header(suffix, text)
        if wanted != text:
            found.append(name)
            if "--write" in arguments:
                path.write_text(wanted)
    print("\n".join(found))
    return 1 if found and "--write" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
