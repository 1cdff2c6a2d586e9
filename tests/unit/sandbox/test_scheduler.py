# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the sandbox's service scheduler with what is known about ECS, on a virtual clock."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest

from tests.sandbox.model.latencies import Latencies
from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import SandboxError

START = 1_700_000_000.0


def cluster(**service: Any) -> Cluster:
    made = Cluster(random.Random(1), START)
    made.create_service("web", **service)
    return made


def after(made: Cluster, seconds: float) -> Cluster:
    made.advance(made.now + seconds)
    return made


def changes(made: Cluster) -> list[tuple[float, int, int, int, int]]:
    """Return the journal without causes, in seconds since the start."""
    return [(each.time - START, each.healthy, each.running, each.pending, each.desired) for each in made.journal]


def messages(made: Cluster) -> list[str]:
    return [re.sub("[0-9a-f]{32}", "ID", event.message) for event in made.describe_service("web").events]


def test_a_stopped_task_is_replaced() -> None:
    made = cluster(desired=2, health_check=True, target_groups=["group"])
    victim = made.list_tasks("web")[0]
    made.stop_task(victim, "because")
    after(made, 100)
    assert changes(made) == [
        (0, 2, 2, 0, 2),
        (0, 1, 2, 0, 2),  # at once: it is stopping
        (1, 1, 1, 0, 2),  # it left RUNNING
        (10, 1, 1, 1, 2),  # the scheduler reacted
        (50, 1, 2, 0, 2),  # RUNNING
        (70, 2, 2, 0, 2),  # HEALTHY, and so is its target
    ]
    (state,) = made.describe_tasks([victim])
    assert (state.last_status, state.stop_code, state.stopped_reason) == ("STOPPED", "UserInitiated", "because")
    assert state.stopped_at == START + 30
    assert victim not in made.list_tasks("web")
    assert messages(made)[:2] == [
        "(service web) has reached a steady state.",
        "(service web) has started 1 tasks: (task ID).",
    ]
    assert after(made, 3700).describe_tasks([victim]) == []
    with pytest.raises(SandboxError, match="The referenced task was not found"):
        made.stop_task(victim)


def test_past_of_a_started_service() -> None:
    made = cluster(desired=50)
    states = made.describe_tasks(made.list_tasks("web"))
    assert all(START - 72 * 3600 <= state.created_at <= START - 3600 for state in states)
    assert all(state.started_at == state.created_at + 40 for state in states)
    assert len({state.address for state in states}) == 50


def test_the_way_down() -> None:
    made = cluster(target_groups=["group"])
    victim = made.list_tasks("web")[0]
    made.stop_task(victim)
    seen = []
    for _second in range(32):
        after(made, 1)
        (state,) = made.describe_tasks([victim])
        target = made.target_states("group").get(f"{state.address}:{state.port}")
        if not seen or seen[-1] != (state.last_status, target):
            seen.append((state.last_status, target))
    assert seen == [
        ("DEACTIVATING", "draining"),
        ("STOPPING", "draining"),
        ("DEPROVISIONING", "draining"),
        ("STOPPED", None),
    ]


def test_an_event_names_ten_tasks() -> None:
    made = after(cluster(desired=23, started=False), 15)
    started = [message for message in messages(made) if "started" in message]
    assert [message.count("(task ID)") for message in started] == [3, 10, 10]
    assert started[0] == "(service web) has started 3 tasks: (task ID) (task ID) (task ID)."


def test_scale_in_takes_what_does_not_run_yet() -> None:
    made = cluster(desired=3)
    old = set(made.list_tasks("web"))
    made.update_service("web", desired=4)
    after(made, 20)
    made.update_service("web", desired=3)
    after(made, 20)
    assert set(made.list_tasks("web")) == old


def test_scale_in_is_blind_but_spares_the_protected() -> None:
    made = cluster(desired=4)
    kept = made.list_tasks("web")[:3]
    for arn in kept:
        made.protect(arn, START + 1000)
    made.update_service("web", desired=2)
    after(made, 60)
    assert made.list_tasks("web") == kept  # one more than desired: the third is protected
    (gone,) = [state for state in made.describe_tasks(made.tasks) if state.stop_code]
    assert gone.stop_code == "ServiceSchedulerInitiated"
    assert re.fullmatch(r"Scaling activity initiated by \(deployment ecs-svc/\d{19}\)", gone.stopped_reason or "")
    assert made.journal[-1].cause == "scale-in after UpdateService by client"


@pytest.mark.parametrize(
    ("fault", "service", "reason"),
    [
        ("never_healthy", {"health_check": True}, "Task failed container health checks"),
        ("targets_never_healthy", {"target_groups": ["tg"]}, "Task failed ELB health checks in (target-group tg)"),
    ],
)
def test_unhealthy_tasks_are_replaced(fault: str, service: dict[str, Any], reason: str) -> None:
    made = cluster(**service)
    made.fault(fault, times=1)
    made.update_service("web", desired=4)
    after(made, 300)
    assert made.healthy("web") == 4
    assert [state.stopped_reason for state in made.describe_tasks(made.tasks) if state.stop_code] == [reason]
    assert min(change.healthy for change in made.journal) == 3  # start first, stop then


def test_where_starting_first_has_no_room_one_is_stopped_first() -> None:
    made = cluster(health_check=True, maximum_percent=100)
    made.fail_health(made.list_tasks("web")[0])
    after(made, 200)
    assert made.healthy("web") == 3
    assert max(change.running + change.pending for change in made.journal) == 3


def test_daemon_stops_then_starts() -> None:
    made = cluster(desired=3, daemon=True)
    victim = made.list_tasks("web")[0]
    instance = made.tasks[victim].instance
    made.stop_task(victim)
    assert len(after(made, 29).list_tasks("web")) == 2  # the instance is taken until it has stopped
    after(made, 60)
    assert sorted(made.tasks[arn].instance or 0 for arn in made.list_tasks("web")) == [0, 1, 2]
    assert made.tasks[made.list_tasks("web")[-1]].instance == instance
    with pytest.raises(SandboxError, match="daemon"):
        made.update_service("web", desired=4)


def test_launches_that_fail_are_held_back() -> None:
    made = cluster(desired=1)
    made.fault("launch_fails", reason="CannotPullContainerError: gone")
    made.update_service("web", desired=2)
    after(made, 3600)
    launched = [state for state in made.describe_tasks(made.tasks) if state.created_at >= START]
    assert {(state.stop_code, state.stopped_reason) for state in launched} == {
        ("TaskFailedToStart", "CannotPullContainerError: gone")
    }
    delays = [later.created_at - sooner.created_at for sooner, later in itertools.pairwise(launched)]
    assert delays == sorted(delays)
    assert delays[-1] > 10 * delays[0]
    assert "(service web) is unable to consistently start tasks successfully." in messages(made)


@pytest.mark.parametrize(
    ("launch_type", "text"),
    [
        ("EC2", "was unable to place a task because no container instance met all of its requirements."),
        ("FARGATE", "was unable to place a task. Reason: Capacity is unavailable at this time."),
    ],
)
def test_no_room(launch_type: str, text: str) -> None:
    made = cluster(launch_type=launch_type)
    made.fault("no_room")
    made.update_service("web", desired=4)
    after(made, 60)
    assert messages(made)[0].startswith(f"(service web) {text}")
    assert len(made.list_tasks("web")) == 3
    made.clear_faults()
    assert len(after(made, 400).list_tasks("web")) == 4


def test_room_is_taken_until_a_task_has_stopped() -> None:
    made = cluster(launch_type="EC2", desired=2, room=2)
    made.stop_task(made.list_tasks("web")[0])
    assert len(after(made, 29).list_tasks("web")) == 1
    assert len(after(made, 60).list_tasks("web")) == 2


def test_deployment() -> None:
    made = cluster(desired=4, health_check=True)
    old = set(made.list_tasks("web"))
    made.update_service("web", task_definition="web:2")
    state = made.describe_service("web")
    assert [(each.status, each.rollout_state) for each in state.deployments] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    after(made, 300)
    (done,) = made.describe_service("web").deployments
    assert (done.rollout_state, done.running) == ("COMPLETED", 4)
    assert not old & set(made.list_tasks("web"))
    assert min(change.healthy for change in made.journal) == 4
    assert max(change.running + change.pending for change in made.journal) == 8


@pytest.mark.parametrize(
    "service", [{}, {"daemon": True}, {"strategy": "BLUE_GREEN"}, {"controller": "CODE_DEPLOY"}], ids=str
)
def test_a_deployment_waits_for_its_targets(service: dict[str, Any]) -> None:
    made = Cluster(random.Random(1), START, Latencies(target=1e6))
    made.create_service("web", desired=2, target_groups=["tg"], **service)
    old = {made.tasks[arn].deployment for arn in made.list_tasks("web")}
    made.begin_deployment("web")
    after(made, 900)
    new = [arn for arn in made.list_tasks("web") if made.tasks[arn].deployment not in old]
    assert len(new) == len(made.service("web").deployments) == 2
    for arn in new:
        made.target_state(arn, "healthy")
    assert len(after(made, 120).service("web").deployments) == 1


def test_scaling() -> None:
    made = cluster(desired=5)
    made.register_scalable_target("web", min=2, max=10)
    made.policy_wants("web", 2)
    made.suspend("web", dynamic_in=True, dynamic_out=False, scheduled=False)
    assert after(made, 130).describe_service("web").desired == 5
    made.register_scalable_target("web", suspended={"scheduled": True})  # replaces all three flags
    assert made.scaling("web")[2:] == (False, False, True)
    assert after(made, 130).describe_service("web").desired == 2
    made.scheduled_action("web", minimum=4)
    assert made.describe_service("web").desired == 2
    made.register_scalable_target("web", min=4)  # registering is scaling
    assert made.describe_service("web").desired == 4


def test_scaling_in_waits_for_a_deployment() -> None:
    made = cluster(desired=5, health_check=True)
    made.register_scalable_target("web", min=2, max=10)
    made.policy_wants("web", 2)
    made.update_service("web", force_new_deployment=True)
    assert after(made, 65).describe_service("web").desired == 5
    assert after(made, 200).describe_service("web").desired == 2


def test_spot() -> None:
    made = cluster()
    victim = made.list_tasks("web")[0]
    made.interrupt(victim)
    assert made.describe_tasks([victim])[0].stop_code == "SpotInterruption"
    assert made.journal[-1].cause == "spot"
    after(made, 100)
    assert made.healthy("web") == 3


def test_rebalancing_starts_first() -> None:
    made = cluster(health_check=True)
    victim = made.list_tasks("web")[0]
    made.rebalance(victim)
    after(made, 200)
    assert victim not in made.list_tasks("web")
    assert min(change.healthy for change in made.journal) == 3


def test_stale_reads() -> None:
    made = cluster()
    made.fault("stale_reads", seconds=20)
    before = made.describe_service("web"), made.list_tasks("web")
    made.stop_task(before[1][0])
    made.tag("web", {"a": "b"})
    after(made, 19)
    assert (made.describe_service("web"), made.list_tasks("web")) == before
    assert [state.stop_code for state in made.describe_tasks(made.tasks)] == [None] * 3
    assert made.healthy("web") == 2
    after(made, 2)
    assert made.describe_service("web").tags == {"a": "b"}
    assert len(made.list_tasks("web")) == 3  # with the new one, without the old one
    assert before[1][0] not in made.list_tasks("web")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"kind": "rescaled", "delta": 2}, "UpdateService by operator"),
        ({"kind": "interrupted"}, "spot"),
        ({"kind": "reregistered", "minimum": 1, "maximum": 2}, "RegisterScalableTarget by operator"),
    ],
)
def test_acts_of_others_midway(fault: dict[str, Any], cause: str) -> None:
    made = cluster(desired=4)
    made.fault(**fault, after=2)
    first, second = made.list_tasks("web")[:2]
    made.stop_task(first)
    assert cause not in {change.cause for change in made.journal}
    made.stop_task(second)
    assert made.journal[-1].cause == cause
    assert made.faults.on == []


def test_other_acts_midway() -> None:
    made = cluster(tags={"mine": "1", "theirs": "2"})
    oldest = min(made.live("web"), key=lambda state: state.created_at).arn
    made.fault("tags_lost", keys=["mine"])
    made.fault("deployment_midway")
    made.fault("protected_midway")
    made.stop_task(max(made.live("web"), key=lambda state: state.created_at).arn)
    state = made.describe_service("web")
    assert state.tags == {"theirs": "2"}
    assert len(state.deployments) == 2
    assert set(made.protected(made.list_tasks("web"))) == {oldest}


@pytest.mark.parametrize("kind", ["events_lost", "list_omits_new"])
def test_what_is_not_told(kind: str) -> None:
    made = cluster()
    made.fault(kind, seconds=30)
    made.stop_task(made.list_tasks("web")[0])
    after(made, 15)
    assert any("started" in message for message in messages(made)) == (kind == "list_omits_new")
    assert len(made.list_tasks("web")) == (2 if kind == "list_omits_new" else 3)
    assert len(after(made, 30).list_tasks("web")) == 3


@pytest.mark.parametrize(
    ("fault", "code", "exit_code"),
    [
        ({"kind": "launch_crashes", "seconds": 5, "exit_code": 3}, "EssentialContainerExited", 3),
        ({"kind": "turns_unhealthy", "seconds": 30}, "ServiceSchedulerInitiated", 0),
    ],
)
def test_a_task_that_ran_dies(fault: dict[str, Any], code: str, exit_code: int) -> None:
    made = cluster(health_check=True)
    made.fault(**fault, times=1)
    made.update_service("web", desired=4)
    after(made, 300)
    (dead,) = [state for state in made.describe_tasks(made.tasks) if state.stop_code]
    assert (dead.stop_code, dead.exit_code) == (code, exit_code)
    assert made.healthy("web") == 4


def test_tasks_of_nobody() -> None:
    made = cluster()
    (state,) = made.run_task("job:1", started_by="me")
    after(made, 60)
    assert made.describe_tasks([state.arn])[0].last_status == "RUNNING"
    made.stop_task(state.arn)
    after(made, 60)
    assert made.describe_tasks([state.arn])[0].last_status == "STOPPED"
    assert {change.service for change in made.journal} == {"web"}


def test_deleting() -> None:
    made = cluster()
    assert made.delete_service("web").status == "DRAINING"
    assert after(made, 60).describe_service("web").status == "INACTIVE"
    with pytest.raises(SandboxError, match="not ACTIVE"):
        made.update_service("web", desired=1)


def test_same_seed_same_history() -> None:
    def history() -> list[Any]:
        made = Cluster(random.Random(7), START, Latencies(jitter=0.3))
        made.create_service("web", desired=20, health_check=True)
        for _step in range(10):
            made.stop_task(made.list_tasks("web")[0])
            after(made, 30)
        return [*made.journal, *made.describe_tasks(made.tasks)]

    assert history() == history()


def test_a_thousand_tasks_are_quick() -> None:
    """About 0.1 s; the limit is the number of events, which a busy machine does not change."""
    made = cluster(desired=1000, health_check=True)
    for arn in made.list_tasks("web"):
        made.stop_task(arn)
        after(made, 7)
    assert after(made, 100).healthy("web") == 1000
    assert made._sequence < 1000 * 12
