# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory plugin that returns each service of some Amazon ECS clusters as a host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_services
version_added: 1.0.0
short_description: Amazon ECS services as hosts
description:
  - Creates a host for each service of the selected clusters, so that a play can run on a fleet of services.
  - Hosts are named C(service.cluster), or C(service.cluster.region) if O(regions) lists several regions. All of them
    are in the group C(ecs_services).
  - Variables of a host start with C(ecs_), such as C(ecs_service_arn), C(ecs_account_id), C(ecs_status),
    C(ecs_desired_count), C(ecs_running_count), C(ecs_task_definition), C(ecs_launch_type), C(ecs_capacity_providers),
    C(ecs_deploying) and C(ecs_tags). C(ansible-inventory --host NAME) shows all of them.
  - Pass C(ecs_service), C(ecs_cluster) and C(ecs_region) to the modules of this
    collection as O(steadyops.ecs.ecs_service_recycle#module:service),
    O(steadyops.ecs.ecs_service_recycle#module:cluster) and O(steadyops.ecs.ecs_service_recycle#module:region).
  - C(ansible_connection) is V(local), because Ansible cannot log in to a service. O(compose) can override this.
  - The name of the inventory file must end with C(ecs_services.yml) or C(ecs_services.yaml).
author:
  - SteadyOps contributors (@steadyops)
options:
  plugin:
    description:
      - Marks the file as one for this plugin.
    type: str
    required: true
    choices: [steadyops.ecs.ecs_services]
  regions:
    description:
      - Regions to search. If omitted, O(region). Clusters given by ARN are also searched in the region of their ARN.
    type: list
    elements: str
    default: []
  clusters:
    description:
      - Clusters to search, given by name, ARN or pattern. If omitted, all clusters.
      - In a pattern, V(*) stands for any text and V(?) for one character. A pattern that begins with V(!) excludes
        clusters.
      - A name that exists in no region is an error. A pattern that matches nothing is a warning.
    type: list
    elements: str
    default: []
  services:
    description:
      - Names or patterns of services. If omitted, all services. Patterns work as in O(clusters).
      - Services that do not match are not read, which saves calls.
    type: list
    elements: str
    default: []
  tags:
    description:
      - Tags that a service must have. All of them must match. The value is a text, a pattern, or a list of which one
        must match.
      - V(*) matches any value.
    type: dict
    default: {}
  statuses:
    description:
      - Statuses of the services to include. An empty list includes all.
    type: list
    elements: str
    choices: [ACTIVE, DRAINING, INACTIVE]
    default: [ACTIVE]
  hostname:
    description:
      - A Jinja2 expression for the name of the host, such as V(ecs_cluster ~ '.' ~ ecs_service). If omitted, hosts are
        named as described above. It may use every variable that starts with C(ecs_).
      - It is an error if two services get the same name.
    type: str
  calls_in_flight:
    description:
      - Maximum number of simultaneous calls to AWS.
    type: int
    default: 8
  calls_per_second:
    description:
      - Maximum average number of calls per second and region. A burst of three seconds' worth of calls, but at most 50,
        is allowed.
      - AWS allows an account 20 calls per second, with bursts of 100. The console and all other tools share this limit.
    type: float
    default: 15
  wait_timeout:
    description:
      - Maximum number of seconds to retry a call that AWS throttles or that fails with a server error.
    type: int
    default: 120
extends_documentation_fragment:
  - steadyops.ecs.aws.plugins
  - constructed
  - inventory_cache
notes:
  - |-
    IAM permissions, and what each is for:

    C(ecs:ListServices), C(ecs:DescribeServices) - the services.

    C(ecs:ListClusters) - the clusters, unless all of them are given by name or ARN.

    C(sts:AssumeRole) - with O(assume_role_arn).
  - For n services, the plugin makes n/10 + n/100 calls, at most two more for each cluster, and one for each hundred
    clusters. They take about n/130 seconds once the first services have been read.
  - With C(-v), the plugin prints its progress every two seconds.
  - The cache is not used if options that select services have changed.
  - If an inventory cannot be read, Ansible continues without it unless C(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) is
    set.
  - Plays over these hosts run modules on the controller. Set C(ansible_python_interpreter) to C("{{
    ansible_playbook_python }}") in the play. Otherwise Ansible may find a Python without boto3.
seealso:
  - module: steadyops.ecs.ecs_service_recycle
"""

EXAMPLES = r"""
# All services of all clusters in the default region. The file is named all.ecs_services.yml
plugin: steadyops.ecs.ecs_services

---
# Services of the weekly recycle, grouped by cluster and team. The file is named fleet.ecs_services.yml
plugin: steadyops.ecs.ecs_services
regions: [eu-central-1, eu-west-1]
clusters: [production-*, '!production-test']
services: ['!canary-*']
tags:
  recycle: weekly
  stage: [live, standby]
keyed_groups:
  - key: ecs_cluster
    prefix: cluster
  - key: ecs_tags.team
    prefix: team
    default_value: nobody
groups:
  fargate: ecs_launch_type == 'FARGATE' or 'FARGATE' in ecs_capacity_providers
  deploying: ecs_deploying
  short: ecs_running_count < ecs_desired_count
compose:
  oncall: ecs_tags.oncall | default('platform@example.com')
strict: true

---
# Cached for ten minutes in files, so that several plays in a row read AWS only once.
plugin: steadyops.ecs.ecs_services
clusters: [production]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ansible
cache_timeout: 600

---
# In another account, with names that say so. With one such file for each account, one run of the playbook
# steadyops.ecs.service_recycle recycles the services of all accounts. compose hands the IAM role to the playbook.
plugin: steadyops.ecs.ecs_services
regions: [eu-central-1, us-east-1]
assume_role_arn: arn:aws:iam::123456789012:role/ansible
hostname: ecs_service ~ '.' ~ ecs_cluster ~ '.' ~ ecs_region ~ '.' ~ ecs_account_id
compose:
  service_recycle_assume_role_arn: "'arn:aws:iam::123456789012:role/ansible'"
strict: true
"""

from typing import Any

from ..module_utils._aws.live.fleet import FleetReader, Progress
from ..module_utils._core.errors import Failed, Refused
from ..module_utils._core.fleet.hosts import host_name, host_vars, refuse_same_names
from ..module_utils._core.fleet.selection import Selection, read_selection
from ..plugin_utils._inventory import AwsInventory, untrusted

GROUP = "ecs_services"


class InventoryModule(AwsInventory):
    NAME = "steadyops.ecs.ecs_services"
    INVENTORY_FILE_SUFFIXES = ("ecs_services.yml", "ecs_services.yaml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        options = ("regions", "clusters", "services", "tags", "statuses")
        try:
            selection = read_selection({name: self.get_option(name) for name in options}, self.region)
            services = self._cached(path, cache, selection)
            hosts = self._hosts(services, with_region=len(selection.regions) > 1)
        except (Refused, Failed) as error:
            self.refuse(str(error))
        self.inventory.add_group(GROUP)
        for name, variables in hosts.items():
            self._add(name, variables)

    def _cached(self, path: str, cache: bool, selection: Selection) -> list[dict[str, Any]]:
        """Return the facts of the services, from the cache if it was filled with the same selection and credentials."""
        if not self.get_option("cache"):
            return self._read(selection)
        key = self.get_cache_key(path)
        who = [self.get_option(name) for name in ("endpoint_url", "profile", "access_key", "assume_role_arn")]
        asked = repr((selection, who))
        kept = self._cache.get(key) if cache else None
        if not kept or kept.get("asked") != asked:
            kept = self._cache[key] = {"asked": asked, "services": self._read(selection)}
        return kept["services"]

    def _read(self, selection: Selection) -> list[dict[str, Any]]:
        workers = max(1, self.get_option("calls_in_flight"))
        clients = {region: self.connect("ecs", region, workers) for region in selection.regions}
        rate, patience = self.get_option("calls_per_second"), self.get_option("wait_timeout")
        if rate <= 0:
            raise Refused(f"calls_per_second must be a number above 0 (got {rate})")
        fleet = FleetReader(clients, selection, workers, rate, patience, self._tell).read()
        self._tell(fleet.progress)
        names, patterns = selection.not_found(fleet.clusters)
        where = ", ".join(selection.regions)
        if names:
            raise Refused(f"clusters: no cluster in {where} is named {', '.join(names)}. Check clusters and regions")
        for words in sorted(set(fleet.gone)):
            self.display.warning(f"{self.NAME}: {words} was deleted while it was read, and is omitted")
        for pattern in patterns:
            self.display.warning(f"{self.NAME}: no cluster in {where} matches {pattern}")
        return fleet.services

    def _tell(self, progress: Progress) -> None:
        """Print the progress with -v, to standard error, so that the output of ansible-inventory remains JSON."""
        if self.display.verbosity < 1:
            return
        total = f"{progress.listed} or more" if progress.listing else str(progress.listed)
        tried = f", {progress.retries} tried again" if progress.retries else ""
        self.display.display(
            f"{self.NAME}: {progress.described} of {total} services in {progress.clusters} clusters, "
            f"{progress.calls} calls{tried}, {progress.seconds:.1f} s",
            stderr=True,
        )

    def _hosts(self, services: list[dict[str, Any]], with_region: bool) -> dict[str, dict[str, Any]]:
        expression = self.get_option("hostname")
        named = []
        for facts in services:
            variables = untrusted(host_vars(facts))
            name = host_name(facts, with_region)
            if expression:
                name = self._evaluated(expression, variables)
            named.append((name, facts, variables))
        refuse_same_names((name, facts) for name, facts, _variables in named)
        for name, facts, _variables in named:
            other = self.inventory.get_host(name)
            if other and other.vars.get("ecs_service_arn", facts["service_arn"]) != facts["service_arn"]:
                raise Refused(
                    f"{name} stands for {other.vars['ecs_service_arn']} in another inventory, and for "
                    f"{facts['service_arn']} in this one. Set hostname here or there"
                )
        return {name: variables for name, _facts, variables in named}

    def _evaluated(self, expression: str, variables: dict[str, Any]) -> str:
        try:
            name = self._compose(expression, variables)
        except Exception as error:  # noqa: BLE001 - whatever Jinja2 and its filters raise
            raise Refused(f"hostname: {expression!r} fails for {variables['ecs_service_arn']}: {error}") from None
        if not isinstance(name, str) or not name.strip():
            raise Refused(
                f"hostname: {expression!r} must give a name for {variables['ecs_service_arn']} (got {name!r})"
            )
        return str(name)

    def _add(self, name: str, variables: dict[str, Any]) -> None:
        self.inventory.add_host(name, group=GROUP)
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
