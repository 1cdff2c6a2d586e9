# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters share."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.plugin_utils._filters import checked, or_refused, without_prefix


def test_names_without_a_prefix():
    assert without_prefix("a_", {"a_b": 1, "b": 2, "a_a_c": 3}) == {"b": 2, "a_c": 3}


def test_a_refusal_is_a_value():
    def refuse():
        raise Refused("no")

    assert or_refused(lambda: {"find": 1}, find={}, more=()) == {"refused": "", "find": 1}
    assert or_refused(refuse, find={}) == {"refused": "no", "find": {}}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused("no"), "no"),
        (KeyError("secret"), "the input must be numbers (KeyError)"),
        (ValueError("secret"), "the input must be numbers (ValueError)"),
    ],
)
def test_errors_are_those_of_ansible(error, words):
    def double(number, fail=False):
        if fail:
            raise error
        return 2 * number

    filters = checked("numbers", double)
    assert filters.keys() == {"double"}
    assert filters["double"](2) == 4
    with pytest.raises(AnsibleFilterError) as raised:
        filters["double"](2, fail=True)
    assert str(raised.value) == f"steadyops.ecs.double: {words}"
    assert raised.value.__context__ is None
