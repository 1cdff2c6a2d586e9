# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario: a service, the options of a run and what goes wrong, all drawn from one number."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import RECORD_TAG
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.sandbox.model.latencies import Latencies

from .virtual_world import CallFaults

START = 1_790_000_000.0  # an arbitrary instant
HOUR = 3600.0


@dataclass
class Act:
    """Something that somebody else does ``at`` seconds after the start."""

    at: float
    kind: str
    amount: int = 0
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Scenario:
    """Everything that a play needs. ``incarnations`` are the run and its restarts after each kill."""

    number: int
    service: dict[str, Any]
    latencies: Latencies
    settings: Settings
    scaling: dict[str, Any] | None
    wanted: int | None  # desired count that an active scaling policy wants
    faults: list[tuple[str, dict[str, Any]]]
    acts: list[Act]
    incarnations: list[CallFaults]
    restart_after: list[float]
    call_seconds: float
    dead_is_seen: bool  # whether a restart can tell that the killed run is dead
    end_at: float | None  # SIGTERM to the first incarnation, seconds after the start
    rival_at: float | None  # a second run of the same task, seconds after the start
    notes: list[str] = field(default_factory=list)
    name: str = field(default="web", repr=False)  # of the service


def draw(number: int) -> Scenario:
    """Return the scenario of a number. The same number always gives the same scenario."""
    rng = random.Random(number)
    size = rng.choice([0, 1, 1, 2, 3, 3, 4, 5, 6, 8, 10, 12, 15, rng.choice([20, 40, 130])])
    service = _draw_service(rng, size)
    settings = _draw_settings(rng, service)
    scaling = None
    wanted = None
    if rng.random() < 0.45 and not service["daemon"] and size:
        flags = {flag: rng.random() < 0.15 for flag in ("dynamic_in", "dynamic_out", "scheduled")}
        scaling = {"min": rng.choice([1, size]), "max": size + rng.choice([0, 1, 5, 20]), "suspended": flags}
        if rng.random() < 0.6:
            wanted = rng.choice([scaling["min"], size, size])
    kills = rng.choice([0, 0, 0, 1, 1, 2, 3])
    incarnations = [draw_call_faults(rng, killed=index < kills) for index in range(kills + 1)]
    return Scenario(
        number=number,
        service=service,
        latencies=_draw_latencies(rng),
        settings=settings,
        scaling=scaling,
        wanted=wanted,
        faults=_draw_faults(rng, service, scaling is not None),
        acts=_draw_acts(rng, size, scaling is not None),
        incarnations=incarnations,
        restart_after=[rng.choice([0.0, 5.0, 60.0, 900.0]) for _time in range(kills)],
        call_seconds=rng.choice([0.0, 0.05, 0.05, 0.5]),
        dead_is_seen=rng.random() < 0.5,
        end_at=rng.uniform(0, 400) if rng.random() < 0.1 else None,
        rival_at=rng.uniform(0, 300) if rng.random() < 0.1 else None,
    )


def draw_scale_in(number: int) -> Scenario:
    """Return a scenario of another family: the same dangers, but ECS itself stops the stale tasks."""
    rng = random.Random(f"scale_in {number}")
    base = draw(rng.randrange(10**9))
    while base.service["daemon"]:
        base = draw(rng.randrange(10**9))
    settings = replace(
        base.settings,
        stop_method="scale_in",
        protected_tasks="skip",
        surge=base.settings.surge or rng.choice([None, 1, 1, 2, 3]),
        max_tasks=rng.choice([None, None, None, 1, 3]),
    )
    if base.service["maximum_percent"] == 100 and rng.random() < 0.7:  # else most of these are refused
        settings = replace(settings, surge=settings.surge or 1)
    kills = rng.choice([0, 0, 1, 1, 2, 3])
    return replace(
        base,
        number=number,
        settings=settings,
        incarnations=[draw_call_faults(rng, index < kills, 40) for index in range(kills + 1)],
        restart_after=[rng.choice([0.0, 5.0, 60.0, 900.0, 5000.0]) for _time in range(kills)],
        acts=_draw_acts(rng, base.service["desired"], base.scaling is not None),
    )


def draw_deployments(number: int) -> Scenario:
    """Return a scenario of another family: the same dangers, and deployments of every controller and strategy."""
    if number % 7 == 0:
        return _draw_held_up(number)
    rng = random.Random(f"deployments {number}")
    base = (draw if rng.random() < 0.7 else draw_scale_in)(rng.randrange(10**9))
    while base.service["daemon"] or not base.service["desired"] or base.service["room"] is not None:
        base = draw(rng.randrange(10**9))
    controller = rng.choice(["CODE_DEPLOY", "CODE_DEPLOY", "EXTERNAL", "ECS", "ECS", "ECS"])
    strategy = rng.choice(["BLUE_GREEN", "LINEAR", "CANARY"]) if controller == "ECS" else "ROLLING"
    groups = base.service["target_groups"]
    service = {
        **base.service,
        "controller": controller,
        "strategy": strategy,
        "alternates": {group: f"{group}-green" for group in groups},
        "bake": rng.choice([0.0, 120.0, 3000.0]),
        "steps": [] if strategy in ("ROLLING", "BLUE_GREEN") else [(10.0, 60.0)],
        "hooks": [{"stage": "POST_SCALE_UP", "seconds": rng.choice([300.0, 86400.0])}] if rng.random() < 0.3 else [],
        "names_declared_groups": False,
    }
    at = rng.choice([0.0, 0.0, rng.uniform(1, 60), rng.uniform(1, 600), rng.uniform(1, 2000)])
    kind = "external_task_set" if controller == "EXTERNAL" else "deploy"
    details: dict[str, Any] = {"running": rng.random() < 0.3}
    if controller == "CODE_DEPLOY":
        details |= {"shift": rng.choice([0.0, 100.0, None]), "keep": rng.choice([0.0, 300.0, 5000.0])}
    acts = [Act(at, kind, details=details)]
    ending = rng.choice(["finish", "finish", "roll_back", None])
    if ending:
        acts.append(Act(at + rng.choice([30.0, 200.0, 1000.0, 8000.0]), ending))
    return replace(
        base,
        number=number,
        service=service,
        settings=replace(
            base.settings,
            on_deployment=rng.choice(["fail", "wait", "wait"]),
            deployment_timeout=rng.choice([600.0, 3600.0]),
        ),
        faults=[fault for fault in base.faults if fault[0] != "deployment_midway"],
        acts=[*base.acts, *acts],
    )


def _draw_held_up(number: int) -> Scenario:
    """Return a scenario in which a run that protected tasks is killed, and somebody deploys before the next run."""
    rng = random.Random(f"held up {number}")
    base = draw_scale_in(rng.randrange(10**9))
    while base.service["desired"] < 2 or base.service["room"] is not None:
        base = draw_scale_in(rng.randrange(10**9))
    kills = rng.choice([1, 1, 2])
    return replace(
        base,
        number=number,
        service={**base.service, "strategy": rng.choice(["ROLLING", "ROLLING", "BLUE_GREEN"])},
        settings=replace(
            base.settings,
            surge=rng.choice([1, 1, 2]),
            on_deployment=rng.choice(["fail", "wait", "wait"]),
            deployment_timeout=rng.choice([600.0, 3600.0]),
        ),
        acts=[*base.acts, Act(rng.uniform(60, 900), "deploy", details={"running": False})],
        incarnations=[draw_call_faults(rng, index < kills, 15) for index in range(kills + 1)],
        restart_after=[rng.choice([60.0, 900.0, 900.0, 3000.0]) for _time in range(kills)],
    )


def draw_health(number: int) -> Scenario:
    """Return a scenario of another family: the same dangers, unhealthy services and load balancers of all kinds."""
    rng = random.Random(f"health {number}")
    family = draw if rng.random() < 0.7 else draw_scale_in
    base = family(rng.randrange(10**9))
    while not base.service["desired"]:
        base = family(rng.randrange(10**9))
    kind = rng.choice(["plain", "plain", "classic", "lattice", "host"])
    service = dict(base.service)
    if kind in ("classic", "host") and service["room"] is None:
        service["launch_type"] = "EC2"
    if kind == "classic" and service["launch_type"] == "EC2" and not service["daemon"]:
        service |= {"classic": ["old"], "target_groups": []}
    elif kind == "lattice" and not service["daemon"]:
        service |= {"lattice": ["arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1"]}
    elif kind == "host" and service["launch_type"] == "EC2":
        service |= {"network_mode": "host", "target_groups": ["tg/0"]}
    checked = [*(["container"] * service["health_check"]), *service["target_groups"]]
    if service.get("classic") or service.get("lattice"):
        checked.append("targets")
    ill = rng.choice([0, 1, 1, rng.randint(1, service["desired"]), service["desired"]]) if checked else 0
    if ill:
        service |= {"unhealthy": min(ill, service["desired"]), "unhealthy_by": rng.choice(checked)}
        service["replaces_unhealthy"] = rng.random() < 0.3
    acts = list(base.acts)
    if checked != ["container"] and checked and rng.random() < 0.3:
        acts.append(Act(rng.uniform(0, 900), "target_state", details={"state": rng.choice(_STATES)}))
    return replace(base, number=number, service=service, acts=acts)


REFUSALS = ("role", "blocked", "gpu", "capacity", "instance", "cpu", "pull", "inconsistent", "throttled", "iam")


def draw_capacity(number: int) -> Scenario:
    """Return a scenario of another family: launches are refused, fail or find no room, and clusters change."""
    rng = random.Random(f"capacity {number}")
    base = (draw if rng.random() < 0.7 else draw_scale_in)(rng.randrange(10**9))
    while not base.service["desired"]:
        base = draw(rng.randrange(10**9))
    size, daemon = base.service["desired"], base.service["daemon"]
    grows = not daemon and rng.random() < 0.5
    service = {
        **base.service,
        "all_events": rng.random() < 0.7,
        "az_rebalancing": not daemon and rng.random() < 0.5,
    }
    if grows:
        service |= {
            "room": size + rng.choice([0, 0, 1]),
            "grows_after": rng.choice([60.0, 300.0, 800.0]),
            "capacity_provider": "ours",
            "launch_type": "EC2",
            "minimum_healthy_percent": 0,
        }
    after = rng.choice([{}, {"times": 1}, {"times": 3}])
    faults = [("start_refused", {"reason": rng.choice(REFUSALS), **after})] if rng.random() < 0.5 else []
    if rng.random() < 0.3:
        faults.append(("launch_fails", {"event": True, "times": rng.choice([1, 2, 5])}))
    acts = [Act(rng.uniform(0, 1500), "rebalance_zones")] * (service["az_rebalancing"] and rng.choice([1, 4]))
    if daemon:
        acts = [Act(rng.uniform(0, 900), "instances", rng.choice([-1, 1, 2])) for _time in range(rng.choice([1, 2]))]
    return replace(
        base,
        number=number,
        service=service,
        settings=replace(
            base.settings,
            max_failures=rng.choice([0, 0, 1, 5]),
            wait_for_capacity=rng.choice([None, None, 0.0, 120.0, 2000.0]),
        ),
        faults=[*(fault for fault in base.faults if fault[0] not in ("no_room", "launch_fails")), *faults],
        acts=[*base.acts, *acts],
    )


def draw_scaled(number: int) -> Scenario:
    """Return a scenario of another family: the same dangers, for a task set with a scale that may change midway."""
    rng = random.Random(f"scaled {number}")
    base = draw(rng.randrange(10**9))
    while base.service["daemon"] or not base.service["desired"] or base.service["room"] is not None:
        base = draw(rng.randrange(10**9))
    scale = rng.choice([100.0, 50.0, 50.0, 70.0])
    settings = base.settings
    if scale < 100:  # else most of these are refused
        settings = replace(settings, surge=None, minimum_healthy_percent=rng.choice([0, 50, 75, 100]))
    later = [Act(rng.uniform(1, 1500), "scale", details={"scale": rng.choice([100.0, 50.0, 30.0])})]
    return replace(
        base,
        number=number,
        service={**base.service, "controller": "EXTERNAL", "scale": scale},
        settings=settings,
        faults=[fault for fault in base.faults if fault[0] != "deployment_midway"],
        acts=[*base.acts, *(later if rng.random() < 0.4 else [])],
    )


def draw_tags(number: int) -> Scenario:
    """Return a scenario of another family: the same dangers, and ECS copies the service's tags to its tasks."""
    rng = random.Random(f"tags {number}")
    drawn = rng.choice([draw, draw, draw_scale_in, draw_deployments])(rng.randrange(10**9))
    return replace(drawn, number=number, service={**drawn.service, "propagate_tags": "SERVICE"})


def draw_forged(number: int) -> Scenario:
    """Return a scenario of another family: a record is forged before a run or midway, and calls may be throttled."""
    rng = random.Random(f"forged {number}")
    base = rng.choice([draw, draw, draw_scale_in])(rng.randrange(10**9))
    while not base.service["desired"]:
        base = draw(rng.randrange(10**9))
    at = rng.choice([0.0, 0.0, 0.0, rng.uniform(0, 60), rng.uniform(0, 1500)])
    return replace(
        base,
        number=number,
        faults=[],
        wanted=None,
        acts=[Act(at, "forge", details={"tags": {RECORD_TAG: forged_record(rng)}})],
        incarnations=[CallFaults(throttled=rng.choice([0.0, 0.1]))],
        restart_after=[],
        end_at=None,
        rival_at=None,
    )


def forged_record(rng: random.Random) -> str:
    """Return a record as a run would write it, but with lies, for a service whose tasks are all at least 20
    minutes older than ``instants``."""
    instants = [START - 2400, START - 1, START, START + 30]
    far = ["253402300799", "253402300799.000", "inf", "nan", "0", "-1", "1e9", "9" * 40]
    lies = {
        "v": ["1"] * 20 + ["2", "x"],
        "o": ["1", "2", "3", "1000"] * 5 + ["0", "-4", "1e3", "9" * 40],
        "s": ["0", "1", "3", "500", "1000"] * 5 + ["-1000", "inf", "\u0663"],
        "b": [f"{at:.3f}" for at in instants] * 5 + far,
        "k": ["all_tasks", "max_task_age", "token", "all_tasks"] * 5 + ["tasks", "everything"],
        "c": [f"{at:.3f}" for at in instants] * 5 + ["-", *far],
        "q": ["-", "dynamic_in", "dynamic_in+dynamic_out+scheduled"] * 5 + ["dynamic_in+dynamic_in", "all"],
        "ph": ["claimed", "surged"] * 10 + ["done"],
        "w": ["0123abcd.17.4711.host", "run0"] * 10 + ["", "a/b", "h" * 61],
        "x": [f"{START + after:.0f}" for after in (-60, 0, 600, 80000, 10**6, 10**9)] * 4 + far,
        "p": ["", "", f"{START / 60 + 60:.0f}"] * 5 + ["1+2+3+4", "9" * 10, "inf"],
    }
    words = [f"{field}={rng.choice(values)}" for field, values in lies.items()]
    words = [word for word in words if word != "p="]
    if rng.random() < 0.1:
        words.append(rng.choice(words))
    if rng.random() < 0.1:
        words.remove(rng.choice(words))
    return " ".join(words)[:256]


FAMILIES = {
    "stop_task": draw,
    "scale_in": draw_scale_in,
    "deployments": draw_deployments,
    "health": draw_health,
    "capacity": draw_capacity,
    "scaled": draw_scaled,
    "tags": draw_tags,
    "forged": draw_forged,
}
_STATES = ["unhealthy.draining", "unhealthy", "draining", "initial", "unavailable", "unused"]


def _draw_service(rng: random.Random, size: int) -> dict[str, Any]:
    daemon = rng.random() < 0.08
    ec2 = daemon or rng.random() < 0.25
    maximum = rng.choice([100, 150, 200, 200, 200])
    room = size + rng.choice([0, 1, 1, 3]) if ec2 and not daemon and rng.random() < 0.4 else None
    rolls = room is None and size * maximum // 100 > size
    return {
        "desired": size,
        "health_check": rng.random() < 0.6,
        "target_groups": [f"tg/{index}" for index in range(rng.choice([0, 0, 1, 2]))],
        "daemon": daemon,
        "maximum_percent": maximum,
        "minimum_healthy_percent": 100 if rolls else 0,  # else its own deployments would never end
        "launch_type": "EC2" if ec2 else "FARGATE",
        "room": room,
    }


def _draw_latencies(rng: random.Random) -> Latencies:
    return Latencies(
        reaction=rng.choice([1.0, 10.0, 30.0]),
        launch=rng.choice([5.0, 40.0, 120.0]),
        health=rng.choice([5.0, 20.0, 60.0]),
        target=rng.choice([5.0, 20.0, 150.0]),
        stop=rng.choice([2.0, 30.0, 120.0]),
        leave=rng.choice([0.0, 1.0, 5.0]),
        policy=rng.choice([30.0, 60.0]),
        jitter=rng.choice([0.0, 0.2, 0.5]),
    )


def _draw_settings(rng: random.Random, service: dict[str, Any]) -> Settings:
    selector = rng.choice(
        [
            Selector("started_before", START - rng.choice([0, 6, 30]) * HOUR),
            Selector("max_task_age", rng.choice([2, 20, 60]) * HOUR),
            Selector("token", "release-7"),
            Selector("all_tasks"),
            Selector("all_tasks"),
            Selector("tasks"),  # every other one; ``play`` names them
        ]
    )
    floor = rng.choice([100, 100, 100, 90, 75, 50, 0])
    if service["daemon"]:
        floor = rng.choice([0, 50, 75])
    return Settings(
        selector=selector,
        batch_size=rng.choice([Amount(1), Amount(1), Amount(2), Amount(3), Amount(10, True), Amount(50, True)]),
        batch_wait=rng.choice([0.0, 0.0, 30.0]),
        surge=None if service["daemon"] else rng.choice([None, None, None, 0, 1, 2, 5]),
        minimum_healthy_percent=floor,
        stabilize_time=rng.choice([None, None, 0.0, 25.0]),
        wait_timeout=rng.choice([900.0, 900.0, 2000.0]),
        wait_delay=rng.choice([1.0, 3.0, 3.0, 10.0]),
        on_deployment=rng.choice(["fail", "wait"]),
        protected_tasks=rng.choice(["skip", "recycle"]),
        suspend_scaling=rng.choice([("dynamic_in",), ("dynamic_in",), (), ("dynamic_in", "dynamic_out", "scheduled")]),
        lease=rng.choice([60.0, 600.0]),
        reason=rng.choice(["", "nightly"]),
    )


def _draw_faults(rng: random.Random, service: dict[str, Any], scaled: bool) -> list[tuple[str, dict[str, Any]]]:
    after = rng.choice([1, 1, 2, 3])
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("launch_fails", {"times": rng.choice([1, 3, None])}),
        ("launch_crashes", {"times": rng.choice([1, 2, None]), "seconds": rng.choice([0.5, 15.0, 90.0])}),
        ("no_room", {"times": rng.choice([1, 4])}),
        ("never_healthy", {"times": rng.choice([1, None])}),
        ("targets_never_healthy", {"times": rng.choice([1, None])}),
        ("stale_reads", {"seconds": rng.choice([2.0, 10.0, 25.0])}),
        ("stale_reads", {"seconds": 6.0, "operations": ["StopTask", "UpdateService", "TagResource"]}),
        ("events_lost", {}),
        ("list_omits_new", {"seconds": rng.choice([5.0, 20.0])}),
        ("deployment_midway", {"after": after}),
        ("tags_lost", {"after": after, "keys": ["steadyops.ecs/recycle"]}),
        ("reregistered", {"after": after, "maximum": max(1, service["desired"])}),
        ("reregistered", {"after": after, "suspended": {}}),
        ("rescaled", {"after": after, "delta": rng.choice([-2, -1, 1, 5])}),
        ("interrupted", {"after": after}),
        ("protected_midway", {"after": after}),
    ]
    drawn = rng.sample(kinds, rng.choice([0, 0, 1, 1, 2, 3]))
    return [fault for fault in drawn if scaled or fault[0] != "reregistered"]


def _draw_acts(rng: random.Random, size: int, scaled: bool) -> list[Act]:
    kinds = ["interrupt", "rescale", "protect", "sicken"] + ["scale_out"] * scaled
    return [
        Act(rng.uniform(0, 1500), rng.choice(kinds), rng.choice([-1, 1, 2]))
        for _time in range(rng.choice([0, 0, 0, 1, 2]) if size else 0)
    ]


def draw_call_faults(rng: random.Random, killed: bool, writes: int = 14) -> CallFaults:
    return CallFaults(
        throttled=rng.choice([0.0, 0.0, 0.1, 0.3]),
        server_error=rng.choice([0.0, 0.0, 0.05]),
        reset=rng.choice([0.0, 0.0, 0.1]),
        kill_after_write=rng.randint(1, writes) if killed else None,
    )
