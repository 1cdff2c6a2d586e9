# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.english [FILE ...]: find turns that are not plain English, and print what to write instead.

``turns.tsv`` has a turn and its replacement on each line. A turn is one or more words in lower case. It is found in any
case, and across line breaks, comment signs and the quotes of Python strings that continue on the next line.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TURNS = Path(__file__).with_name("turns.tsv")
PLACES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "galaxy.yml", "execution-environment.yml"),
    *("awx", "changelogs/fragments", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests"),
)
KINDS = {".py", ".yml", ".yaml", ".md", ".rst", ""}
# A line break between two words, with comment signs and the quotes of Python strings that continue.
LINE_BREAK = r"""[ \t]*["']?[ \t]*\n[ \t]*(?:#:?|f?["'])?[ \t]*"""


class Finding(NamedTuple):
    file: str
    line: int
    turn: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.turn!r}. Write: {self.instead}"


def turns(text: str) -> list[tuple[str, str]]:
    """Return the turns of a table with their replacements. Raises ValueError for a line in another format."""
    found = []
    for line in text.splitlines():
        turn, tab, instead = line.partition("\t")
        if not tab or not instead.strip() or turn != " ".join(turn.lower().split()):
            raise ValueError(f"turns.tsv: {line!r} must be a turn in lower case, a tab and a replacement")
        found.append((turn, instead))
    return found


def find(file: str, text: str, table: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    lower = text.lower()
    flat = re.sub(LINE_BREAK, " ", lower)
    for turn, instead in table:
        if turn not in flat:  # far faster than a regular expression, and enough for most files
            continue
        end = r"(?!\w)" if turn[-1].isalnum() else ""
        gap = rf"(?: |{LINE_BREAK})"
        for match in re.finditer(r"(?<![\w-])" + gap.join(map(re.escape, turn.split())) + end, lower):
            yield Finding(file, text.count("\n", 0, match.start()) + 1, turn, instead)


def files() -> list[str]:
    """Return the files of the repository that people read, without this folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PLACES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    here = TURNS.parent.relative_to(ROOT).as_posix()
    return [name for name in listed if name and Path(name).suffix in KINDS and not name.startswith(here)]


def main(names: list[str]) -> int:
    table = turns(TURNS.read_text(encoding="utf-8"))
    found = [
        finding
        for name in names or files()
        if (ROOT / name).is_file()
        for finding in sorted(find(name, (ROOT / name).read_text(encoding="utf-8"), table))
    ]
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
