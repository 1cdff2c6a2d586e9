# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A message about one recycle: what will be done, or what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..plain_text import one_line
from .rows import FAILED, RESTORED, UNCHANGED

STARTED = "started"
_SUBJECT = 99  # characters; Amazon SNS accepts no more, and only ASCII
_LISTED = 20  # tasks that a message names


def make_notice(
    result: Mapping[str, Any], cluster: str, service: str, started: bool = False, prefix: str = "", message: str = ""
) -> dict[str, str]:
    """Return ``event``, ``subject`` and ``body``. ``message`` says why it failed if the result does not."""
    recycle: Mapping[str, Any] = result.get("recycle") or {}
    why = one_line(result.get("msg") if result.get("failed") else message)
    event = FAILED if why or not recycle else STARTED if started else str(recycle.get("status"))
    words = _words(event, recycle)
    head = " ".join(filter(None, [one_line(prefix), f"{event}: {_last(service)} in {_last(cluster)}, {words[0]}"]))
    lines = [f"Service  {one_line(service)}", f"Cluster  {one_line(cluster)}", "", *words[1], *([why] if why else [])]
    return {
        "event": event,
        "subject": head.encode("ascii", "replace").decode()[:_SUBJECT].rstrip(),
        "body": "\n".join([*lines, *_details(event, recycle, why)]),
    }


def _words(event: str, recycle: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the words for the subject and the first lines of the body."""
    replaced, left = len(recycle.get("replaced") or ()), len(recycle.get("remaining") or ())
    seconds = f"{float(recycle.get('seconds') or 0):.0f} s"
    if event == STARTED:
        plan: Mapping[str, Any] = recycle.get("plan") or {}
        count, steps = _count(len(plan.get("tasks") or ()), "task"), _count(plan.get("steps"), "step")
        return f"{count} to be replaced", [
            f"{count} will be replaced, with {plan.get('surge')} added first and in {steps}.",
            f"At least {plan.get('minimum_healthy')} stay healthy.",
        ]
    if event == UNCHANGED:
        return "nothing to replace", ["No task was stale, so nothing was changed."]
    if event == RESTORED:
        return "given back", ["What an interrupted run left behind was given back. No task was replaced."]
    if event == FAILED:
        done = f"{_count(replaced, 'task')} replaced, {left} left" if recycle else "nothing was done"
        return done, [f"The run failed after {seconds}: {done}." if recycle else "The run failed before it began."]
    return f"{_count(replaced, 'task')} replaced", [
        f"{_count(replaced, 'task')} replaced in {seconds}." + (f" {left} are left for the next run." if left else "")
    ]


def _details(event: str, recycle: Mapping[str, Any], why: str) -> Iterable[str]:
    """Yield the other lines of the body. They do not repeat ``why``, which the body already has."""
    if event in (STARTED, UNCHANGED) or not recycle:
        return
    capacity: Mapping[str, Any] = recycle.get("capacity") or {}
    if capacity.get("before") is not None:
        yield ""
        yield f"Desired count  {capacity['before']} before, {capacity.get('peak')} at most, {capacity.get('after')} now"
    if recycle.get("minimum_healthy") is not None:
        yield f"Least healthy  {recycle['minimum_healthy']}"
    yield from _listed("Replaced", [
        f"{_last(each['task'])} by {', '.join(map(_last, each['new_tasks'])) or 'none'}, {each['seconds']} s"
        for each in recycle.get("replaced") or ()
    ])  # fmt: skip
    yield from _listed("Failed", [
        ": ".join(filter(None, [_last(each["task"]), _unsaid(one_line(each["reason"]), why)]))
        for each in recycle.get("failures") or ()
    ])  # fmt: skip
    yield from _listed("Skipped", [
        f"{_last(each['task'])}: {one_line(each['reason'])}" for each in recycle.get("skipped") or ()
    ])  # fmt: skip
    if event == FAILED:
        yield ""
        yield "Run the same job again to continue. It replaces only tasks that are still stale."


def _listed(title: str, lines: list[str]) -> Iterable[str]:
    if not lines:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  {line}" for line in lines[:_LISTED])
    if len(lines) > _LISTED:
        yield f"  and {len(lines) - _LISTED} more"


def _unsaid(reason: str, why: str) -> str:
    return "as above" if reason and reason.rstrip(".") in why else reason


def _count(count: object, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _last(name: object) -> str:
    """Return the last part of an ARN, or a name unchanged."""
    return one_line(name).rsplit("/", 1)[-1]
