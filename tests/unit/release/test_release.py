# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gates and the steps of a release decide."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.release.artifact import differing, misplaced, untracked
from tests.release.changelog import findings
from tests.release.check import GATES, Verdict, is_missing, line_of, summary, verdict
from tests.release.docs import sorted_out
from tests.release.headers import LINES, MARKS, with_header
from tests.release.importer import complaints, undocumented
from tests.release.publish import PLACES, Repository, refusal, with_version
from tests.unit.sandbox.aws import until

ROOT = Path(__file__).parents[3]
READY = Repository("main", (), ("1.0.0",), ("1.0.0",), ("1-a.yml",))


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (0, "", Verdict("ok")),
        (0, "pass  a\nSKIP  b: no Python 3.10\npass  c\n", Verdict("ok", ("b: no Python 3.10",))),
        (0, "....\n700 passed, 3 skipped in 9.1s\n", Verdict("ok", ("3 skipped",))),
        (0, "700 passed in 9.1s\n", Verdict("ok")),
        (2, "one\ntwo\n", Verdict("FAILED", ("one", "two"))),
        (2, "x\n" * 50, Verdict("FAILED", ("x",) * 20)),
        (1, "Failed to fetch\nCANNOT RUN: the package index cannot be reached\n",
         Verdict("cannot run", ("the package index cannot be reached",))),
    ],
)  # fmt: skip
def test_a_gate_is_judged_by_its_status_and_what_it_says(status, output, expected):
    assert verdict(status, output) == expected


def test_each_gate_has_one_line_and_the_end_hides_nothing():
    results = {
        "lint": Verdict("ok"),
        "docs": Verdict("ok", ("42 references",)),
        "molecule": Verdict("FAILED", ("oh",)),
        "matrix": Verdict("cannot run", ("no network",)),
    }
    assert [line_of(name, each, 1.4) for name, each in results.items()] == [
        "lint: ok, 1 s",
        "docs: ok, 1 s, not checked: 42 references",
        "molecule: FAILED, 1 s",
        "matrix: cannot run, no network",
    ]
    lines = dict(line.split(": ") for line in summary(results).splitlines())
    assert {words: names.split(", ") for words, names in lines.items()} == {
        "green": ["lint"],
        "green in part": ["docs"],
        "failed": ["molecule"],
        "cannot run here": ["matrix"],
        "not asked for": [name for name in GATES if name not in results],
    }


def test_the_commands_of_the_gates_exist():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [command for command in GATES.values() if command[0] == "make" and command[-1] not in targets] == []
    assert [name for name, command in GATES.items() if is_missing(command)] in ([], ["sanity"])


CHECK = """
import pathlib, sys
from tests.release import check

check.LOGS = pathlib.Path(sys.argv[1])
check.LEAST = ()  # on a busy machine, a process of the least priority takes minutes to start and to end
check.GATES[check.BESIDE] = ("sh", "-c", "sleep 300 & echo $!; wait")
# A signal that comes while a gate is being started, which takes milliseconds, leaves that gate running.
check.GATES["lint"] = ("sh", "-c", "sleep 1; echo started; exec sleep 300")
sys.exit(check.main(["lint", check.BESIDE]))
"""


def test_a_check_that_is_ended_ends_its_gates(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", CHECK, tmp_path], cwd=ROOT, stdout=subprocess.DEVNULL)
    simulations, lint = tmp_path / "simulations.log", tmp_path / "lint.log"
    until(lambda: lint.exists() and lint.read_text().strip())
    child = until(simulations.read_text).strip()
    process.terminate()
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    until(lambda: has_ended(int(child)))


def has_ended(pid):
    """Return whether a process is gone, which its new parent, init, may be slow to learn."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not state or state.startswith("Z")


def test_what_does_not_belong_into_the_artifact():
    good = [
        "MANIFEST.json", "README.md", "LICENSES/GPL-3.0-or-later.txt", ".config/ansible-lint.yml", "meta/runtime.yml",
        "plugins/modules/a.py", "plugins/module_utils/_core/a/b.py", "plugins/filter/a.yml", "playbooks/a.yml",
        "roles/a/tasks/main.yml", "roles/a/files/function/index.py", "docs/docsite/rst/guide.rst",
        "docs/docsite/links.yml", "changelogs/changelog.yaml", "extensions/eda/rulebooks/a.yml",
        "extensions/eda/plugins/event_filter/a.py",
    ]  # fmt: skip
    bad = [
        "tests/conftest.py", "tests/sandbox/app.py", "build/a", ".venv/bin/python", ".gitignore", ".ci/run", "Makefile",
        "changelogs/.plugin-cache.yaml", "changelogs/fragments/1.yml", "plugins/modules/__pycache__/a.cpython-311.pyc",
        "plugins/modules/.a.py.swp", "extensions/molecule/a/molecule.yml", "requirements/dev.txt", "galaxy.yml",
        "steadyops-ecs-1.0.0.tar.gz", "docs/pictures/a.png", "roles/a/molecule/default/converge.yml", "tests/output/a",
    ]  # fmt: skip
    assert misplaced([*good, *bad]) == bad
    assert untracked(["a", "b", "FILES.json", "MANIFEST.json"], ["a", "c"]) == ["b"]
    assert differing({"a": b"1", "b": b"1", "c": b"1"}, {"a": b"1", "b": b"2", "d": b"1"}) == ["b", "c", "d"]


def test_what_galaxy_importer_says():
    log = "Loading module a_error\nWARNING: playbooks/a.yml:1: b\nERROR: c\nLinting collection\n"
    assert complaints(log) == ["WARNING: playbooks/a.yml:1: b", "ERROR: c"]
    contents = [
        {"content_type": "module", "content_name": "a", "doc_strings": {"doc": {"module": "a"}}},
        {"content_type": "module", "content_name": "b", "doc_strings": {"doc": None}},
        {"content_type": "filter", "content_name": "c", "doc_strings": {}},
        {"content_type": "module_utils", "content_name": "d", "doc_strings": None},
        {"content_type": "role", "content_name": "e", "readme_html": "<p>"},
        {"content_type": "role", "content_name": "f", "readme_html": ""},
    ]
    assert undocumented({"docs_blob": {"contents": contents}}) == [
        "module b has no documentation",
        "filter c has no documentation",
        "role f has no documentation",
    ]


@pytest.mark.parametrize(
    ("changelog", "releases", "expected"),
    [
        ("", {}, ["There is no release 1.0.0"]),
        ("", {"1.0.0": {"changes": {"release_summary": "First."}, "modules": [{"name": "a"}]}}, []),
        ("", {"1.0.0": {"changes": {"release_summary": "First."}}}, ["The new module a is not listed"]),
        (
            r"* a \- C\(b\) and M\(c\)",
            {"1.0.0": {"changes": {"minor_changes": ["a - C(b)"]}, "modules": [{"name": "a"}]}},
            [
                r"CHANGELOG.md shows C\( as it is",
                r"CHANGELOG.md shows M\( as it is",
                "1.0.0 has no release_summary",
                "1.0.0 is the first release and has minor_changes",
            ],
        ),
        ("", {"0.9.0": {}, "1.0.0": {"changes": {"release_summary": "More.", "minor_changes": ["a - b"]}}}, []),
    ],
)
def test_what_is_wrong_with_a_changelog(changelog, releases, expected):
    assert findings(changelog, releases, "1.0.0", {"a"}) == expected


@pytest.mark.parametrize(
    ("suffix", "before", "after"),
    [
        ("py", "import a\n", "HEADERimport a\n"),
        ("py", "#!/usr/bin/python\n# Copyright: me\n\nimport a\n", "#!/usr/bin/python\nHEADER\nimport a\n"),
        ("py", "# Copyright (c) me\n# Why it is here.\n", "HEADER\n# Why it is here.\n"),
        ("yml", "a: 1\n", "---\nHEADERa: 1\n"),
        ("yml", "---\n# Copyright: me\na: 1\n", "---\nHEADERa: 1\n"),
        ("rst", "A\n===\n", "..\nHEADER\nA\n===\n"),
        ("rst", "..\n  Copyright: me\n\nA\n===\n", "..\nHEADER\nA\n===\n"),
    ],
)
def test_a_licence_header_is_brought_in_once(suffix, before, after):
    header = "".join(f"{MARKS[suffix]}{line}\n" for line in LINES)
    assert with_header(suffix, before) == after.replace("HEADER", header)
    assert with_header(suffix, with_header(suffix, before)) == with_header(suffix, before)


def test_references_to_others_are_looked_up_in_what_is_installed_where_others_cannot_be_reached():
    installed = [
        "a.rst:1: WARNING: undefined label: 'common_return_values' [ref.ref]",
        "a.rst:2: WARNING: 'envvar' reference target not found: ANSIBLE_CACHE_PLUGIN [ref.envvar]",
        "a.rst:3: WARNING: undefined label: 'ansible_collections.amazon.aws.lambda_module' [ref.ref]",
    ]
    unknown = [
        "a.rst:4: WARNING: undefined label: 'common_return_value' [ref.ref]",
        "a.rst:5: WARNING: 'envvar' reference target not found: ANSIBLE_CACHE_PLUG [ref.envvar]",
        "a.rst:6: WARNING: undefined label: 'ansible_collections.amazon.aws.lambada_module' [ref.ref]",
    ]
    own = ["a.rst:7: WARNING: undefined label: 'ansible_collections.steadyops.ecs.docsite.x' [ref.ref]"]
    offline = ["WARNING: failed to reach any of the inventories with the following issues:"]
    every = [*installed, *unknown, *own]
    assert sorted_out([*every, "reading sources"]) == (every, 0)
    assert sorted_out([*offline, *every]) == (own, 3)


@pytest.mark.parametrize(
    ("version", "found", "words"),
    [
        ("1.0.1", READY, None),
        ("1.0.0", replace(READY, tags=(), releases=()), None),
        ("", READY, "must be like 1.2.3 (got '')"),
        ("v1.1.0", READY, "must be like 1.2.3"),
        ("1.1", READY, "must be like 1.2.3"),
        ("1.1.0", replace(READY, branch="fix"), "this is fix. Run: git switch main"),
        ("1.1.0", replace(READY, branch=""), "this is no branch"),
        ("1.1.0", replace(READY, changes=("README.md",)), "Commit or remove these changes first: README.md"),
        ("1.0.0", replace(READY, releases=()), "1.0.0 exists"),
        ("1.0.0", replace(READY, tags=()), "1.0.0 exists"),
        ("1.0.0", replace(READY, tags=("v1.0.0",), releases=()), "1.0.0 exists"),
        ("1.9.0", replace(READY, releases=("1.0.0", "1.10.0")), "older than the release 1.10.0"),
        ("1.1.0", replace(READY, fragments=()), "nothing to release"),
    ],
)
def test_what_cannot_be_released(version, found, words):
    reason = refusal(version, found)
    assert reason is None if words is None else words in reason


def test_the_version_is_written_where_it_stands():
    for name, place in PLACES.items():
        before = (ROOT / name).read_text()
        after = with_version(before, place, "7.8.9")
        assert [line for line in after.splitlines() if "7.8.9" in line]
        assert len(after.splitlines()) == len(before.splitlines())
    with pytest.raises(ValueError, match="0 places"):
        with_version("no version", PLACES["galaxy.yml"], "7.8.9")
