# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the sandbox over HTTP, on loopback only."""

from __future__ import annotations

import sys
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from . import ticker
from .account import Account
from .app import Cut, Sandbox
from .functions import log_subscriptions, queue_triggers
from .wire import http_date

LOOPBACK = "127.0.0.1"


def serve(account: Account, port: int) -> BaseWSGIServer:
    """Return a server that listens on ``port``, or on a free port for 0. The caller starts it."""

    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

        def date_time_string(self, timestamp: float | None = None) -> str:
            return http_date(account.now() if timestamp is None else timestamp)

        def log(self, *_message: Any) -> None:
            """Log nothing: the journal records the calls."""

        def run_wsgi(self) -> None:
            try:
                super().run_wsgi()
            except Cut:
                self.close_connection = True

        def connection_dropped(self, *_error: Any) -> None:
            self.close_connection = True

    server = make_server(LOOPBACK, port, Sandbox(account), threaded=True, request_handler=Handler)
    account.url = f"http://{LOOPBACK}:{server.server_port}"
    log_subscriptions.install(account)
    queue_triggers.install(account)
    ticker.start(account)
    return server


def announce(server: BaseWSGIServer, region: str) -> None:
    """Print two lines that explain how to use the server. The first one begins with its address."""
    url = f"http://{LOOPBACK}:{server.server_port}"
    print(f"{url} is AWS now: give a playbook's modules `endpoint_url: {url}`, or set AWS_ENDPOINT_URL={url}")
    keys = f"AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox AWS_REGION={region}"
    print(f"with {keys}; what happened: curl {url}/_sandbox/journal")
    sys.stdout.flush()
