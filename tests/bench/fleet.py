# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench.fleet: measure the memory of a play over a fleet, the time that its progress lines take, and
the same fleet in one process.

Runs real playbooks against the sandbox. It takes twenty minutes, because a module is started for each service. The time
of a fleet in one process is measured on a virtual clock, where the speed of this machine does not matter.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.run import FleetReport, Job, recycle_fleet
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.schedule import Limits
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.sandbox.client import Sandbox
from tests.sandbox.model.latencies import Latencies
from tests.sandbox.model.scheduler import Cluster
from tests.simulation.virtual_account import VirtualAccount

from .course import START

PLAYBOOK = "steadyops.ecs.service_recycle"
FLEETS = (50, 500)
MOST_GROWTH = 1.25  # of memory, from the smaller fleet to the larger one
MOST_OVERHEAD = 0.05  # fraction of the time of a run
PAIRS = 5  # pairs of a run with lines and a run without
# In AWS's seconds; here they pass a hundred times as fast.
LATENCIES = {"reaction": 5.0, "launch": 20.0, "health": 5.0, "target": 5.0, "unhealthy": 30.0, "stop": 30.0}
# One process: number of services, tasks of each, services at a time, and speed as a multiple of AWS's.
SERVICES, TASKS, AT_ONCE, SPEED = 500, 3, 100, 2
YARDSTICK = {"reaction": 10.0, "launch": 40.0, "health": 20.0, "target": 20.0, "unhealthy": 60.0, "stop": 30.0}
CHAIN = -(-SERVICES // AT_ONCE) * TASKS * 70.0  # AWS's seconds; a step of the yardstick takes 70
CALLS = 30  # per second, which the account's limits allow 100 services at a time
QUICK = {"service_recycle_wait_delay": 0.05, "service_recycle_stabilize_time": 0}


def main(fleets: tuple[int, ...] = FLEETS) -> int:
    with Sandbox.start(speed=100) as sandbox, tempfile.TemporaryDirectory() as folder:
        peaks = [peak_of_fleet(sandbox, Path(folder), services) for services in fleets]
        growth = peaks[-1] / peaks[0]
        overhead = overhead_of_lines(sandbox)
        many = in_one_process(sandbox, Path(folder))
    verdicts = [
        ("one process: time, of the longest chain at that concurrency", in_virtual_time(), 1.15),
        ("one process: calls for each replaced task", many["calls"], 4.0),
        ("one process: MB", many["memory"], 250.0),
        (f"memory, from {fleets[0]} to {fleets[-1]} services, times", growth, MOST_GROWTH),
        ("time that lines cost, of the whole", overhead, MOST_OVERHEAD),
    ]
    for what, worst, limit in verdicts:
        print(f"{'pass' if worst <= limit else 'FAIL'}  {what}: {worst:.3g} (at most {limit:g})")
    return 0 if all(worst <= limit for _what, worst, limit in verdicts) else 1


def peak_of_fleet(sandbox: Sandbox, folder: Path, services: int) -> float:
    """Return the peak memory in bytes of ansible-playbook itself while it replaces one task of each service."""
    sandbox.reset(speed=100, latencies=LATENCIES)
    definition = None
    for number in range(services):
        shared = {"task_definition": definition} if definition else {}
        definition = sandbox.service(f"s{number:03}", cluster="prod", tasks=1, **shared)["task_definition"]
    inventory = folder / f"fleet{services}.ecs_services.yml"
    options = {"plugin": "steadyops.ecs.ecs_services", "clusters": ["prod"], "endpoint_url": sandbox.url}
    inventory.write_text(json.dumps(options))
    said = json.dumps({**QUICK, "max_task_age": "1h", "recycle_serial": 10})
    began, peak = time.monotonic(), 0
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            ["ansible-playbook", "-f", "10", "-i", str(inventory), PLAYBOOK, "-e", said],
            env={**os.environ, "AWS_URL": sandbox.url},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.1)
    told = output.read_text()
    assert process.wait() == 0, told[-3000:]
    done = re.search(rf'"{services} services .*recycled +(\d+) ', told)
    assert done, told[-3000:]
    assert int(done[1]) == services
    print(f"{services:>4} services: {peak / 2**20:.1f} MB at most, {time.monotonic() - began:.0f} s", flush=True)
    return peak


def in_one_process(sandbox: Sandbox, folder: Path, services: int = SERVICES) -> dict[str, float]:
    """Recycle a whole fleet with one task of ``ecs_fleet_recycle``. Assert that no service falls below its floor."""
    sandbox.reset(speed=SPEED, latencies=YARDSTICK)
    definition = None
    for number in range(services):
        shared = {"task_definition": definition} if definition else {}
        made = sandbox.service(f"s{number:03}", cluster="prod", tasks=TASKS, health_check=True, **shared)
        definition = made["task_definition"]
    options = {
        "clusters": ["prod"],
        "all_tasks": True,
        "concurrency": AT_ONCE,
        "endpoint_url": sandbox.url,
        "wait_delay": 3.0 / SPEED,
        "wait_timeout": 300,
        "calls_per_second": CALLS * SPEED,
    }
    play = [
        {
            "name": "Bench",
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{"name": "Recycle", "steadyops.ecs.ecs_fleet_recycle": options, "register": "done"}],
        }
    ]
    path, output = folder / "one_process.yml", folder / "one_process.json"
    path.write_text(json.dumps(play))
    peak = 0
    with output.open("w") as file:
        process = subprocess.Popen(
            ["ansible-playbook", str(path)],
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            stdout=file,
            stderr=subprocess.DEVNULL,
        )
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            for child in watched.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "ecs_fleet_recycle" in " ".join(child.cmdline()):
                        peak = max(peak, child.memory_info().rss)
            time.sleep(0.2)
    told = output.read_text()
    assert process.wait() == 0, told[-3000:]
    fleet = json.loads(told)["plays"][0]["tasks"][0]["hosts"]["localhost"]["fleet"]
    replaced = fleet["totals"]["replaced"]
    assert replaced == services * TASKS, fleet["totals"]
    assert min(change["healthy"] for change in sandbox.journal()["changes"]) >= TASKS
    calls = sum(fleet["api_calls"].values())
    seconds = fleet["seconds"] * SPEED
    print(
        f"{services:>4} services of {TASKS} tasks in one process, {AT_ONCE} at a time: {peak / 2**20:.1f} MB,"
        f" {seconds:.0f} of AWS's seconds ({CHAIN:.0f} at best), {calls} calls, {fleet['api_calls']}",
        flush=True,
    )
    return {"calls": calls / replaced, "memory": peak / 2**20}


def in_virtual_time() -> float:
    """Return the time of the same fleet as a multiple of the shortest possible. Its calls come one after another."""
    cluster = Cluster(random.Random(1), START, Latencies(reaction=10, launch=40, health=20))
    jobs = [Job("prod", f"s{number:03}", Settings(Selector("all_tasks"))) for number in range(SERVICES)]
    for job in jobs:
        cluster.create_service(job.service, job.cluster, desired=TASKS, health_check=True)
    healthy: list[int] = []
    cluster.on_change(lambda change: healthy.append(change.healthy))
    report = FleetReport()
    me = Self("bench", is_dead=lambda _owner: False, ending=lambda: None)
    account = VirtualAccount(cluster, call_seconds=1 / CALLS)
    for pause in recycle_fleet(jobs, Limits(concurrency=AT_ONCE), account, me, report):
        cluster.advance(cluster.now + pause)
    assert [row["status"] for row in report.rows.values()] == ["recycled"] * SERVICES
    assert min(healthy) == TASKS
    print(f"{SERVICES:>4} services on a virtual clock: {cluster.now - START:.0f} s ({CHAIN:.0f} at best)", flush=True)
    return (cluster.now - START) / CHAIN


def overhead_of_lines(sandbox: Sandbox) -> float:
    """Return the fraction of a run's time that its lines take. Runs with and without lines take turns, and medians are
    compared, because the machine is busy.
    """
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _pair in range(PAIRS):
        for lines in (True, False):
            seconds[lines].append(seconds_of_run(sandbox, lines))
    told, silent = (statistics.median(seconds[lines]) for lines in (True, False))
    print(f"     ten tasks one by one: {told:.2f} s with lines, {silent:.2f} s without")
    return (told - silent) / silent


def seconds_of_run(sandbox: Sandbox, lines: bool) -> float:
    sandbox.reset(speed=20, latencies=LATENCIES)
    sandbox.service("web", cluster="prod", tasks=10, health_check=True)
    said = json.dumps({**QUICK, "cluster": "prod", "service": "web", "max_task_age": "1h", "ecs_progress": lines})
    began = time.monotonic()
    done = subprocess.run(
        ["ansible-playbook", PLAYBOOK, "-e", said],
        env={**os.environ, "AWS_URL": sandbox.url},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    assert done.returncode == 0, done.stdout
    assert done.stderr.count(" of 10: ") == (10 if lines else 0), done.stderr
    return seconds


if __name__ == "__main__":
    sys.exit(main())
