# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lambda function for Sentry, packed as the role packs it, and run with only its package and Python."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures import sample_events

from tests.end_to_end.sentry_sink import SentrySink

ROOT = Path(__file__).parents[2]
FILES = ROOT / "roles/failure_alerts/files"
# The installed collection, from which the role runs the program.
PACK = ROOT / "build/collections/ansible_collections/steadyops/ecs/roles/failure_alerts/files/package_function.py"
WHEELS = ROOT / "build/wheels"  # kept from run to run

EVENT = sample_events.task_change(
    "exit_137",
    [sample_events.container(exit_code=137, reason='OutOfMemoryError: "killed" due to memory usage')],
    "EssentialContainerExited",
    "Essential container in task exited",
    environment=True,
)

# Does what Lambda does: imports the handler, and calls it with each event.
RUNTIME = """
import json, sys
sys.path[:0] = sys.argv[2:]
events = json.load(sys.stdin)
class Context:
    def get_remaining_time_in_millis(self):
        return int(sys.argv[1])
from sentry_function import handler
for event in events:
    try:
        print(json.dumps({"returned": handler(event, Context())}))
    except Exception as error:
        print(json.dumps({"raised": type(error).__name__, "words": str(error)}))
"""

# The part of Lambda's runtime that the function uses.
BOTO3 = """
class client:
    def __init__(self, service):
        self.service = service
    def get_secret_value(self, SecretId):
        assert (self.service, SecretId) == ("secretsmanager", "sentry")
        return {"SecretString": open(__file__ + ".dsn").read()}
    def get_parameter(self, Name, WithDecryption):
        assert (self.service, Name, WithDecryption) == ("ssm", "/sentry", True)
        return {"Parameter": {"Value": open(__file__ + ".dsn").read()}}
"""


def pack(output: Path, *more: str, wheels: Path = WHEELS, **environment: str) -> subprocess.CompletedProcess[str]:
    function = PACK.parent / "sentry_function"
    command = [sys.executable, str(PACK), "--source", str(function), "--core", "functions/sentry_event"]
    command += ["--requirements", str(function / "requirements.txt"), "--wheels", str(wheels), "--output", str(output)]
    return subprocess.run(
        [*command, *more], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "sentry.zip"
    packed = pack(path)
    assert packed.returncode == 0, packed.stderr
    return path


@pytest.fixture(scope="module")
def unpacked(package: Path) -> Path:
    """Unpack the package, as Lambda does into /var/task."""
    folder = package.parent / "task"
    with zipfile.ZipFile(package) as source:
        source.extractall(folder)
    return folder


@pytest.fixture
def sentry():
    sink = SentrySink()
    yield sink
    sink.close()


@pytest.fixture
def run(unpacked: Path, tmp_path: Path):
    def run(*events: Any, milliseconds: int = 9000, **environment: str) -> list[dict[str, Any]]:
        """Run the handler with each event in one process, and return what it did."""
        command = [sys.executable, "-I", "-S", "-c", RUNTIME, str(milliseconds), str(unpacked), str(tmp_path)]
        ended = subprocess.run(
            command, input=json.dumps(events), capture_output=True, text=True, check=False, env=environment, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    return run


def test_the_package_is_the_same_from_run_to_run(package, tmp_path):
    first = package.read_bytes()
    again = json.loads(pack(package).stdout)
    assert (again["changed"], again["downloaded"]) == (False, False)
    copy = tmp_path / "other/sentry.zip"
    told = json.loads(pack(copy).stdout)
    assert told["changed"]
    assert told["code_sha256"] == again["code_sha256"]
    assert copy.read_bytes() == first == package.read_bytes()
    with zipfile.ZipFile(package) as opened:
        assert opened.testzip() is None
        assert {"sentry_function.py", "sentry_event.py", "certifi/cacert.pem"} <= set(opened.namelist())
        assert not [name for name in opened.namelist() if name.endswith((".pyc", ".so"))]
    assert len(first) < 10_000_000


def test_files_of_the_function_that_change_make_another_package(package, tmp_path):
    function = tmp_path / "function"
    shutil.copytree(FILES / "sentry_function", function)
    (function / "sentry_function.py").write_text("# Another\n")
    told = json.loads(pack(tmp_path / "sentry.zip", "--source", str(function)).stdout)
    assert told["code_sha256"] != json.loads(pack(package).stdout)["code_sha256"]


def test_without_a_network_it_says_what_to_do(tmp_path):
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    empty = {"PIP_FIND_LINKS": str(tmp_path), "PIP_EXTRA_INDEX_URL": ""}
    ended = pack(tmp_path / "sentry.zip", wheels=tmp_path / "wheels", **offline, **empty)
    assert ended.returncode == 1
    assert "pip cannot get certifi" in ended.stderr
    assert f"or put the wheels into {tmp_path / 'wheels'} yourself" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "sentry.zip").exists()


def test_with_wheels_put_there_by_hand_it_needs_none(tmp_path, package):
    shutil.copytree(WHEELS, tmp_path / "wheels")
    ended = pack(tmp_path / "sentry.zip", wheels=tmp_path / "wheels", PIP_NO_INDEX="1")
    assert json.loads(ended.stdout)["downloaded"] is False
    assert (tmp_path / "sentry.zip").read_bytes() == package.read_bytes()


def test_a_wheel_with_another_digest_is_not_taken(tmp_path):
    folder = tmp_path / "wheels"
    shutil.copytree(WHEELS, folder)
    wheel = next(folder.glob("certifi-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    ended = pack(tmp_path / "sentry.zip", wheels=folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert ended.returncode == 1
    assert not (tmp_path / "sentry.zip").exists()


def test_sentry_gets_the_event_before_the_function_returns(run, sentry):
    (told,) = run(EVENT, SENTRY_DSN=sentry.dsn, SENTRY_ENVIRONMENT="staging")
    assert told == {"returned": {"event_id": EVENT["id"].replace("-", "")}}
    (request,) = sentry.received
    assert request["path"] == "/api/42/envelope/"
    assert "sentry_key=public" in request["headers"]["x-sentry-auth"]
    assert "sentry_version=7" in request["headers"]["x-sentry-auth"]
    (event,) = sentry.events()
    assert event["event_id"] == EVENT["id"].replace("-", "")
    assert event["message"] == "nightly-import in production exited with 137 (out of memory)"
    assert event["level"] == "error"
    assert event["environment"] == "staging"
    assert event["tags"]["stop_code"] == "EssentialContainerExited"
    assert event["fingerprint"][-1] == "app 137 OutOfMemoryError"
    assert event["extra"]["reason"] == "Essential container in task exited"
    assert event["extra"]["containers"][0]["reason"] == 'OutOfMemoryError: "killed" due to memory usage'
    assert event["timestamp"].startswith("2026-11-22T03:02:11")
    assert sample_events.SECRET not in json.dumps(sentry.received)


@pytest.mark.parametrize(
    ("status", "words"), [(500, "status_500"), (429, "status_429"), (401, "status_401"), (413, "status_413")]
)
def test_it_fails_when_sentry_does_not_take_the_event(run, sentry, status, words):
    sentry.answer = status
    (told,) = run(EVENT, SENTRY_DSN=sentry.dsn)
    assert told["raised"] == "NotDelivered"
    assert words in told["words"]


def test_it_fails_when_sentry_does_not_answer(run, sentry):
    sentry.answer = 0
    (told,) = run(EVENT, SENTRY_DSN=sentry.dsn, SENTRY_FLUSH_TIMEOUT="0.5")
    assert (told["raised"], "no answer in time" in told["words"]) == ("NotDelivered", True)


def test_it_fails_in_time_for_lambda_to_notice(run, sentry):
    sentry.answer = 0
    (told,) = run(EVENT, SENTRY_DSN=sentry.dsn, milliseconds=1500)
    assert "no answer in time" in told["words"]


def test_it_fails_when_there_is_nobody(run, sentry):
    sentry.close()
    (told,) = run(EVENT, SENTRY_DSN=sentry.dsn)
    assert (told["raised"], "network" in told["words"]) == ("NotDelivered", True)


def test_many_events_in_one_process(run, sentry):
    events = [{**EVENT, "id": f"00000000-0000-4000-8000-00000000000{number}"} for number in range(3)]
    assert all("returned" in told for told in run(*events, SENTRY_DSN=sentry.dsn))
    assert [event["event_id"][-1] for event in sentry.events()] == ["0", "1", "2"]


def test_a_failure_does_not_outlive_its_event(run, sentry, tmp_path):
    """After a failure the function reads the DSN again: the secret may have been wrong and fixed since."""
    (tmp_path / "boto3.py").write_text(BOTO3)
    (tmp_path / "boto3.py.dsn").write_text(json.dumps({"dsn": sentry.dsn}))
    sentry.answer = 429  # asks for a minute's silence
    first, second = run(EVENT, EVENT, SENTRY_DSN_SECRET="sentry")
    assert first["raised"] == second["raised"] == "NotDelivered"
    assert "status_429" in second["words"], "it was really sent again"


@pytest.mark.parametrize("source", [{"SENTRY_DSN_SECRET": "sentry"}, {"SENTRY_DSN_PARAMETER": "/sentry"}])
@pytest.mark.parametrize("form", ["{}\n", '{{"dsn": "{}"}}'])
def test_a_dsn_that_aws_keeps(run, sentry, tmp_path, source, form):
    (tmp_path / "boto3.py").write_text(BOTO3)
    (tmp_path / "boto3.py.dsn").write_text(form.format(sentry.dsn))
    (told,) = run(EVENT, **source)
    assert "returned" in told
    assert len(sentry.events()) == 1


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no DSN is set: set SENTRY_DSN"),
        ({"SENTRY_DSN": "https://s3cret-key"}, "the DSN is not valid"),
        ({"SENTRY_DSN": "ftp://s3cret-key@example.com/1"}, "the DSN is not valid"),
    ],
)
def test_a_dsn_that_is_none(run, environment, words):
    (told,) = run(EVENT, **environment)
    assert words in told["words"]
    assert "s3cret" not in told["words"]


def test_what_is_no_event(run, sentry):
    (told,) = run({"message": "ECS task failed"}, SENTRY_DSN=sentry.dsn)
    assert "not an EventBridge event" in told["words"]
    assert sentry.received == []


def test_every_dependency_is_pinned_to_what_is_packed(package):
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in WHEELS.glob("*.whl")}
    text = (FILES / "sentry_function/requirements.txt").read_text()
    assert all(line.split("sha256:")[1] in digests for line in text.splitlines() if "sha256:" in line)


def test_the_role_packs_it_on_the_controller(warm_playbook, package, tmp_path):
    """This also happens in check mode: without the package, nobody could tell whether the function needs an update."""
    role = {"name": "steadyops.ecs.failure_alerts", "tasks_from": "package_sentry_function"}
    tasks = [
        {"name": "Pack", "ansible.builtin.include_role": role},
        {"name": "Show", "ansible.builtin.debug": {"var": "failure_alerts_sentry_package"}},
    ]
    variables = {"failure_alerts_package_dir": str(tmp_path / "cache")}
    shutil.copytree(WHEELS, tmp_path / "cache/wheels")
    for options in (["--check"], []):
        results = warm_playbook(tasks, *options, vars=variables).results()
        assert not any(result.get("changed") for result in results)
        told = results[-1]["failure_alerts_sentry_package"]
        assert Path(told["path"]).read_bytes() == package.read_bytes()
        assert told["code_sha256"]


def test_the_role_fails_with_the_words_of_the_program(warm_playbook, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    role = {"name": "steadyops.ecs.failure_alerts", "tasks_from": "package_sentry_function"}
    variables = {"failure_alerts_package_dir": str(tmp_path / "cache")}
    results = warm_playbook([{"name": "Pack", "ansible.builtin.include_role": role}], vars=variables).results()
    assert results[-1]["failed"]
    assert "pip cannot get certifi" in results[-1]["msg"]
    assert f"or put the wheels into {tmp_path / 'cache/wheels'} yourself" in results[-1]["msg"]
