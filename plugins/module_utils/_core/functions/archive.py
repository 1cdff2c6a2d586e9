# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A function of AWS Lambda as an archive: the same files make the same bytes, anywhere and at any time."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping

from ..errors import Refused

_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the oldest time that the format knows
_MODE = 0o100644 << 16  # a plain file that everybody may read: Lambda's user is not the owner
LARGEST = 50 * 1024 * 1024  # bytes that CreateFunction takes


def archive(files: Mapping[str, bytes], largest: int = LARGEST) -> bytes:
    """A zip of ``files``, by the path inside, of at most ``largest`` bytes.

    Nothing is compressed: what zlib makes depends on its version.

    Raises ``Refused`` when Lambda would not take it.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as made:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _BEGINNING)
            entry.create_system = 3  # Unix, also where this is not
            entry.external_attr = _MODE
            made.writestr(entry, files[path])
    content = target.getvalue()
    if len(content) > largest:
        raise Refused(f"The function's archive has {len(content)} bytes, but Lambda allows {largest}. Remove files")
    return content


def code_sha256(content: bytes) -> str:
    """What Lambda calls ``CodeSha256`` of this archive."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
