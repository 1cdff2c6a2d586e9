# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jinja tests and filters: each one is documented, and each documentation belongs to one."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.module.odd_values import odd_values

PLUGINS = Path(__file__).parents[3] / "plugins"
PACKAGE = "ansible_collections.steadyops.ecs.plugins."
FQCN = "steadyops.ecs."


def functions(kind):
    found = {}
    for path in (PLUGINS / kind).glob("*.py"):
        module = importlib.import_module(f"{PACKAGE}{kind}.{path.stem}")
        found |= module.TestModule().tests() if kind == "test" else module.FilterModule().filters()
    return found


@pytest.mark.parametrize(("kind", "usage"), [("test", "is {name}("), ("filter", "| {name}")])
def test_each_has_documentation_that_can_be_shown(kind, usage):
    found = functions(kind)
    names = sorted(found)
    assert names == sorted(path.stem for path in (PLUGINS / kind).glob("*.yml"))
    command = ["ansible-doc", "--type", kind, "--json", *(FQCN + name for name in names)]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name in names:
        told = shown[FQCN + name]
        assert told["doc"]["short_description"]
        assert told["return"]["_value"]["type"]
        assert usage.format(name=FQCN + name) in told["examples"]
        assert yaml.safe_load(told["examples"])
        takes = inspect.signature(found[name]).parameters
        options = told["doc"]["options"]
        _input, *others = takes
        assert options.keys() == {"_input", *others}
        for name_of_option in others:
            default = takes[name_of_option].default
            required = default is inspect.Parameter.empty
            assert options[name_of_option].get("required", False) == required
            if not required:
                told_default = options[name_of_option]["default"]
                assert told_default == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize("kind", ["test", "filter"])
def test_a_file_is_named_after_one_that_it_has(kind):
    """Galaxy takes each file name for a plugin name, and lists it without documentation if there is no such plugin."""
    names = functions(kind).keys()
    assert [path.stem for path in (PLUGINS / kind).glob("*.py") if path.stem not in names] == []


def test_what_cannot_be_decided_is_an_error_of_ansible():
    ask = functions("test")["matches_event_pattern"]
    assert ask({"a": 1}, {"a": [1]})
    for event, pattern in (({}, {}), ({}, "{"), ("[]", {"a": [1]}), ({}, {"a": 1}), (None, {"a": [1]})):
        with pytest.raises(AnsibleError, match=r"^steadyops\.ecs\.matches_event_pattern: the "):
            ask(event, pattern)


def test_what_no_summary_can_be_made_of_is_an_error_of_ansible():
    filters = functions("filter")
    for name in ("recycle_table", "recycle_totals", "recycle_page"):
        for summary in ([], {"web": {"name": "web"}}, {"web": {"name": "web", "status": "gone"}}, {"web": {"a": 1}}):
            with pytest.raises(AnsibleError, match=rf"^steadyops\.ecs\.{name}: "):
                filters[name](summary)
    for name, more in (("recycle_row", ["web"]), ("recycle_notice", ["prod", "web"])):
        with pytest.raises(AnsibleError, match=rf"^steadyops\.ecs\.{name}: the input must be a dictionary"):
            filters[name]("text", *more)


def results():
    """Draw results that a recycle may return, intact or with odd values in them."""
    keys = ("replaced", "remaining", "seconds", "timeline", "failed", "message")
    good = {"name": st.just("web") | odd_values, "status": st.just("recycled") | odd_values}
    row = st.fixed_dictionaries(good, optional=dict.fromkeys(keys, odd_values))
    result = st.fixed_dictionaries({"recycle": row | odd_values}, optional={"failed": odd_values, "msg": odd_values})
    return odd_values | result | st.dictionaries(st.sampled_from(["web", ""]), row | odd_values, max_size=2)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ("filter", "test") for name in functions(kind)])
def test_odd_values_are_errors_of_ansible(kind, name):
    function = functions(kind)[name]
    arguments_of = st.fixed_dictionaries(dict.fromkeys(inspect.signature(function).parameters, results()))

    @settings(max_examples=examples(30), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(arguments_of)
    def holds(arguments):
        try:
            function(**arguments)
        except AnsibleError as error:
            words = str(error)
        else:
            return
        assert words.startswith(FQCN + name)

    holds()
