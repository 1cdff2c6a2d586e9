# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The layers of CONTRIBUTING.md, held against every import statement of the collection."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
FILES = [path.relative_to(PLUGINS).as_posix() for path in sorted(PLUGINS.rglob("*.py"))]
OURS = "ansible_collections.steadyops.ecs.plugins."

# What a layer may import besides the standard library, upper layers first: none imports upwards.
MAY_IMPORT = {
    "inventory": {"plugin_utils", "aws", "core"},
    "action": {"drivers", "ansible.module_utils", "ansible.plugins.action", "ansible.utils"},
    "plugin_utils": {"amazon", "core", "ansible.errors", "ansible.utils", "ansible_collections.amazon.aws"},
    "modules": {"drivers", "aws", "core"},
    "drivers": {"drivers", "aws", "core", "amazon", "ansible.module_utils"},
    "aws": {"aws", "core", "amazon"},
    "amazon": {"core", "ansible.module_utils", "ansible_collections.amazon.aws"},
    "core": {"core"},
    "doc_fragments": set(),
    "filter": {"core", "ansible.errors"},
    "test": {"core", "ansible.errors"},
}


def layer(path: str) -> str:
    """Of a file of plugins/, or of a module's dotted name below it, with slashes for the dots."""
    folder, *rest = PurePosixPath(path).with_suffix("").parts
    if folder != "module_utils":
        return folder
    return {"_core": "core", "_aws": "aws", "_amazon": "amazon"}.get(rest[0] if rest else "", "drivers")


@functools.cache
def _nodes(source: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(source)))


def imports(path: str, source: str) -> Iterator[str]:
    """The absolute dotted name of everything that the file imports."""
    package = (OURS + ".".join(PurePosixPath(path).parent.parts)).split(".")
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def kind(name: str) -> str:
    """A layer of ours; else the name in MAY_IMPORT that covers the module, or the module itself."""
    if name.startswith(OURS):
        return layer(name.removeprefix(OURS).replace(".", "/"))
    allowed = set().union(*MAY_IMPORT.values())
    return next((known for known in sorted(allowed) if f"{name}.".startswith(f"{known}.")), name)


def offences(path: str, source: str) -> list[str]:
    return [
        name
        for name in imports(path, source)
        if name.split(".")[0] not in sys.stdlib_module_names and kind(name) not in MAY_IMPORT[layer(path)]
    ]


def nodes(path: str, sort: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in _nodes((PLUGINS / path).read_text()) if isinstance(node, sort))


@pytest.mark.parametrize("path", FILES)
def test_imports_point_downwards(path):
    assert offences(path, (PLUGINS / path).read_text()) == []


# The rule is worth something only if it catches what it forbids.
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
        ("module_utils/_aws/a.py", "from .._core import b", True),
        ("module_utils/_aws/a.py", "from .._amazon import retried", True),
        ("module_utils/_aws/a.py", "from .._module import start", False),
        (
            "module_utils/_aws/a.py",
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
        ("module_utils/_module.py", "from ._aws.b import c", True),
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
        ("test/a.py", "from ansible.errors import AnsibleFilterError", True),
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


@pytest.mark.parametrize("path", FILES)
def test_names_say_what_is_inside(path):
    words = {word.strip("_") for word in PurePosixPath(path).with_suffix("").parts}
    assert not words & {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [node.name for node in nodes(path, ast.ClassDef) if node.name.endswith("Manager")] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.split("/")[0] in ("module_utils", "plugin_utils")])
def test_shared_files_are_private(path):
    inside = PurePosixPath(path).parts[1]
    assert inside.startswith("_"), "without an underscore it is public API, and bound by semantic versioning"


def test_only_two_files_sleep():
    """The drive's loop, and the short pauses between the tries of one call.

    The threads that read a fleet wait as well, but for an event: when one fails, no other goes on sleeping.
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


@pytest.mark.parametrize("path", FILES)
def test_nothing_is_called_underscore(path):
    # ansible-test keeps that name for translations, and refuses it for what is thrown away.
    assert [node.lineno for node in nodes(path, ast.Name) if node.id == "_"] == []
