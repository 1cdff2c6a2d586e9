# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check every import statement of the collection against the table of places in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "plugins"
FILES = [path.relative_to(PLUGINS).as_posix() for path in sorted(PLUGINS.rglob("*.py"))]
OURS = "ansible_collections.steadyops.ecs.plugins."


def read_table() -> dict[str, list[str]]:
    """Return the table of CONTRIBUTING.md in the order of its rows: place -> what it may import."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where a thing belongs")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {place.strip("`"): re.findall(r"`(.+?)`", allowed) for place, _holds, allowed in rows}


MAY_IMPORT = read_table()


def place(path: str) -> str:
    """Return the first place that fits a path below ``plugins``, or an empty string if none does."""
    for row in MAY_IMPORT:
        stars = re.escape(row).replace(r"\*", "[^/]+")
        if re.match(stars if row.endswith("/") else f"{stars}$", f"plugins/{path}"):
            return row
    return ""


def own_folder(row: str, path: str) -> str:
    """Return the part of a path that its place stands for."""
    return "/".join(f"plugins/{path}".split("/")[: row.count("/")]) + "/"


@functools.cache
def _nodes(source: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(source)))


def imports(path: str, source: str) -> Iterator[str]:
    """Return the absolute dotted name of everything that the file imports."""
    package = (OURS + ".".join(PurePosixPath(path).parent.parts)).split(".")
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def file_of(name: str) -> str:
    """Return the file that one of our dotted names means. The name is that of a module or of something in it."""
    parts = name.removeprefix(OURS).split(".")
    whole, inside = "/".join(parts), "/".join(parts[:-1])
    return f"{whole}.py" if (PLUGINS / f"{whole}.py").exists() or (PLUGINS / inside).is_dir() else f"{inside}.py"


def allows(path: str, name: str) -> bool:
    """Return whether the place of a file may import a dotted name."""
    row = place(path)
    if not name.startswith(OURS):
        return any(f"{name}.".startswith(f"{allowed}.") for allowed in MAY_IMPORT[row])
    target = file_of(name)
    folders = tuple(allowed for allowed in MAY_IMPORT[row] if allowed.endswith("/"))
    if "itself" in MAY_IMPORT[row] and place(target) == row:
        folders = (*folders, own_folder(row, path))
    named = {place(target), f"plugins/{target}"} & set(MAY_IMPORT[row])
    return bool(named) or f"plugins/{target}".startswith(folders)


def offences(path: str, source: str) -> list[str]:
    return [
        name
        for name in imports(path, source)
        if name.split(".")[0] not in sys.stdlib_module_names and not allows(path, name)
    ]


def test_every_file_has_a_place_and_every_place_a_file():
    places = {path: place(path) for path in FILES if (PLUGINS / path).read_text()}  # __init__.py is empty
    assert [path for path, found in places.items() if not found] == []
    assert set(places.values()) == MAY_IMPORT.keys()


def test_the_table_names_places_that_exist():
    named = {allowed for row in MAY_IMPORT.values() for allowed in row if allowed.startswith("plugins/")}
    assert [name for name in named if name not in MAY_IMPORT and not (ROOT / name).exists()] == []


def test_no_file_imports_itself_through_others():
    """Imports for types and imports inside functions count, too."""
    found = {
        path: {file_of(name) for name in imports(path, (PLUGINS / path).read_text()) if name.startswith(OURS)}
        for path in FILES
    }
    try:
        order = list(TopologicalSorter(found).static_order())
    except CycleError as error:
        pytest.fail(f"these import each other: {' <- '.join(error.args[1])}")
    assert order.index("module_utils/_core/errors.py") < order.index("module_utils/_module.py")


def nodes(path: str, sort: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in _nodes((PLUGINS / path).read_text()) if isinstance(node, sort))


def test_imports_point_downwards():
    found = {path: offences(path, (PLUGINS / path).read_text()) for path in FILES}
    assert {path: names for path, names in found.items() if names} == {}


# The rule is only useful if it catches what it forbids.
@pytest.mark.parametrize(
    ("path", "statement", "allowed"),
    [
        ("module_utils/_core/a.py", "import json", True),
        ("module_utils/_core/a.py", "from . import b", True),
        ("module_utils/_core/deep/a.py", "from ..b import c", True),
        ("module_utils/_core/a.py", "from .._aws.b import c", False),
        ("module_utils/_core/a.py", "from .. import _amazon", False),
        ("module_utils/_core/a.py", "from ansible.module_utils.basic import AnsibleModule", False),
        ("module_utils/_core/a.py", "import yaml", False),
        ("module_utils/_core/retry/a.py", "from .b import c", True),
        ("module_utils/_core/retry/a.py", "from ..failures.definition import c", True),
        ("module_utils/_core/retry/a.py", "from ..recycle.plan import c", False),
        ("module_utils/_core/errors.py", "from .retry.policy import c", False),
        ("module_utils/_aws/calls/a.py", "from ..._core import b", True),
        ("module_utils/_aws/calls/a.py", "from ..._amazon import retried", True),
        ("module_utils/_aws/calls/a.py", "from ..live.rule import find_rule", False),
        ("module_utils/_aws/live/a.py", "from ..calls.ecs import b", True),
        ("module_utils/_aws/live/a.py", "from ..._amazon import retried", False),
        ("module_utils/_aws/live/a.py", "from ..._module import start", False),
        (
            "module_utils/_aws/calls/a.py",
            "from ansible_collections.amazon.aws.plugins.module_utils import tagging",
            False,
        ),
        (
            "module_utils/_amazon.py",
            "from ansible_collections.amazon.aws.plugins.module_utils import tagging",
            True,
        ),
        ("module_utils/_amazon.py", "import boto3", False),
        ("module_utils/_amazon.py", "from botocore.exceptions import ClientError", False),
        ("module_utils/_module.py", "from ._aws.b import c", False),
        (
            "module_utils/_module.py",
            "from ansible_collections.amazon.aws.plugins.module_utils import tagging",
            False,
        ),
        ("modules/a.py", f"from {OURS}module_utils._module import start", True),
        ("modules/a.py", "from ..module_utils._core.b import c", True),
        ("modules/a.py", "from ..module_utils import _amazon", False),
        ("modules/a.py", "from ansible.module_utils.basic import AnsibleModule", False),
        ("modules/a.py", f"from {OURS}modules.b import c", False),
        ("test/a.py", "from ..module_utils._core.b import c", True),
        ("test/a.py", "from ..plugin_utils._filters import checked", True),
        ("test/a.py", "from ..plugin_utils._inventory import untrusted", False),
        ("test/a.py", "from ..module_utils._aws.b import c", False),
        ("filter/a.py", "from ..module_utils._core.b import c", True),
        ("filter/a.py", "from ..module_utils._aws.b import c", False),
        ("modules/a.py", "from ..plugin_utils import _inventory", False),
        ("inventory/a.py", "from ..plugin_utils._inventory import AwsInventory", True),
        ("inventory/a.py", "from ..module_utils._aws.b import c", True),
        ("inventory/a.py", "from ansible.plugins.inventory import BaseInventoryPlugin", False),
        (
            "inventory/a.py",
            "from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase",
            False,
        ),
        (
            "plugin_utils/_inventory.py",
            "from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase",
            True,
        ),
        ("plugin_utils/_inventory.py", "import boto3", False),
    ],
)
def test_the_rule_itself(path, statement, allowed):
    assert (offences(path, statement) == []) is allowed


def test_names_say_what_is_inside():
    nothing = {"utils", "util", "helpers", "helper", "common", "misc"}
    words = {path: {word.strip("_") for word in PurePosixPath(path).with_suffix("").parts} for path in FILES}
    assert [path for path in FILES if words[path] & nothing] == []
    classes = [f"{path}: {node.name}" for path in FILES for node in nodes(path, ast.ClassDef)]
    assert [name for name in classes if name.endswith("Manager")] == []


def test_shared_files_are_private():
    """A file without an underscore is public API, which semantic versioning covers."""
    shared = [path for path in FILES if path.split("/")[0] in ("module_utils", "plugin_utils")]
    assert [path for path in shared if not PurePosixPath(path).parts[1].startswith("_")] == []


def test_only_two_files_sleep():
    """Only the drive's loop and the short pauses between the attempts of one call sleep.

    The threads that read a fleet also wait, but for an event: if one thread fails, no other goes on sleeping.
    """
    sleepers = {
        path
        for path in FILES
        for node in nodes(path, ast.Attribute)
        if node.attr == "sleep" and isinstance(node.value, ast.Name) and node.value.id == "time"
    }
    from_time = {path for path in FILES if "time.sleep" in imports(path, (PLUGINS / path).read_text())}
    assert sleepers | from_time <= {"module_utils/_drive.py", "module_utils/_amazon.py"}


def test_check_mode_is_tested_for_once():
    asked = [
        f"{path}:{node.lineno}" for path in FILES for node in nodes(path, ast.Attribute) if node.attr == "check_mode"
    ]
    assert len(asked) <= 1, asked


def test_nothing_is_called_underscore():
    # ansible-test reserves that name for translations, and refuses it for unused values.
    assert [f"{path}:{node.lineno}" for path in FILES for node in nodes(path, ast.Name) if node.id == "_"] == []
