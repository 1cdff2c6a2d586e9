#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace the stale tasks of many Amazon ECS services, in one process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_fleet_recycle
version_added: 1.0.0
short_description: Replace the tasks of many Amazon ECS services, in one process
description:
  - Recycles many services of one account and region in one process. It gives each service the same guarantees as
    M(steadyops.ecs.ecs_service_recycle), with fewer calls to AWS. Each service has its own record, lease and failures.
  - Services are not grouped into batches. When one service ends, the next one begins, up to O(concurrency) at a time. A
    service that fails does not hold up the others.
  - Reads that several services need at the same moment share calls. DescribeServices takes ten services of a
    cluster, and DescribeTasks and GetTaskProtection take a hundred tasks.
  - Name the services with O(services), or choose them with O(clusters), O(names) and O(tags) as the inventory plugin
    P(steadyops.ecs.ecs_services#inventory) does.
  - Options that M(steadyops.ecs.ecs_service_recycle) has as well apply to every service. An entry of O(services) can
    override them.
author:
  - SteadyOps contributors (@steadyops)
options:
  services:
    description:
      - The services. Each entry is a name, an ARN, or a dictionary with C(service), which is a name or an ARN, and
        options of M(steadyops.ecs.ecs_service_recycle) for this service only, including C(cluster).
      - An entry with a selector of its own, such as C(max_task_age), does not use the one for all services.
      - Exactly one of O(services) and O(clusters) is required.
    type: list
    elements: raw
  cluster:
    description:
      - Name or ARN of the cluster for entries of O(services) that name no cluster.
    type: str
    default: default
  clusters:
    description:
      - Clusters whose services are recycled, by name, ARN or pattern. V([*]) stands for every cluster of the region.
      - In a pattern, V(*) stands for any text and V(?) for one character. A pattern that begins with V(!) excludes
        clusters.
      - A name that does not exist is an error. A pattern that matches nothing is a warning.
    type: list
    elements: str
  names:
    description:
      - Names or patterns of services in O(clusters). If omitted, all services are recycled. Patterns work as in
        O(clusters).
    type: list
    elements: str
    default: []
  tags:
    description:
      - Tags that a service in O(clusters) must have. All of them must match. The value is a text, a pattern, or a list
        of which one must match. V(*) matches any value.
    type: dict
    default: {}
  concurrency:
    description:
      - Maximum number of services at a time.
      - If a service must wait for another run or for a deployment when its turn comes, it moves to the end of the
        queue, once.
    type: int
    default: 20
  per_cluster:
    description:
      - Maximum number of services of one cluster at a time. If omitted, only O(concurrency) limits them.
    type: int
  fleet_order:
    description:
      - The order in which services begin. V(given) is the order of O(services), or by cluster and name. V(name) is by
        name. V(largest) begins with the services with the highest desired count, so that a large service does not start
        last.
    type: str
    choices: [given, name, largest]
    default: given
  wave_tag:
    description:
      - Key of a tag of the services, such as V(recycle-wave). Services with the lowest value begin first, and those
        with the next value begin when all of them have ended. Numbers sort before other texts.
      - Services without the tag come last. If omitted, there is one wave.
    type: str
  wave_wait:
    description:
      - Seconds from the end of one wave to the start of the next.
    type: float
    default: 0
  max_failed_services:
    description:
      - If more services than this have failed, the module begins no further service. Services in progress continue. If
        omitted, there is no limit.
    type: int
  max_fail_percentage:
    description:
      - If more than this percentage of the services have failed, the module begins no further service. With
        O(wave_tag), this is a percentage of the wave. If omitted, there is no limit.
    type: float
  calls_per_second:
    description:
      - Maximum average number of calls to AWS per second, for all services together. A burst of three seconds' worth of
        calls, but at most 50, is allowed.
      - AWS allows an account 20 calls per second of DescribeServices and ListServices together, with bursts of 100.
        Other calls have their own limits. The console and all other tools share these limits.
      - With 100 services of 3 tasks at a time, a limit of 15 makes a run about a seventh longer, and a limit of 30
        about a twelfth.
    type: float
    default: 15
  fleet_timeout:
    description:
      - Maximum duration of the whole run in seconds. After that, the module begins no further service. Services in
        progress stop no further task, give back what they added, and fail. O(timeout) limits each service.
    type: int
  timelines:
    description:
      - Whether the result includes the course of each service, which P(steadyops.ecs.recycle_page#filter) draws. This
        makes the result several times as large.
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
    details: Nothing is written. The plans and the diff are what a real run would produce at that moment.
  diff_mode:
    support: full
    details: Shows the same for each service as M(steadyops.ecs.ecs_service_recycle).
  idempotent:
    support: partial
    details: >-
      With O(all_tasks), every run that was not interrupted replaces all tasks again. All other selectors are
      idempotent; with O(max_task_age), until further tasks reach that age.
seealso:
  - module: steadyops.ecs.ecs_service_recycle
  - plugin: steadyops.ecs.ecs_services
    plugin_type: inventory
  - plugin: steadyops.ecs.recycle_table
    plugin_type: filter
  - plugin: steadyops.ecs.recycle_page
    plugin_type: filter
notes:
  - A killed run. Every service has its own record; see the notes of M(steadyops.ecs.ecs_service_recycle). Run the same
    task again to continue from there, or run it with O(state=restored).
  - Interruption. On C(SIGTERM), C(SIGINT) and C(SIGHUP), if the Ansible command that started it is gone, and after
    O(fleet_timeout), the module begins no further service. All services in progress give back what they added, in
    parallel.
  - Two runs at once. If another run is recycling a service, the module waits for it, up to O(wait_timeout).
  - If a service fails, the others continue, and the module fails at the end. Its message names each cause once, with
    the affected services.
  - Progress. If the module runs on the controller, it prints a line on standard error for each step, with the name
    of the service, and for each service that ends. Once a minute it prints how many services are done, running and
    waiting, and about how long the others will take. The variable C(ecs_progress=false) turns this off.
  - One Ansible task works on one account and one region. Use one for each; for other accounts, assume an IAM role with
    M(amazon.aws.sts_assume_role), as in the examples.
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
- name: Let no task grow older than a week in services with the tag recycle=weekly
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

- name: Give back what a cancelled run left behind
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
  description: What the module did. A failed task returns it as well, next to RV(ignore:msg).
  returned: unless the options themselves are refused
  type: dict
  contains:
    rows:
      description:
        - A row for each service, by C(cluster/service), as P(steadyops.ecs.recycle_row#filter) makes it from the result
          of M(steadyops.ecs.ecs_service_recycle). P(steadyops.ecs.recycle_table#filter),
          P(steadyops.ecs.recycle_page#filter) and P(steadyops.ecs.recycle_totals#filter) take the rows as input.
        - A service that was not started has the C(status) V(not started), and its C(message) has the reason.
        - C(service) is the ARN of the service. It is empty if a service that was given by name was not found.
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
      description: Why some services were not started; V(null) if all were.
      returned: always
      type: str
      sample: null
    seconds:
      description: Duration of the whole run in seconds.
      returned: always
      type: float
      sample: 1100.2
    api_calls:
      description: Number of calls to AWS for all services together, by operation, including repeated calls.
      returned: always
      type: dict
      sample: {DescribeServices: 1000, StopTask: 1500}
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.account import LiveAccount
from ..module_utils._aws.live.fleet import CALLS_AT_ONCE
from ..module_utils._aws.live.line import Line
from ..module_utils._aws.live.members import find_members
from ..module_utils._converge import drive_many
from ..module_utils._core.fleet.bucket import Bucket
from ..module_utils._core.fleet.jobs import ORDERS, make_jobs, read_limits, read_services
from ..module_utils._core.fleet.run import FleetReport, recycle_fleet
from ..module_utils._core.fleet.watch import FleetWatch
from ..module_utils._core.recycle.session import Self
from ..module_utils._drive import Ending
from ..module_utils._lease_owner import is_dead, own_name
from ..module_utils._module import AwsModule, Outcome, run
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
