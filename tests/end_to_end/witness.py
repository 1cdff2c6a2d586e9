# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened to a service, from the sandbox's journal, and what must be true of it whatever else happens."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.programs import until
from tests.sandbox.client import Sandbox

RECORD_TAG, TOKENS_TAG = "steadyops.ecs/recycle", "steadyops.ecs/recycle-tokens"


class Witness:
    """Records the state of a service now, and compares it later."""

    def __init__(self, sandbox: Sandbox, name: str = "web") -> None:
        self.sandbox, self.name = sandbox, name
        self.before = sandbox.find(name)
        self.desired: int = self.before["desired"]
        self.old = {task["arn"] for task in self.before["tasks"] if task["desired_status"] == "RUNNING"}
        self._calls = sandbox.state()["calls"]

    # What happened.

    def calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        found = self.sandbox.journal(since=self._calls)["calls"]
        return [call for call in found if operation in (None, call["operation"])]

    def writes(self) -> list[str]:
        """Return the names of the operations that changed something, in order."""
        return [call["operation"] for call in self.calls() if call["write"] and done(call)]

    def stops(self) -> list[str]:
        """Return the ARNs of the tasks that the module stopped with StopTask, each once, in order.

        Tasks that the module added and withdrew are not included: ECS may look at the service between a stop and the
        lower count, and then starts one task too many. The tests on the virtual clock count how many are started,
        because the load of the machine does not matter there.
        """
        return self._stopped(withdrawn=False)

    def withdrawn(self) -> list[str]:
        """Return the ARNs of the tasks that were added and stopped again before they were good."""
        return self._stopped(withdrawn=True)

    def _stopped(self, withdrawn: bool) -> list[str]:
        asked = [call["parameters"] for call in self.calls("StopTask") if done(call)]
        return list(
            dict.fromkeys(each["task"] for each in asked if ("and withdrawn" in each.get("reason", "")) is withdrawn)
        )

    def stopped(self) -> set[str]:
        """Return the stopped tasks that existed before."""
        return self.old & set(self.stops())

    def changes(self) -> list[dict[str, Any]]:
        return self.sandbox.journal(self.name)["changes"]

    def now(self) -> dict[str, Any]:
        return self.sandbox.find(self.name)

    def record(self) -> str | None:
        found: str | None = self.now()["tags"].get(RECORD_TAG)
        return found

    # What must be true.

    def kept(self, floor: int | None = None, surge: int = 1) -> None:
        """Assert that there were never too few healthy tasks, and that the desired count was never too high."""
        lowest = min(self.changes(), key=lambda change: change["healthy"])
        assert lowest["healthy"] >= (self.desired if floor is None else floor), f"{lowest} in\n{self.story()}"
        assert max(change["desired"] for change in self.changes()) <= self.desired + surge

    def story(self) -> str:
        """Return one line for each write of every run and each change of the service, to explain a rare failure."""
        writes = [
            (call["time"], f"{call['operation']} {call['parameters']}: {call['outcome']}")
            for call in self.calls()
            if call["write"]
        ]
        changes = [(change["time"], str({**change, "time": ""})) for change in self.changes()]
        return "\n".join(f"{time:.2f} {what}" for time, what in sorted(writes + changes))

    def given_back(self, tokens: bool = False) -> None:
        """Assert that desired count, scaling switches and tags are as before, and that this many tasks run."""
        now = until(self._settled, f"{self.desired} tasks of {self.name}")
        assert now["desired"] == self.desired
        assert now["scaling"] == self.before["scaling"]
        left = {key: value for key, value in now["tags"].items() if key != TOKENS_TAG or not tokens}
        assert left == self.before["tags"]

    def _settled(self) -> dict[str, Any] | None:
        now = self.now()
        return now if (now["running"], now["pending"]) == (self.desired, 0) else None

    def replaced(self, stale: set[str] | None = None, tokens: bool = False) -> None:
        """Assert that all stale tasks are gone, no other task was stopped, and everything is given back."""
        stale = self.old if stale is None else stale
        assert set(self.stops()) == stale
        assert self.old & set(self.withdrawn()) == set(), "only what was added is withdrawn"
        self.given_back(tokens)
        assert {task["arn"] for task in self.now()["tasks"] if task["desired_status"] == "RUNNING"} & self.old == (
            self.old - stale
        )

    def untouched(self) -> None:
        """Assert that nothing was written."""
        assert self.writes() == []
        assert [call for call in self.calls() if call["write"]] == []


def done(call: dict[str, Any]) -> bool:
    """Return whether a call was carried out, even if its answer was lost."""
    outcome = str(call["outcome"])
    return outcome in ("ok", "held") or outcome.startswith("ok,") or outcome.endswith(", carried out")
