# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Sentry on loopback that accepts envelopes and can misbehave."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class SentrySink:
    """``received`` are the requests: path, headers in lower case, and the lines of the envelope.

    ``answer`` is the HTTP status that the next requests get. With 0, they get no response.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.answer = 200
        self._over = threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                lines = [json.loads(line) for line in body.splitlines() if line]
                headers = {name.lower(): value for name, value in self.headers.items()}
                sink.received.append({"path": self.path, "headers": headers, "lines": lines})
                if not sink.answer:
                    sink._over.wait(30)
                    return
                self.send_response(sink.answer)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.dsn = f"http://public@127.0.0.1:{self._server.server_port}/42"

    def events(self) -> list[dict[str, Any]]:
        """Return the events that Sentry would show. An envelope is a head, then a head and a body for each item."""
        return [
            body
            for request in self.received
            for head, body in zip(request["lines"][1::2], request["lines"][2::2], strict=True)
            if head["type"] == "event"
        ]

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
