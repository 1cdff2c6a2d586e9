# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check for plain English: what it finds and where, and that the table of turns can be read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.english.__main__ import ROOT, TURNS, files, find, turns

TABLE = [("fee fi", "a fee"), ("fum", "a drum"), ("giant's", "of the giant")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A fee fi here", [(1, "fee fi")]),
        ("Line\n\nFum, and FUM.", [(3, "fum"), (3, "fum")]),
        ("ends with fee\nfi", [(1, "fee fi")]),
        ("# a comment with fee\n    # fi and more", [(1, "fee fi")]),
        ('f"a message with fee "\n    f"fi for {name}"', [(1, "fee fi")]),
        ('"a message with fee"\n    " fi"', [(1, "fee fi")]),
        ("that is the giant's", [(1, "giant's")]),
        ("coffee fi", []),
        ("fee fix", []),
        ("fums, perfum, fum_2, a-fum", []),
        ("fee. Fi", []),
    ],
)
def test_it_finds_turns_across_lines_and_not_inside_of_words(text, found):
    assert sorted((each.line, each.turn) for each in find("a.py", text, TABLE)) == sorted(found)


def test_a_finding_has_the_place_the_turn_and_what_to_write_instead():
    (finding,) = find("a.py", "one\ntwo fum", TABLE)
    assert str(finding) == "a.py:2: 'fum'. Write: a drum"


@pytest.mark.parametrize("line", ["fum", "fum\t", "Fum\ta drum", "fee  fi\ta fee", " fum\ta drum"])
def test_a_line_that_is_no_turn_with_a_replacement_is_refused(line):
    with pytest.raises(ValueError, match="must be a turn in lower case, a tab and a replacement"):
        turns(line)


def test_the_table_has_each_turn_once():
    table = [turn for turn, _instead in turns(TURNS.read_text())]
    assert table == sorted(set(table))


def test_it_reads_every_folder_with_texts_and_not_its_own():
    names = files()
    for name in ("README.md", "plugins/modules/ecs_stack.py", "roles/launch_retry/README.md", "tests/sinks.py"):
        assert name in names
    assert not [name for name in names if name.startswith("tests/english/")]


def test_make_lint_fails_on_a_turn(tmp_path):
    bad = tmp_path / "bad.md"
    turn, _instead = turns(TURNS.read_text())[-1]
    bad.write_text(f"It says {turn}.\n")
    call = [sys.executable, "-m", "tests.english", bad]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{bad}:1: {turn!r}. Write: ")
