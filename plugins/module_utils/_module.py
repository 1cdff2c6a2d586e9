# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Start and end of every module of the collection.

A module consists of its documentation, its arguments, one function ``work(module, check_mode) -> Outcome``, and
``run(ARGUMENTS, work, about="service {service} of cluster {cluster}")``. A module that manages the state of a
resource ends its work with ``_converge.converge``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ._amazon import AwsModule
from ._core.errors import CallFailed, Failed, Refused
from ._core.plain_text import printable


@dataclass(frozen=True)
class Outcome:
    """How the work ended.

    ``results`` are the keys that the module returns. ``before`` and ``after`` are shown as the diff.
    With ``failure`` the task fails, but still returns everything else. Its text says what failed on which
    resource, what AWS said and what to do. For a failed call, ``finish`` adds the resource. ``done`` lists
    the writes that were made before the failure.
    """

    changed: bool = False
    results: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    warnings: Sequence[str] = ()
    failure: Exception | str | None = None
    done: Sequence[str] = ()


def start(arguments: Mapping[str, Any], **rules: Any) -> AwsModule:
    """Return the Ansible module, with ``arguments`` and amazon.aws's connection options. All support check mode."""
    return AwsModule(argument_spec=dict(arguments), supports_check_mode=True, **rules)


def run(arguments: Mapping[str, Any], work: Callable[[AwsModule, bool], Outcome], about: str, **rules: Any) -> NoReturn:
    """Read the arguments, do the work and report the outcome to Ansible.

    ``work`` gets the module and whether check mode is on; only this function asks for check mode. ``about`` names
    the subject of the work in messages, with option names in braces.
    """
    module = start(arguments, **rules)
    try:
        outcome = work(module, module.check_mode)
    except (Refused, Failed, CallFailed) as error:
        outcome = Outcome(failure=error)
    # Call this outside of the handler above: fail_json adds a traceback while an exception is being handled.
    finish(module, outcome, about.format(**module.params))


def finish(module: AwsModule, outcome: Outcome, about: str) -> NoReturn:
    """Return the outcome to Ansible and exit."""
    for warning in outcome.warnings:
        module.warn(printable(warning))
    returned = dict(outcome.results, changed=outcome.changed)
    if outcome.before is not None or outcome.after is not None:
        returned["diff"] = {"before": dict(outcome.before or {}), "after": dict(outcome.after or {})}
    if outcome.failure is None:
        module.exit_json(**returned)
    said = str(outcome.failure)
    if isinstance(outcome.failure, CallFailed):  # other failures name the resource themselves
        said = f"{about} in {module.region}: {said}" if module.region else f"{about}: {said}"
    if outcome.done:
        said = f"{said}. Done before that: {', '.join(outcome.done)}"
    module.fail_json(msg=printable(said), **returned)
