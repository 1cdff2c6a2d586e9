# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Exceptions for work that ends without success, as the domain sees them."""

from __future__ import annotations


class Refused(Exception):
    """The work must not be done, for a reason that is known before the first write. The text says what to do."""


class Failed(Exception):
    """The work began and cannot continue. Its changes must be undone."""


class CallFailed(Exception):
    """An AWS call failed with an error, after the retries of the layer below.

    ``kind`` is ``throttled`` (AWS asks to slow down), ``passing`` (the service or the network failed; the call may have
    been carried out) or ``final`` (a retry cannot help). ``answered`` is True if the error came from AWS, and False if
    no response came.
    """

    def __init__(self, operation: str, code: str, message: str, kind: str = "final", answered: bool = True) -> None:
        super().__init__(f"{operation} failed with {code}: {message}")
        self.operation = operation
        self.code = code
        self.kind = kind
        self.answered = answered
