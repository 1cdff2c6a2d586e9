# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.sandbox: a double of AWS on 127.0.0.1."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading

from .account import Account
from .server import announce, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="on 127.0.0.1; 0 takes a free one (default: 4566)")
    parser.add_argument("--speed", type=float, default=1, help="divides all latencies of AWS (default: 1)")
    parser.add_argument(
        "--region", default=os.environ.get("AWS_REGION", "eu-central-1"), help="of the control endpoint"
    )
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input ends, as it does with a parent"
    )
    asked = parser.parse_args()
    if asked.speed <= 0:
        parser.error("--speed has to be above 0")
    server = serve(Account(asked.speed, asked.region), asked.port)
    announce(server, asked.region)
    if asked.until_eof:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()
        return
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
