# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate the expressions of states that use JSONata. A package from PyPI implements the language itself."""

from __future__ import annotations

import copy
import functools
import re
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException

from .asl_paths import AslError

EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


@functools.cache
def parsed(text: str) -> Jsonata:
    return Jsonata(text)


def evaluate(template: Any, states: dict[str, Any]) -> Any:
    """Return a template with its expressions evaluated. They see ``states`` as ``$states``."""
    if isinstance(template, dict):
        return {key: evaluate(value, states) for key, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, states) for value in template]
    match = EXPRESSION.fullmatch(template) if isinstance(template, str) else None
    if match is None:
        return template
    try:
        expression = parsed(match[1])
        frame = expression.create_frame()
        frame.bind("states", copy.deepcopy(states))
        value = plain(expression.evaluate(None, frame))
    except JException as problem:
        raise AslError("States.QueryEvaluationError", f"{template}: {problem}") from None
    if value is None:  # nothing found, which Step Functions does not accept as a value
        raise AslError("States.QueryEvaluationError", f"The expression returned nothing (undefined): {template}")
    return value


def plain(value: Any) -> Any:
    """Convert the package's own list type to plain lists."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value
