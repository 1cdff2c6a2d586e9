# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack a Lambda function: its own files, files of the collection, and wheels that pip gets from the package index.

The role runs this on the controller. It prints JSON: {"path", "code_sha256", "changed", "downloaded"}. Each run makes a
package with the same bytes. Wheels that already exist are not downloaded, so without a network, put the wheels into the
folder given as --wheels.

If it fails, it exits with 1 and prints the reason to standard error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True  # the collection may be anywhere, and this must not write into it
sys.path.insert(0, str(COLLECTION / "plugins/module_utils"))

from _core.errors import Refused  # noqa: E402
from _core.functions import wheels  # noqa: E402
from _core.functions.archive import archive, code_sha256, keep  # noqa: E402


class CannotPack(Exception):
    """The package cannot be made. The text says what to do."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder with the function's files")
    parser.add_argument("--core", nargs="*", default=[], help="files of _core to add, such as functions/sentry_event")
    parser.add_argument("--requirements", type=Path, help="pinned requirements, with digests")
    parser.add_argument("--wheels", type=Path, help="folder in which downloaded wheels are kept")
    parser.add_argument("--output", type=Path, required=True, help="the package to write")
    given = parser.parse_args()
    try:
        told = pack(given.source, given.core, given.requirements, given.wheels, given.output)
    except (CannotPack, Refused, OSError) as error:
        sys.exit(f"The package {given.output} cannot be created: {error}")
    sys.stdout.write(json.dumps(told) + "\n")


def pack(
    source: Path, core: list[str], requirements: Path | None, kept: Path | None, output: Path
) -> dict[str, object]:
    parts = [{path.name: path.read_bytes() for path in sorted(source.glob("*.py"))}]
    parts += [
        {f"{Path(name).name}.py": (COLLECTION / f"plugins/module_utils/_core/{name}.py").read_bytes()} for name in core
    ]
    downloaded = False
    if requirements:
        wanted = wheels.read_requirements(requirements.read_text(encoding="utf-8"))
        folder = kept or output.parent / "wheels"
        found = found_wheels(folder, wanted)
        if len(found) < len(wanted):
            download(requirements, folder, wanted)
            downloaded = True
            found = found_wheels(folder, wanted)
        missing = [each for each in wanted if each.name not in found]
        if missing:
            raise CannotPack(f"no wheel with the expected digest was found for {named(missing)}")
        parts += [wheels.wheel_files(found[each.name]) for each in wanted]
    package = archive(wheels.merged(parts))
    told = {"path": str(output), "code_sha256": code_sha256(package), "changed": keep(output, package)}
    return {**told, "downloaded": downloaded}


def found_wheels(folder: Path, wanted: list[wheels.Requirement]) -> dict[str, bytes]:
    """Return name -> content of the wheels in the folder. They are recognised by their digests alone."""
    contents = [path.read_bytes() for path in sorted(folder.glob("*.whl"))] if folder.is_dir() else []
    digests = {hashlib.sha256(content).hexdigest(): content for content in contents}
    return {each.name: digests[digest] for each in wanted for digest in each.digests if digest in digests}


def download(requirements: Path, folder: Path, wanted: list[wheels.Requirement]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    command += ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "pip says nothing").splitlines()[-1]
        raise CannotPack(
            f"pip cannot get {named(wanted)} from the package index ({said}). Check the network and pip's settings on "
            f"the controller, or put the wheels into {folder} yourself"
        )


def named(wanted: list[wheels.Requirement]) -> str:
    return ", ".join(f"{each.name} {each.version}" for each in wanted)


if __name__ == "__main__":
    main()
