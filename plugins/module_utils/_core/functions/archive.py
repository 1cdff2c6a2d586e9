# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Build and keep the archive of a Lambda function. The same files give the same bytes, anywhere and at any time."""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import Refused

_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the oldest time that the format supports
_MODE = 0o100644 << 16  # a regular file that everyone can read, since Lambda's user is not the owner
LARGEST = 50 * 1024 * 1024  # bytes that CreateFunction accepts


def archive(files: Mapping[str, bytes], largest: int = LARGEST) -> bytes:
    """Return a zip of ``files``, which maps paths in the zip to contents.

    Nothing is compressed, because the output of zlib depends on its version.

    Raises ``Refused`` if the zip is larger than ``largest`` bytes.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as made:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _BEGINNING)
            entry.create_system = 3  # Unix, even if this system is not
            entry.external_attr = _MODE
            made.writestr(entry, files[path])
    content = target.getvalue()
    if len(content) > largest:
        raise Refused(f"The function's archive has {len(content)} bytes, but Lambda allows {largest}. Remove files")
    return content


def keep(path: Path, content: bytes) -> bool:
    """Write the archive to ``path`` if it differs from the file there, and return whether it did. May raise OSError.

    The file is replaced as a whole, because another run may be uploading it. Only its owner can read it.
    """
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        made = Path(folder, path.name)
        made.touch(mode=0o600)
        made.write_bytes(content)
        made.replace(path)
    return True


def code_sha256(content: bytes) -> str:
    """Return the ``CodeSha256`` that Lambda computes for this archive."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
