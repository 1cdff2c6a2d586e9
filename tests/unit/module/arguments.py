# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the end of a module in this process, with arguments as Ansible passes them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any

import pytest
from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.19

    @contextmanager
    def patch_module_args(args):
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = None


@contextmanager
def given(**arguments: Any):
    """Provide the arguments of a module. Those of Ansible itself have an underscore (``_ansible_check_mode``)."""
    with patch_module_args(arguments):
        yield


@contextmanager
def given_as_text(text: str):
    """Provide the arguments as the text that Ansible sends, which may contain more than its own encoder accepts."""
    with patch_module_args({}):
        basic._ANSIBLE_ARGS = text.encode()
        yield


def ended(call, capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    """Return the result of a module that exits in ``call()``."""
    with given(**arguments), pytest.raises(SystemExit):
        call()
    return json.loads(capsys.readouterr().out)
