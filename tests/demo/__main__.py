# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.demo: a playbook recycles a service of the sandbox, is killed, and meets a launch that fails.

Then another playbook sets up alerts, and failures happen.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import RECORD_TAG, TOKENS_TAG

from tests.sandbox.client import Sandbox

from .alerts import alerts
from .timeline import Timeline

PLAYBOOK = os.path.relpath(Path(__file__).with_name("recycle.yml"))
SPEED, TASKS = 60, 4
NO_IMAGE = "CannotPullContainerError: the image of this tag is not in the registry"


class Story:
    """Runs the playbook for each chapter, and keeps whether its expectations held."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.results: list[bool] = []
        self.service = sandbox.service(
            "web",
            cluster="demo",
            tasks=TASKS,
            health_check=True,
            target_groups=1,
            scaling={"min": 2, "max": 8},
            tags={"team": "shop"},
        )
        sandbox.act("policy_wants", "web", desired=TASKS)  # so the policy scales in every task above this

    def expect(self, what: str, holds: bool) -> None:
        print(f"  {'ok    ' if holds else 'FAILED'}  {what}")
        self.results.append(holds)

    def run(
        self,
        token: str,
        old: set[str] | None = None,
        kill: Callable[[Timeline], bool] = lambda _timeline: False,
    ) -> tuple[Timeline, Ended]:
        command = ["ansible-playbook", PLAYBOOK, "-e", f"token={token}"]
        print(f"\n$ {' '.join(command)}")
        timeline = Timeline(self.sandbox, "web", old)
        process = subprocess.Popen(
            command,
            env={**os.environ, "AWS_URL": self.sandbox.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                timeline.update()
                if kill(timeline):
                    self.kill(process)
                time.sleep(0.1)
        finally:
            if process.poll() is None:  # after Ctrl-C
                process.terminate()
        timeline.update()
        ended = Ended(process)
        print(f"    {ended.recap}")
        return timeline, ended

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Send SIGKILL to the module, whose process id is part of the owner in the record, and to Ansible."""
        print("          SIGKILL", flush=True)
        owner = re.search(r"w=\w+\.(\d+)\.", self.sandbox.find("web")["tags"][RECORD_TAG])
        assert owner
        os.kill(int(owner[1]), signal.SIGKILL)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def expect_as_before(self, timeline: Timeline, replaced: int = TASKS) -> None:
        now = self.sandbox.find("web")
        kept = timeline.old & {task["arn"] for task in now["tasks"] if task["desired_status"] == "RUNNING"}
        self.expect(f"{replaced} of {TASKS} tasks were replaced", len(kept) == TASKS - replaced)
        self.expect(f"never fewer than {TASKS} healthy tasks", timeline.lowest >= TASKS)
        self.expect(f"desired count {TASKS} as before", now["desired"] == TASKS)
        self.expect("scaling switches as before", now["scaling"] == self.service["scaling"])
        tags = {key: value for key, value in now["tags"].items() if key != TOKENS_TAG}
        self.expect("tags as before, but for the memory of tokens", tags == self.service["tags"])


class Ended:
    """How a playbook ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        output = process.stdout.read()
        self.code = process.returncode
        fatal = re.search(r"^fatal: .*? => ({.*})$", output, re.MULTILINE)
        self.result: dict[str, Any] = json.loads(fatal[1]) if fatal else {}
        recap = re.search(r"^localhost .*changed=(\d+).*failed=(\d+)", output, re.MULTILINE)
        self.changed = recap is not None and recap[1] == "1"
        self.recap = " ".join(recap[0].split()) if recap else "killed" if self.code < 0 else output


def main() -> int:
    began = time.monotonic()
    print(f"A sandbox on loopback stands in for AWS, {SPEED} times as fast; times below are AWS's.")
    print(f"Its service web has {TASKS} tasks, a container health check, a target group, and a scaling policy")
    print(f"that removes tasks above {TASKS}. o: old task, N: new task, dot: not healthy yet.")
    with Sandbox.start(speed=SPEED) as sandbox:
        story = Story(sandbox)
        for number, chapter in enumerate((recycle, again, killed, no_image, tell), 1):
            print(f"\n{number}. {chapter.__doc__}")
            chapter(story)
    kept, broken = story.results.count(True), story.results.count(False)
    print(f"\n{kept} of {kept + broken} expectations held, in {time.monotonic() - began:.0f} s.")
    return 1 if broken else 0


def recycle(story: Story) -> None:
    """Four tasks are replaced, one after another."""
    timeline, ended = story.run("release-1")
    story.expect("the playbook changed something", ended.code == 0 and ended.changed)
    story.expect_as_before(timeline)


def again(story: Story) -> None:
    """The same playbook again: nothing is left to do."""
    timeline, ended = story.run("release-1")
    story.expect("the playbook changed nothing", ended.code == 0 and not ended.changed)
    story.expect(f"{len(timeline.calls)} calls to AWS, none of which writes", not timeline.writes)


def killed(story: Story) -> None:
    """A run is killed after its second stop, with no chance to tidy up."""
    first, _ended = story.run("release-2", kill=lambda timeline: timeline.stops == 2)
    left = story.sandbox.find("web")
    story.expect(f"left behind: desired count {left['desired']}", left["desired"] == TASKS + 1)
    story.expect("left behind: scaling in suspended", left["scaling"]["dynamic_in"])
    story.expect("left behind: the record of it", RECORD_TAG in left["tags"])
    print("\n   The same task run again finishes the work.")
    second, ended = story.run("release-2", old=first.old)
    story.expect("the playbook changed something", ended.code == 0 and ended.changed)
    story.expect(f"{TASKS} old tasks stopped in both runs together", first.stops + second.stops == TASKS)
    story.expect(f"the desired count was never above {TASKS + 1}", max(first.highest, second.highest) == TASKS + 1)
    second.lowest = min(first.lowest, second.lowest)
    story.expect_as_before(second)


def no_image(story: Story) -> None:
    """The image is gone from the registry, so no new task can start."""
    story.sandbox.fault("launch_fails", service="web", reason=NO_IMAGE)
    timeline, ended = story.run("release-3")
    print(f"    {ended.result.get('msg')}")
    story.expect("the playbook failed, and says why", ended.code != 0 and NO_IMAGE in ended.result.get("msg", ""))
    story.expect("no old task was stopped", timeline.stops == 0)
    story.expect_as_before(timeline, replaced=0)


def tell(story: Story) -> None:
    """Failures are reported, and nothing else."""
    alerts(story.sandbox, story.expect)


if __name__ == "__main__":
    sys.exit(main())
