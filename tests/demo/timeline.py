# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what happens to the service, line by line, while a playbook runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.sandbox.client import Sandbox

Row = tuple[float, str]  # instant, words


class Timeline:
    """Reads the journal of the sandbox, and prints what is new in it."""

    def __init__(self, sandbox: Sandbox, service: str, old: set[str] | None = None) -> None:
        """``old``: the tasks to call old. If omitted, the tasks that exist now."""
        self.sandbox = sandbox
        self.service = service
        self.speed: float = sandbox.state()["speed"]
        self.calls: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        found = sandbox.find(service)
        self.old = old or {task["arn"] for task in found["tasks"]}
        self.healthy, self.desired = found["healthy"], found["desired"]
        self.lowest, self.highest = self.healthy, self.desired
        state = sandbox.state()
        self.seen_calls, self.seen_until = state["calls"], state["now"]
        self.began: float | None = None  # when the first line was due
        print("    time  healthy  tasks")

    @property
    def writes(self) -> list[dict[str, Any]]:
        return [call for call in self.calls if call["write"]]

    @property
    def stops(self) -> int:
        """Return how many old tasks were stopped."""
        return len({call["parameters"].get("task") for call in self.writes} & self.old)

    def update(self) -> None:
        """Print what has happened since the last call. The last line also gets the picture of the tasks."""
        news = self.sandbox.ask("GET", f"journal?since={self.seen_calls}&since_time={self.seen_until}")
        changes = [change for change in news["changes"] if change not in self.changes[-20:]]
        self.seen_calls += len(news["calls"])
        self.seen_until = max([self.seen_until, *(change["time"] for change in changes)])
        self.calls += news["calls"]
        self.changes += changes
        # A call's effect is in the journal just after the call, so update the counts before printing the call.
        rows: list[tuple[float, dict[str, Any]]] = [(change["time"], change) for change in changes]
        rows += [(call["time"] + 0.02, call) for call in news["calls"] if call["write"]]
        told = [row for time, each in sorted(rows, key=lambda row: row[0]) for row in self.tell(time, each)]
        for number, (time, words) in enumerate(told):
            picture = self.picture() if number == len(told) - 1 else ""
            print(f"{words.format(clock=self.clock(time), picture=picture)}", flush=True)

    def tell(self, time: float, each: dict[str, Any]) -> Iterator[Row]:
        if "operation" in each:
            words = describe(each, self.old)
        else:
            words = "a new task is healthy" if each["healthy"] > self.healthy else ""
            words = words or (f"a new task ended: {each['cause']}" if each["cause"] == "TaskFailedToStart" else "")
            self.healthy, self.desired = each["healthy"], each["desired"]
            self.lowest, self.highest = min(self.lowest, self.healthy), max(self.highest, self.desired)
        if words:
            yield time, f"{{clock:>8}}  {self.healthy} of {self.desired:<3}  {{picture:<7}}{words}"

    def clock(self, time: float) -> str:
        self.began = time if self.began is None else self.began
        return str(timedelta(seconds=round((time - self.began) * self.speed)))

    def picture(self) -> str:
        """Draw each task: o is an old one, N a new one, and a dot one that is not healthy yet."""
        tasks = [task for task in self.sandbox.find(self.service)["tasks"] if task["desired_status"] == "RUNNING"]
        return "".join("." if not task["healthy"] else "o" if task["arn"] in self.old else "N" for task in tasks)


def describe(call: dict[str, Any], old: set[str]) -> str:
    given = call["parameters"]
    words = {
        "TagResource": "record of the run written",
        "UntagResource": "record removed",
        "UpdateService": f"desired count set to {given.get('desiredCount')}",
        "StopTask": f"{'old' if given.get('task') in old else 'added'} task {given.get('task', '')[-6:]} stopped",
    }
    if call["operation"] == "RegisterScalableTarget":
        return f"scaling in {'suspended' if given['SuspendedState']['DynamicScalingInSuspended'] else 'resumed'}"
    return words[call["operation"]]
