# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Writes that name an IAM role. One made a moment ago is not known everywhere at once."""

from __future__ import annotations

from collections.abc import Callable, Generator

from ..._core.errors import CallFailed

DELAY = 2.0  # seconds between two tries
TIMEOUT = 60.0  # seconds until a role that was made just now can be used
# How the services of AWS say that they cannot use a role yet, or ever.
NOT_READY = (
    "authorized to assume the provided role",  # Step Functions
    "not authorized to access the Log Destination",
    "to assume the role",  # EventBridge Scheduler
    "be assumed by principal",  # EventBridge
)


def when_role_is_ready(write: Callable[[], None]) -> Generator[float, None, None]:
    """Write, and again while AWS says that it cannot use the role. Raises the last failure after a minute."""
    waited = 0.0
    while True:
        try:
            return write()
        except CallFailed as error:
            if waited >= TIMEOUT or not any(words in str(error) for words in NOT_READY):
                raise
        yield DELAY
        waited += DELAY
