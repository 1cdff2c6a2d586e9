# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays that once broke an invariant: the number that replays each, and what was wrong.

A number stands for the same play as long as ``scenario.draw`` draws the same scenario; a test checks this. Anyone who
changes what is drawn must find these cases again.
"""

from __future__ import annotations

CASES = {
    50: "a repeated UpdateService started from a read that was older than the change before it",
    285: "after a throttled UpdateService the last step was taken for whole, though ECS had started another task",
    380: "the count was lowered in the middle of another user's deployment",
    439: "a count was lowered late without another look at what ECS had started meanwhile",
    442: "added tasks were withdrawn while ECS ran more than the count, and it picked a healthy one",
    676: "a withdrawn task's share of the count was taken off twice",
    682: "withdrawing took so long that ECS started new tasks in place of the withdrawn ones",
    1205: "in a service whose tasks never become healthy, withdrawing came to its limit and lowered the count at once",
    2123: "tasks described before a long back-off were taken for fresh",
    2351: "a task on probation was withdrawn before one that failed its check",
    3586: "withdrawing went round without end, because ECS replaced what was withdrawn",
    7252: "in the last step the count was lowered below the original, after somebody had taken the surge away",
    8865: "tasks that ECS holds for unhealthy were withdrawn last instead of first",
    9637: "tasks that ECS counts and has not named yet were not waited for when bad ones were known",
    10320: "a task whose stop was refused by throttling was taken for stopped",
    10840: "the same, while giving up",
    34074: "a claim whose answer was lost stayed when the run was ended before it looked again",
    48820: "a stale read was believed after a count that was the same once before had been read back",
    50823: "the count was lowered with a StopTask that repeated one whose answer had been lost",
    52461: "an end whose answer was lost wrote the record again before it tried again",
    63144: "a replacement that ECS started before the lower count arrived was left beside the new tasks",
    68166: "a run that had to end while its surge was on its way gave it back without a look at the tasks",
    89362: "in a long last step, what ECS had started between a stop and its lower count was overlooked",
    78011: "what ECS had started between a stop and its lower count could not be withdrawn: AWS refused every StopTask",
    73364: "a task that was counted and never named was not warned of when the time for giving back was over",
}

# sha256 of the drawn scenarios above, in order
DRAWN = "4cab13cb2e468bf82bfaed290d5148c3a10673c86b9ecef0ebf39e2fbb72fade"

# The same for ``scenario.draw_scale_in``.
SCALE_IN_CASES = {
    415: "a call for all tasks at once was repeated for so long that protections ended at another minute than recorded",
    1262: "a run that took over read a tag that was older than the end of protections which the killed run had written",
    1898: "a task protected itself between the look and a call that was throttled, and that was overwritten",
    700404: "a run that took over at once read an older count, and forgot that more had been added",
}

# The same for the other families.
FAMILY_CASES = {
    ("health", 686): "the time to give back was over while the added tasks were being started, and nothing was said",
    ("health", 3240): "what ECS starts in place of unhealthy tasks was withdrawn again and again",
    ("health", 4330): "a task that nobody replaces was unhealthy, and ECS picked a healthy one for the lower count",
    ("health", 5213): "a count was lowered by others, and an unhealthy task of before was left for ECS to replace",
    ("health", 9234): "the model of ECS did not look again at a deployment whose last targets had become healthy",
    ("capacity", 1006143): "ECS started tasks between a look and a lower count, and stopped good ones for it at once",
    ("capacity", 1007312): "what was added found no room beside tasks that never become healthy, which was said",
    ("deployments", 1009980): "a count was lowered long after the tasks had been counted, because a read was refused",
    ("health", 600739): "a task that ECS had started for an unhealthy one took the place of an added one",
    ("health", 801054): "a run that took over before ECS had started what was added kept the higher count",
    ("health", 804621): "the same where there was no room for what was added: the count stays, and that is said",
    ("health", 805798): "a run that planned again raised the count before ECS had stopped what was too much",
    ("health", 802950): "the play left a task ill for the run to replace, which held up a deployment for ever",
    ("forged", 3009914): "an invariant failed on a record forged between a look and a protection",
    ("tags", 3003511): "the play left healthy tasks for ECS to replace, one for each that a run added, for ever",
    ("forged", 905006): "an invariant failed on a forged record with another selector than that of the play",
    ("health", 909504): "the same where one task of the two that were added was lacking: ECS had replaced an ill one",
    ("health", 906621): "the play held against a killed run that it did not withdraw what ECS had started meanwhile",
    ("health", 811478): "the play held against the engine that ECS stopped the task it had started a moment ago",
    ("deployments", 2222): "the count was raised before ECS had stopped what was too much: nothing was added",
    ("deployments", 2246): "while giving back for a killed run ECS may stop any task that is not protected any more",
    ("health", 2009372): "a task was withdrawn although it had become healthy while a read was refused and repeated",
    ("tags", 600873): "a task protected itself before a call that ended our protections was tried again",
    ("scale_in", 2000434): "the same with another task than those of that call",
    ("capacity", 600566): "the play held against the engine that a cluster grows too late for the time that is given",
    ("scaled", 602122): "the play blamed a run that read too early to see a record written after somebody's removal",
    ("tags", 702055): "the play blamed a run for a deployment that its percentages hold up for ever",
    ("tags", 700613): "a task's own protection ended between a lower count and what ECS did about it",
    ("tags", 2398): "added tasks were looked for in the target group of a deployment that began midway, and withdrawn",
    ("tags", 2630): "the same with the controller CODE_DEPLOY, while giving back after SIGTERM",
    ("capacity", 3028): "the model of ECS did not repeat that there was no room, although all tasks had run meanwhile",
    (
        "forged",
        1061,
    ): "a record written by hand under the name of the run was left as it was, without protections",
    ("capacity", 5007316): "the raised count took in tasks that ECS had started for other zones, and was kept for good",
    ("capacity", 5009900): "the same with tasks that were to run in a cluster without room",
    ("capacity", 7008025): "refused calls used up the time for reading back the end of protections, which stayed",
    ("stop_task", 5009767): "a claim of another run came after the count was raised, which nobody gave back then",
    ("fleet", 4009768): "a task's own protection ended while ECS did not act on a lower count, and ECS picked it later",
}
