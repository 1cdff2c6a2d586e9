#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace the stale tasks of many Amazon ECS services, in one process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_fleet_recycle
version_added: 1.0.0
short_description: Replace the tasks of many Amazon ECS services, in one process
description:
  - Does for many services of one account and region what M(steadyops.ecs.ecs_service_recycle) does for one, in one
    process and with fewer calls. Every service is as safe as there, and has its own record, lease and failures.
  - There are no batches. When one service ends, the next one begins, up to O(concurrency) at a time. A service that
    fails does not hold up the others.
  - What several services have to read at the same moment is read together. DescribeServices takes ten services of a
    cluster, and DescribeTasks and GetTaskProtection take a hundred tasks.
  - Name the services with O(services), or choose them with O(clusters), O(names) and O(tags) as the inventory plugin
    P(steadyops.ecs.ecs_services#inventory) does.
  - All options of M(steadyops.ecs.ecs_service_recycle) are defaults for every service. An entry of O(services) can
    have options of its own.
author:
  - SteadyOps contributors (@steadyops)
options:
  services:
    description:
      - The services. Each entry is a name, an ARN, or a dictionary with C(service), which is a name or an ARN, and
        options of M(steadyops.ecs.ecs_service_recycle) that hold for this service only, C(cluster) included.
      - An entry with a selector of its own, such as C(max_task_age), does not use the one for all services.
      - Exactly one of O(services) and O(clusters) is required.
    type: list
    elements: raw
  cluster:
    description:
      - Name or ARN of the cluster of those entries of O(services) that name none.
    type: str
    default: default
  clusters:
    description:
      - Clusters whose services are recycled, by name, ARN or pattern. V([*]) stands for every cluster of the region.
      - In a pattern V(*) stands for any text and V(?) for one character. With V(!) in front it takes clusters away.
      - A name that does not exist is an error. A pattern that matches nothing is a warning.
    type: list
    elements: str
  names:
    description:
      - Names or patterns of services in O(clusters). By default all services. Patterns are as for O(clusters).
    type: list
    elements: str
    default: []
  tags:
    description:
      - Tags that a service in O(clusters) must have, all of them. The value is a text, a pattern, or a list of which
        one must match. V(*) means that the tag is there, whatever its value.
    type: dict
    default: {}
  concurrency:
    description:
      - Maximum number of services at a time.
      - A service that waits for another run or for a deployment when its turn comes goes once behind those that wait
        for a place.
    type: int
    default: 20
  per_cluster:
    description:
      - Maximum number of services of one cluster at a time. If omitted, only O(concurrency) limits them.
    type: int
  fleet_order:
    description:
      - The order in which services begin. V(given) is the order of O(services), or by cluster and name. V(name) is by
        name. V(largest) begins with those of the highest desired count, so that none of them is left for the end.
    type: str
    choices: [given, name, largest]
    default: given
  wave_tag:
    description:
      - Key of a tag of the services, such as V(recycle-wave). Services with the lowest value begin first, and those
        with the next value begin when all of them have ended. Numbers come before other texts.
      - Services without the tag come last. If omitted, there is one wave.
    type: str
  wave_wait:
    description:
      - Seconds from the end of one wave to the start of the next.
    type: float
    default: 0
  max_failed_services:
    description:
      - When more services than this have failed, no other service is begun. Those that are at work go on. If omitted,
        there is no limit.
    type: int
  max_fail_percentage:
    description:
      - When more than this percentage of the services have failed, no other service is begun. With O(wave_tag), it is
        the percentage of a wave. If omitted, there is no limit.
    type: float
  calls_per_second:
    description:
      - Maximum number of calls to AWS a second, on average, for all services together. The first three seconds' worth,
        but at most 50, may be made at once.
      - AWS allows an account 20 calls a second of DescribeServices and ListServices together, and 100 at once. Other
        calls have limits of their own. The console and all other tools share them.
      - With 100 services of 3 tasks at a time, 15 calls a second make a run about a seventh longer, and 30 about a
        twelfth.
    type: float
    default: 15
  fleet_timeout:
    description:
      - Seconds after which the whole module ends. No other service is begun. Those at work stop no further task, give
        back what they have added, and fail. O(timeout) is for each service.
    type: int
  timelines:
    description:
      - Whether the rows of the result hold the course of each service, which
        P(steadyops.ecs.recycle_page#filter) draws. It makes the result several times as large.
    type: bool
    default: false
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.stale_tasks
  - steadyops.ecs.recycle
  - steadyops.ecs.waiting
attributes:
  check_mode:
    support: full
    details: Nothing is written. Plans and diff are those of a real run at that moment.
  diff_mode:
    support: full
    details: For each service, as M(steadyops.ecs.ecs_service_recycle) shows it.
  idempotent:
    support: partial
    details: >-
      With O(all_tasks), every run that was not interrupted replaces all tasks again. All other selectors are
      idempotent; with O(max_task_age), as long as the tasks are younger.
seealso:
  - module: steadyops.ecs.ecs_service_recycle
  - plugin: steadyops.ecs.ecs_services
    plugin_type: inventory
  - plugin: steadyops.ecs.recycle_table
    plugin_type: filter
  - plugin: steadyops.ecs.recycle_page
    plugin_type: filter
notes:
  - A killed run. Every service has its record, as the notes of M(steadyops.ecs.ecs_service_recycle) say. Run the same
    task again and it goes on from there, or run it with O(state=restored).
  - Ended from outside. On C(SIGTERM), C(SIGINT) and C(SIGHUP), when the Ansible command that started it is gone, and
    after O(fleet_timeout), no other service is begun. All services at work give back what they have added, side by
    side.
  - Two runs at once. A service that another run is at work on is waited for, for O(wait_timeout) at most.
  - When a service fails, the others go on, and the module fails in the end. Its message names each cause once, with
    the services that it is about.
  - Progress. Where the module runs on the controller, it prints a line on standard error for each step, with the name
    of the service, and for each service that ends. Once a minute it prints how many services are done, running and
    waiting, and about how long the others will take. The variable C(ecs_progress=false) silences it.
  - One task is for one account and region. Use one task for each of them, with C(assume_role_arn) of
    M(amazon.aws.sts_assume_role) for other accounts.
  - |-
    IAM permissions, and what each is for:

    C(ecs:ListClusters), C(ecs:ListServices) - with O(clusters).

    All others are those of M(steadyops.ecs.ecs_service_recycle), under the same conditions.
    C(application-autoscaling:DescribeScalableTargets), C(application-autoscaling:RegisterScalableTarget),
    C(cloudwatch:DescribeAlarms), C(ecr:DescribeImages), C(ecs:DescribeCapacityProviders),
    C(ecs:DescribeContainerInstances), C(ecs:DescribeServiceDeployments), C(ecs:DescribeServiceRevisions),
    C(ecs:DescribeServices), C(ecs:DescribeTaskDefinition), C(ecs:DescribeTasks), C(ecs:GetTaskProtection),
    C(ecs:ListTasks), C(ecs:StopTask), C(ecs:TagResource), C(ecs:UntagResource), C(ecs:UpdateService),
    C(ecs:UpdateTaskProtection), C(elasticloadbalancing:DescribeInstanceHealth),
    C(elasticloadbalancing:DescribeTargetHealth), C(s3:GetObject), C(secretsmanager:DescribeSecret),
    C(ssm:DescribeParameters), C(vpc-lattice:ListTargets).
"""

EXAMPLES = r"""
- name: Let no task of the services that say so grow older than a week
  steadyops.ecs.ecs_fleet_recycle:
    clusters: [production-*, '!production-test']
    tags:
      recycle: weekly
    max_task_age: 7d
    batch_size: 10%
    concurrency: 50
  register: weekly

- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ weekly.fleet.rows | steadyops.ecs.recycle_table }}"

- name: Recycle three services, one of them with options of its own
  steadyops.ecs.ecs_fleet_recycle:
    cluster: production
    services:
      - web
      - arn:aws:ecs:eu-central-1:123456789012:service/production/api
      - service: batch
        surge: 0
        minimum_healthy_percent: 66
    token: release-7

- name: Begin with a few services, and go on an hour later if none of them failed
  steadyops.ecs.ecs_fleet_recycle:
    clusters: ['*']
    tags:
      recycle-wave: '*'
    wave_tag: recycle-wave
    wave_wait: 3600
    max_failed_services: 0
    all_tasks: true

- name: Give back what a cancelled run has left behind
  steadyops.ecs.ecs_fleet_recycle:
    clusters: [production]
    state: restored

# Several accounts and regions. Each host of the inventory is one region of one account, with these variables:
#   shop-frankfurt: {aws_region: eu-central-1, recycle_role_arn: 'arn:aws:iam::111111111111:role/recycler'}
#   bank-virginia: {aws_region: us-east-1, recycle_role_arn: 'arn:aws:iam::222222222222:role/recycler'}
# Ansible works on all of them at the same time, and one that fails does not stop the others.
- name: Recycle the services of several accounts and regions
  hosts: aws_regions
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Assume the IAM role of the account
      amazon.aws.sts_assume_role:
        role_arn: "{{ recycle_role_arn }}"
        role_session_name: recycle
        duration_seconds: 3600
        region: "{{ aws_region }}"
      register: assumed
      changed_when: false
      check_mode: false
      no_log: true

    - name: Recycle the services of the region
      steadyops.ecs.ecs_fleet_recycle:
        region: "{{ aws_region }}"
        access_key: "{{ assumed.sts_creds.access_key }}"
        secret_key: "{{ assumed.sts_creds.secret_key }}"
        session_token: "{{ assumed.sts_creds.session_token }}"
        clusters: ['*']
        tags:
          recycle: weekly
        max_task_age: 7d
"""

RETURN = r"""
fleet:
  description: What was done. A failed task returns it as well, beside RV(ignore:msg).
  returned: unless the options themselves are refused
  type: dict
  contains:
    rows:
      description:
        - For each service, by C(cluster/service), a row as P(steadyops.ecs.recycle_row#filter) makes it of the result
          of M(steadyops.ecs.ecs_service_recycle). P(steadyops.ecs.recycle_table#filter),
          P(steadyops.ecs.recycle_page#filter) and P(steadyops.ecs.recycle_totals#filter) take all of them.
        - The C(status) of a service that was not begun is V(not started), and its C(message) says why.
        - The C(service) is the ARN, as far as it is known. It is empty if a service that was given by name was not
          found.
      returned: always
      type: dict
      sample:
        production/web:
          name: production/web
          status: recycled
          replaced: 3
          skipped: 0
          failures: 0
          remaining: 0
          seconds: 215.3
          floor: 3
          least_healthy: 3
          check: false
          message: ""
          untold: []
          service: arn:aws:ecs:eu-central-1:123456789012:service/production/web
          selector: "max_task_age: 7d"
          timeline: {}
    totals:
      description: The sums of the rows, as P(steadyops.ecs.recycle_totals#filter) makes them.
      returned: always
      type: dict
      sample:
        services: 1
        statuses: {recycled: 1}
        replaced: 3
        skipped: 0
        failures: 0
        remaining: 0
        seconds: 215.3
        failed: {}
        not_started: []
    stopped:
      description: Why some services were not begun; V(null) when all of them were.
      returned: always
      type: str
      sample: null
    seconds:
      description: How long all of it took.
      returned: always
      type: float
      sample: 1100.2
    api_calls:
      description: Calls to AWS for all services together, by operation, repeated ones included.
      returned: always
      type: dict
      sample: {DescribeServices: 1000, StopTask: 1500}
"""

from ..module_utils._aws.live.account import LiveAccount
from ..module_utils._aws.live.fleet import CALLS_AT_ONCE
from ..module_utils._aws.live.line import Line
from ..module_utils._aws.live.members import find_members
from ..module_utils._core.fleet.bucket import Bucket
from ..module_utils._core.fleet.jobs import ORDERS, make_jobs, read_limits, read_services
from ..module_utils._core.fleet.run import FleetReport, recycle_fleet
from ..module_utils._core.fleet.watch import FleetWatch
from ..module_utils._core.recycle.session import Self
from ..module_utils._drive import Ending
from ..module_utils._lease_owner import is_dead, own_name
from ..module_utils._module import AwsModule, Outcome, drive_many, run
from ..module_utils._progress import teller
from ..module_utils._recycle_options import RECYCLE, check_entries
from ..module_utils._stale_task_options import SERVICE, STALE_TASKS

ARGUMENTS = {
    **STALE_TASKS,
    **RECYCLE,
    "services": {"type": "list", "elements": "raw"},
    "cluster": SERVICE["cluster"],
    "clusters": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str", "default": []},
    "tags": {"type": "dict", "default": {}},
    "concurrency": {"type": "int", "default": 20},
    "per_cluster": {"type": "int"},
    "fleet_order": {"type": "str", "choices": list(ORDERS), "default": "given"},
    "wave_tag": {"type": "str"},
    "wave_wait": {"type": "float", "default": 0},
    "max_failed_services": {"type": "int"},
    "max_fail_percentage": {"type": "float"},
    "calls_per_second": {"type": "float", "default": 15},
    "fleet_timeout": {"type": "int"},
    "timelines": {"type": "bool", "default": False},
}
RULES = {
    "mutually_exclusive": [("services", "clusters")],
    "required_one_of": [("services", "clusters")],
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    params, ending = module.params, Ending()
    limits, rate = read_limits(params), params["calls_per_second"]
    named = read_services(check_entries(params["services"] or ()), params["cluster"])
    members = find_members(module.client("ecs"), named, params)
    jobs = make_jobs(members.wanted, params, members.facts, params["fleet_order"], params["wave_tag"])
    line = Line(module.client)
    me, report = Self(own_name(), is_dead, ending, check_mode), FleetReport()
    watch = FleetWatch(teller())
    steps = recycle_fleet(
        jobs, limits, LiveAccount(line), me, report, params["fleet_timeout"], watch, params["timelines"]
    )
    drive_many(steps, ending, Bucket(rate, min(CALLS_AT_ONCE, 3 * rate), line.clock()))
    return Outcome(
        changed=report.changed,
        results={"fleet": report.as_dict(line.calls)},
        before=report.before or None,
        after=report.after or None,
        warnings=[*members.warnings, *report.warning_words()],
        failure=report.message,
    )


def main() -> None:
    run(ARGUMENTS, work, about="the fleet", **RULES)


if __name__ == "__main__":
    main()
