# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The record: what a run is about to do, written on the service before it is done.

One service tag holds it, because a tag is written in one call, travels with the service and comes
back with every DescribeServices. ECS allows 256 characters out of letters, digits, space and
``_.:/=+-@``, so it is a line of ``key=value`` words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import Refused
from .model import SCALING_FLAGS

RECORD_TAG = "steadyops.ecs/recycle"
TOKENS_TAG = "steadyops.ecs/recycle-tokens"

CLAIMED = "claimed"  # nothing but the record itself is certain to have been done
SURGED = "surged"  # scaling is suspended and the desired count is raised

_SAME_END = 120.0  # seconds
_TOKENS_KEPT = 8  # 8 x 28 characters fit into one tag


@dataclass(frozen=True)
class Record:
    """All that a later run needs to finish or to undo this one."""

    original: int  # desired count as found
    surge: int  # tasks added to it that have not been given back
    begun: float  # AWS instant: tasks created from then on are replacements or additions
    selector: str
    cutoff: float | None
    suspended: tuple[str, ...]  # switches of Application Auto Scaling that were off and that we turn on
    phase: str
    owner: str
    lease_until: float  # AWS instant
    protected_until: tuple[float, ...] = ()  # AWS instants, whole minutes, at which our protections of tasks end

    @property
    def text(self) -> str:
        words = {
            "v": "1",
            "o": str(self.original),
            "s": str(self.surge),
            "b": f"{self.begun:.3f}",
            "k": self.selector,
            "c": "-" if self.cutoff is None else f"{self.cutoff:.3f}",
            "q": "+".join(self.suspended) or "-",
            "ph": self.phase,
            "w": self.owner,
            "x": f"{self.lease_until:.0f}",
        }
        if self.protected_until:  # versions that do not know it do not read it
            words["p"] = "+".join(f"{end / 60:.0f}" for end in self.protected_until)
        return " ".join(f"{key}={value}" for key, value in words.items())

    def shields(self, end: float) -> bool:
        """Whether a protection that ends then is one of ours. ECS takes whole minutes, and a call takes a while."""
        return any(abs(end - ours) <= _SAME_END for ours in self.protected_until)


def read_record(tags: Mapping[str, str]) -> Record | None:
    """The record on a service; None without one. Raises Refused for one that cannot be understood."""
    text = tags.get(RECORD_TAG)
    if text is None:
        return None
    try:
        words = dict(word.split("=", 1) for word in text.split())
        suspended = tuple(flag for flag in SCALING_FLAGS if flag in words["q"].split("+"))
        if words["v"] != "1":
            raise ValueError(words["v"])
        return Record(
            original=int(words["o"]),
            surge=int(words["s"]),
            begun=float(words["b"]),
            selector=words["k"],
            cutoff=None if words["c"] == "-" else float(words["c"]),
            suspended=suspended,
            phase=words["ph"],
            owner=words["w"],
            lease_until=float(words["x"]),
            protected_until=tuple(60.0 * int(end) for end in words.get("p", "").split("+") if end),
        )
    except (KeyError, ValueError):
        raise Refused(
            f"the service carries the tag {RECORD_TAG} with a value that this version does not understand: {text!r}."
            " It was written by another version or by hand. Compare the service's desired count and the switches of"
            " its scalable target with what they should be, then remove the tag and run again"
        ) from None


def give_back(desired: int, original: int, surge: int) -> int:
    """The desired count after giving back what was added.

    The difference is taken away, not the old number restored, so that what others added stays; and
    never below what was found, because a count that others lowered no longer holds our addition.
    """
    return max(original, desired - surge) if desired > original else desired


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def token_cutoff(tags: Mapping[str, str], token: str) -> float | None:
    """The instant that was frozen when a run with this token first began; None for a new token."""
    for word in tags.get(TOKENS_TAG, "").split():
        digest, _sign, cutoff = word.partition("=")
        if digest == _digest(token):
            try:
                return float(cutoff)
            except ValueError:
                return None
    return None


def remember_token(tags: Mapping[str, str], token: str, cutoff: float) -> str:
    """The value of the tokens tag with this token in it; the oldest tokens are forgotten."""
    digest = _digest(token)
    others = [word for word in tags.get(TOKENS_TAG, "").split() if not word.startswith(f"{digest}=")]
    return " ".join([*others, f"{digest}={cutoff:.3f}"][-_TOKENS_KEPT:])
