# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole plans of the roles that plan in Python, one file for each: the variables, and everything that is written.

After an intended change, write the files again and read the difference:

    .venv/bin/python -m tests.unit.core.stacks.golden_plans
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import tests.conftest  # noqa: F401 - the collection as it is now, as under pytest

from tests.unit.core.stacks import launch_retry_world as retry

WIDTH = 118
Planned = tuple[dict[str, Any], dict[str, Any]]  # the variables, and the plan for them


def new_retry(**more: Any) -> Planned:
    variables = {**retry.LEAST, **more}
    return variables, retry.plan(variables, retry.nothing(variables))


def changed_retry() -> Planned:
    """Some variables differ from what stands, and somebody has changed what the role wrote."""
    stack = retry.after(retry.LEAST)
    by_hand = {"handler": "x.y", "description": "x", "memory_size": 256, "dead_letter_arn": None}
    stack["functions"][retry.NAME].update(by_hand)
    stack["event_source_mappings"][retry.NAME][0].update(state="Disabled", batch_size=1)
    stack["alarms"][f"{retry.NAME}-dead-letters"].update(threshold=5.0)
    stack["rules"][f"{retry.NAME}-stopped"]["targets"][0]["dead_letter_arn"] = None
    variables = {**retry.LEAST, **retry.CHANGED}
    return variables, only_changes(retry.plan(variables, stack), "concurrency")


def only_changes(planned: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Without the parameters, which are those of a new stack, but for these."""
    return {key: planned[key] for key in (*keys, "changes", "result", "notes")}


def subscribed_retry() -> Planned:
    """Without what is the same as with a rule."""
    as_rule = retry.plan(retry.LEAST, retry.nothing(retry.LEAST))
    planned = retry.plan(retry.LOG, retry.with_trail(retry.nothing(retry.LOG)))
    return retry.LOG, {key: value for key, value in planned.items() if value != as_rule[key]}


PLANS: dict[str, Callable[[], Planned]] = {
    "launch_retry_least": new_retry,
    "launch_retry_every_variable": lambda: new_retry(**retry.EVERY_VARIABLE),
    "launch_retry_changed": changed_retry,
    "launch_retry_log_subscription": subscribed_retry,
}


def path_of(name: str) -> Path:
    return Path(__file__).parent / "golden" / f"{name}.json"


def golden(name: str) -> str:
    """The file of a plan, without its empty lists. What fits into a line is in one."""
    variables, planned = PLANS[name]()
    shown = {key: value for key, value in planned.items() if value}
    tasks = {each["task"]: list(map(_change, each["items"])) for each in planned["changes"]}
    return text({"variables": variables, **shown, "changes": tasks}) + "\n"


def _change(item: dict[str, Any]) -> Any:
    """What changes of an item. Of something new it is what the parameters say already."""
    return item if item["before"] is not None else item["label"]


def text(value: Any, indent: int = 0, used: int = 0) -> str:
    """JSON with as much in a line as fits. ``used`` counts what else has to be in the first line and the last one."""
    line = json.dumps(value, ensure_ascii=False)
    if indent + used + len(line) <= WIDTH or not isinstance(value, (dict, list)):
        return line
    named = isinstance(value, dict)
    members = [(f"{json.dumps(key)}: ", value[key]) for key in value] if named else [("", each) for each in value]
    first, last = "{}" if named else "[]"
    if len(members) == 1:
        ((name, each),) = members
        return f"{first}{name}{text(each, indent, used + len(name) + 2)}{last}"
    lines = [""]
    for name, each in members:
        part = name + text(each, indent + 2, len(name) + 1) + ","
        if "\n" in part or "\n" in lines[-1] or indent + 3 + len(lines[-1]) + len(part) > WIDTH:
            lines.append(part)
        else:
            lines[-1] += f"{' ' if lines[-1] else ''}{part}"
    between = "\n" + " " * (indent + 2)
    return first + between + between.join(filter(None, lines)).removesuffix(",") + "\n" + " " * indent + last


def write() -> None:
    path_of("").parent.mkdir(exist_ok=True)
    for name in PLANS:
        path_of(name).write_text(golden(name))


if __name__ == "__main__":
    write()
