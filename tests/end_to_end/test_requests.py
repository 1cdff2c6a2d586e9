# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests go through a load balancer while the tasks that answer them are replaced."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.end_to_end.witness import Witness

CLIENTS, MOST = 8, 5000  # number of clients, and requests of each client
SECONDS = 10  # duration of a request; shorter than the targets' time to drain


@pytest.fixture
def load(sandbox):
    """Sends requests to the service until the block ends, and counts what became of them."""

    class Load:
        def __enter__(self):
            self._end = threading.Event()
            self._pool = ThreadPoolExecutor(CLIENTS)
            self._clients = [self._pool.submit(self._client) for _number in range(CLIENTS)]
            return self

        def _client(self):
            statuses: Counter[int] = Counter()
            while not self._end.is_set() and statuses.total() < MOST:
                statuses[sandbox.ask("GET", f"request?service=web&seconds={SECONDS}")["status"]] += 1
            return statuses

        def __exit__(self, *_exception):
            self._end.set()
            self.statuses = sum((client.result() for client in self._clients), Counter())
            self._pool.shutdown()

    return Load()


def recycled_under_load(sandbox, recycle, load, **options):
    """Recycle a service under load, and return what became of the requests."""
    sandbox.settings(latencies={"stop": 60.0})  # 24 of them are for draining
    sandbox.service("web", tasks=10, health_check=True, target_groups=1)
    witness = Witness(sandbox)
    with load:
        result = recycle(max_task_age="1h", **options)
    assert len(result["recycle"]["replaced"]) == 10
    witness.kept()
    assert load.statuses.total() > 10 * CLIENTS
    return load.statuses


def test_no_request_fails_with_scale_in(sandbox, recycle, load):
    assert set(recycled_under_load(sandbox, recycle, load, stop_method="scale_in")) == {200}


def test_requests_fail_with_stop_task_where_draining_is_not_promised(sandbox, recycle, load):
    statuses = recycled_under_load(sandbox, recycle, load)
    assert set(statuses) == {200, 502}


def test_no_request_fails_with_stop_task_where_ecs_drains(sandbox, recycle, load):
    sandbox.settings(stop_task_drains=True)
    assert set(recycled_under_load(sandbox, recycle, load)) == {200}


def test_requests_find_no_healthy_target(sandbox):
    sandbox.service("web", tasks=1, target_groups=1)
    assert sandbox.ask("GET", "request?service=web")["status"] == 200
    sandbox.act("fail_health", "web", group=sandbox.find("web")["target_groups"][0])
    assert sandbox.ask("GET", "request?service=web")["status"] == 503
