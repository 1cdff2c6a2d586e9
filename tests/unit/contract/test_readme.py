# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md and the guides name what exists: options, commands, files, links. Their plays run in tests/end_to_end."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from typing import Any

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.doc_fragments.aws import ModuleDocFragment

from tests.guides import DOCUMENTS, GUIDES, README, ROOT, inventories, plays

ALL_MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# The sections that Galaxy and Automation Hub ask for, in their order.
TEMPLATE = [
    "Description", "Requirements", "Installation", "Use cases", "Modules, roles and plugins", "Guides", "Testing",
    "Contributing", "Support", "Release notes and roadmap", "Related information", "License information",
]  # fmt: skip
HERE = "https://github.com/steadyops/steadyops.ecs"
# How the code marks an assumption; a role that "is assumed by" somebody is not an assumption.
MARKED = re.compile(r"""\("?assumed|\bassumed\)|(?:is|are) assumed\b(?! by)|# assumed|; assumed: |Assumed of""")
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def arguments(module: str) -> dict[str, Any]:
    return importlib.import_module(f"ansible_collections.steadyops.ecs.plugins.modules.{module}").ARGUMENTS


def connection_options() -> set[str]:
    return set(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"])


def variables(role: str) -> dict[str, Any]:
    """Return the variables of a role from its argument spec."""
    spec = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())
    return spec["argument_specs"]["main"]["options"]


def known_names() -> set[str]:
    """Return options and their aliases, variables of roles, and keys of their dictionaries."""
    known: set[str] = set()

    def learn(specs: dict[str, Any]) -> None:
        for name, spec in specs.items():
            known.update({name, *spec.get("aliases", [])})
            learn(spec.get("options") or {})

    for module in ALL_MODULES:
        learn(arguments(module))
    for role in ROLES:
        learn(variables(role))
    return known


def test_the_readme_is_short():
    lines = README.read_text().splitlines()
    assert len(lines) <= 150
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == TEMPLATE
    assert len(plays(README)) == 3


def test_every_module_and_role_has_a_row_in_a_table():
    named: set[tuple[str, str]] = set()
    for names, kind in re.findall(r"^\| (`.*?`.*?) \| (\w+) \|", README.read_text(), re.MULTILINE):
        found = re.findall(r"`(\w+)`", names.replace("`_info`", ""))
        named |= {(name, kind) for name in found}
        named |= {(f"{name}_info", kind) for name in found if "(+ `_info`)" in names}
    wanted = {(name, "module") for name in ALL_MODULES} | {(name, "role") for name in ROLES}
    assert {each for each in named if each[1] in ("module", "role")} == wanted
    wanted = {(path.stem, kind) for kind in ("inventory", "test") for path in (ROOT / "plugins" / kind).glob("*.py")}
    assert {each for each in named if each[1] in ("inventory", "test")} == wanted


def test_filters_and_playbooks_are_in_the_readme():
    text = README.read_text()
    filters = {path.stem for path in (ROOT / "plugins/filter").glob("recycle_*.yml")} - {
        "recycle_options",  # parts of playbooks and roles that are documented as such
        "recycle_variables",
    }
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml") if not path.stem.startswith("eda_")}
    rulebooks = {path.stem for path in (ROOT / "extensions/eda/rulebooks").glob("*.yml")}
    missing = [name for name in {*filters, *playbooks, *rulebooks, "ecs_event"} if f"`{name}`" not in text]
    assert missing == []


@pytest.mark.parametrize("name", ALL_MODULES)
def test_every_module_is_run_end_to_end(name):
    """A test of tests/end_to_end has a task, a function or a play with the module."""
    tests = [path.read_text() for path in sorted((ROOT / "tests/end_to_end").glob("test_*.py"))]
    assert [text for text in tests if re.search(rf"(?:steadyops\.ecs\.|\b){name}\b", text)] != []


def test_options_in_the_texts_exist():
    # Fields of services and of what others offer.
    of_others = {"maintain_service_state", "force_new_deployment", "propagateTags"}
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"`([A-Za-z_]+)(?:\.[a-z_]+)*: [^`\n]+`", document.read_text())
    } - of_others
    assert len(named) > 12
    assert named <= known_names()


@every_document
def test_options_in_the_plays_exist(document):
    for play in plays(document):
        for task in play.get("tasks", []):
            for name, options in task.items():
                if name.startswith("steadyops.ecs."):
                    known = arguments(name.removeprefix("steadyops.ecs.")).keys() | connection_options()
                    assert options.keys() <= known
            if "ansible.builtin.include_role" in task:
                role = task["ansible.builtin.include_role"]["name"].removeprefix("steadyops.ecs.")
                assert task["vars"].keys() <= variables(role).keys()
        for each in play.get("roles", []):
            assert each.keys() - {"role"} <= variables(each["role"].removeprefix("steadyops.ecs.")).keys()


@every_document
def test_links_reach_what_exists(document):
    text = document.read_text()
    links = re.findall(r"(?:\]\(|^   :target: |`__$|<)(https?://[^)>\s]+)", text)
    links += re.findall(r"^\.\. image:: (\S+)", text, re.MULTILINE)
    links += re.findall(r"\]\(([^)]*)\)", text) if document.suffix == ".md" else []
    assert [link for link in links if not link.startswith(("https://", "http://127.0.0.1"))] == []
    own = [link.partition("/main/")[2] for link in links if re.match(rf"{HERE}/(?:blob|raw)/main/", link)]
    names = {name.partition("#")[0] for name in own}
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_references_between_the_guides_exist():
    label = re.compile(r"^\.\. _(ansible_collections\S+):$", re.MULTILINE)
    labels = Counter(found for guide in GUIDES for found in label.findall(guide.read_text()))
    assert labels == Counter(f"ansible_collections.steadyops.ecs.docsite.{guide.stem}" for guide in GUIDES)
    used = {label for guide in GUIDES for label in re.findall(r":ref:`([^`]+)`", guide.read_text())}
    assert used <= set(labels)


def test_every_guide_is_listed_and_linked():
    listed = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text())["sections"]
    assert sorted(name for section in listed for name in section["toctree"]) == [guide.stem for guide in GUIDES]
    text = README.read_text()
    assert [guide.name for guide in GUIDES if f"docs/docsite/rst/{guide.name}" not in text] == []


def test_plugins_in_the_guides_exist():
    for guide in GUIDES:
        for name, kind in re.findall(r":ansplugin:`steadyops\.ecs\.(\w+)#(\w+)`", guide.read_text()):
            folder = ROOT / ("roles" if kind == "role" else f"plugins/{'modules' if kind == 'module' else kind}")
            assert [*folder.glob(f"{name}.*"), *folder.glob(name)], f"{guide.name}: {name}"


@every_document
def test_commands_exist(document):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^    |`)make ([a-z-]+)", document.read_text(), re.MULTILINE)) <= set(targets)


def test_inventories_have_options_that_exist():
    source = (ROOT / "plugins/inventory/ecs_services.py").read_text()
    own = yaml.safe_load(re.search(r'DOCUMENTATION = r"""(.*?)"""', source, re.DOTALL)[1])["options"]
    of_fragments = {"region", "assume_role_arn", "compose", "groups", "keyed_groups", "strict"}
    found = [each for document in DOCUMENTS for each in inventories(document)]
    assert len(found) >= 3
    assert {name for each in found for name in each} <= {*own, *of_fragments}
    composed = {name for each in found for name in each.get("compose", {})}
    assert composed <= variables("service_recycle").keys()


def sentences(text: str) -> list[str]:
    """Return the sentences of ten or more words, without markup, examples and tables."""
    kept: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        prose = not fenced and not line.startswith(("```", "    ", "|", "  Copyright", "  GNU"))
        kept.append(re.sub(r"[`*]|^[-*] ", "", line.strip()) if prose else "")
    paragraphs = [" ".join(part.split()) for part in "\n".join(kept).split("\n\n")]
    found = [each for part in paragraphs for each in re.split(r"(?<=[.:]) ", part)]
    return [each for each in found if len(each.split()) >= 10]


def test_no_sentence_stands_in_two_places():
    others = [*sorted((ROOT / "roles").glob("*/README.md")), ROOT / "extensions/eda/README.md", ROOT / "awx/README.md",
              ROOT / "tests/sandbox/README.md", ROOT / "CONTRIBUTING.md"]  # fmt: skip
    places: dict[str, list[str]] = {}
    for document in [*DOCUMENTS, *others]:
        for sentence in set(sentences(document.read_text())):
            places.setdefault(sentence, []).append(str(document.relative_to(ROOT)))
    assert {sentence: where for sentence, where in places.items() if len(where) > 1} == {}


def test_every_assumption_of_the_code_is_in_the_guide():
    """``untried.rst`` names each file of the collection and of the sandbox that has the word."""
    guide = (ROOT / "docs/docsite/rst/untried.rst").read_text()
    marked = {
        str(path.relative_to(ROOT))
        for folder in ("plugins", "tests/sandbox")
        for path in (ROOT / folder).rglob("*.py")
        if MARKED.search(path.read_text())
    }
    named = set(re.findall(r"``((?:plugins|tests)/[\w/]+\.py)``", guide))
    assert named == marked
