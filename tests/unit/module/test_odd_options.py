# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No option value causes a traceback. Every module runs through its own entry point, in this process.

Each run uses a task of the module's EXAMPLES with one option or suboption replaced, and cannot reach AWS:
``aws_config`` names a setting that does not exist, so a module that accepts its options fails before its first call.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.module import arguments as module_arguments
from tests.unit.module.odd_values import odd_values

NAMES = sorted(path.stem for path in (Path(__file__).parents[3] / "plugins/modules").glob("*.py"))
NO_AWS = {"aws_config": {"no_such_setting": 1}, "region": "eu-central-1"}
ACCEPTED = "The connection to AWS cannot be set up"
TOGETHER = "The event pattern that kind"  # the message goes on: and its filters make is too long
UNREADABLE = "The options of the module cannot be read"  # Ansible itself cannot read them, and does not say which


def load(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.steadyops.ecs.plugins.modules.{name}")


def printed(main: Callable[[], None]) -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), pytest.raises(SystemExit):
        main()
    assert "Traceback" not in out.getvalue()
    out.getvalue().encode()
    return json.loads(out.getvalue(), parse_constant=pytest.fail)


def outcome(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what the module prints, which must be one object of strict JSON."""
    with module_arguments.given(**options):
        return printed(load(name).main)


@cache
def tasks(name: str) -> list[dict[str, Any]]:
    """Return the options of the tasks in the module's EXAMPLES that it accepts without Ansible's templates."""

    def inside(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [item[f"steadyops.ecs.{name}"] for item in items if f"steadyops.ecs.{name}" in item]
        return found + [task for item in items for key in ("tasks", "block") for task in inside(item.get(key, []))]

    found = [{**NO_AWS, **task} for task in inside(yaml.safe_load(load(name).EXAMPLES))]
    accepted = [options for options in found if outcome(name, options)["msg"].startswith(ACCEPTED)]
    assert accepted, "the module refuses all of its examples"
    return accepted


def places(arguments: dict[str, Any], at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the path of every option and suboption."""
    return [
        place
        for name, spec in arguments.items()
        for place in ((*at, name), *places(spec.get("options") or {}, (*at, name)))
    ]


def replaced(options: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return the options with another value at a place. A list on the way there has one entry."""
    name, *rest = place
    if not rest:
        return {**options, name: value}
    inner = options.get(name)
    first = (inner or [{}])[0] if isinstance(inner, list) else inner
    changed = replaced(first if isinstance(first, dict) else {}, tuple(rest), value)
    return {**options, name: [changed] if isinstance(inner, list) else changed}


def check(name: str, options: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    """Assert that the module fails with a message. It names the option, unless omitted, good, or read by Ansible."""
    result = outcome(name, options)
    assert result["failed"]
    assert not result.get("changed")
    assert "exception" not in result
    words = result["msg"]
    named = any(option in words for option in place) or "********" in words  # which hides a secret such as "a"
    assert value is None or named or words.startswith((ACCEPTED, UNREADABLE, TOGETHER)), words


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_value_ends_in_a_message_that_names_its_option(name):
    @settings(max_examples=examples(60), deadline=None, database=None)
    @given(st.sampled_from(tasks(name)), st.sampled_from(places(load(name).ARGUMENTS)), odd_values)
    def holds(options, place, value):
        check(name, replaced(options, place, value), place, value)

    holds()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_too_deep_to_read_ends_in_a_message(name):
    text = '{"ANSIBLE_MODULE_ARGS": {"name": %s}}' % ("[" * 5000 + "]" * 5000)
    with module_arguments.given_as_text(text):
        result = printed(load(name).main)
    assert result["msg"].startswith(UNREADABLE)
