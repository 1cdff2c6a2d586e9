# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Everything that comes from amazon.aws: the module class, the connection and the errors of boto3.

Modules import from that collection only through this file. boto3 and botocore are reached through it, so a
machine without them gets amazon.aws's message and no traceback.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol, TypeVar

try:
    # Importing boto3 creates many objects that stay. Python would search them for garbage again and again, which takes
    # a tenth of the import's time. So garbage collection is off during the import and ignores these objects afterwards.
    gc.disable()
    from ansible.module_utils import ansible_release
    from ansible.module_utils.basic import AnsibleModule
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
    from ansible_collections.amazon.aws.plugins.module_utils import botocore as amazon
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
finally:
    gc.freeze()
    gc.enable()

from ._core.aws_errors import advice, kind_of
from ._core.errors import CallFailed, Refused
from ._core.option_values import given_values
from ._core.sdk_versions import refusal_of_sdk

VERSION = "1.0.0"  # of this collection, as in galaxy.yml

# botocore's own retries are switched off and its timeouts are short: aws_call (below) retries, and so do callers that
# can wait longer. A lost network is noticed after one read. aws_config overrides these settings.
CONNECTION = {
    "connect_timeout": 5,
    "read_timeout": 15,
    "retries": {"mode": "standard", "total_max_attempts": 1},
    "user_agent": f"APN/1.0 Ansible/{ansible_release.__version__} steadyops.ecs/{VERSION}",
}

# Seconds before the second, third and fourth try, and seconds after which no further try is begun. Both are small,
# because nothing can interrupt these pauses. Longer waits belong to the callers, which notice signals.
PAUSES = (0.25, 0.75, 2.0)
PATIENCE = 5.0


class Turns(Protocol):
    """The rate limit for work on many services; see ``_core.fleet.bucket``."""

    def take(self, now: float) -> float:
        """Return the seconds to wait before one call."""

    def empty(self, now: float) -> None:
        """Note that AWS has throttled a call."""


_turns: ContextVar[Turns | None] = ContextVar("turns", default=None)

# The error codes that most services use, for ``expected`` below.
NOT_FOUND, ALREADY_EXISTS = "ResourceNotFoundException", "ResourceAlreadyExistsException"

F = TypeVar("F", bound=Callable[..., Any])


class DiscreetModule(AnsibleModule):
    """Ansible's module, with two precautions about the arguments.

    Arguments that no module can use are refused before Ansible converts, logs and returns them, which would end in a
    traceback. Ansible learns which values are secret by reading the arguments, so it would show a mistyped dictionary
    in full. So if Ansible cannot read the arguments, this class hides all that may hold a secret.
    """

    has_read = False

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        self.has_read = True

    def _load_params(self) -> None:
        try:
            super()._load_params()
            self.params = given_values(self.argument_spec, self.params)
        except Refused as error:
            refusal = str(error)
        except Exception as error:  # noqa: BLE001 - Ansible's own class is Exception
            refusal = f"The options of the module cannot be read: {error.__cause__ or error}. Correct them"
        else:
            return
        self.params = {}  # it is not known yet which of them are secret
        self.fail_json(msg=refusal)

    def fail_json(self, msg: str, **results: Any) -> NoReturn:
        if not self.has_read:
            for option, spec in self.argument_spec.items():
                if option in self.params and _holds_secrets(spec):
                    self.params[option] = "(not shown, because it may hold secrets)"
        super().fail_json(msg=msg, **results)


def _holds_secrets(spec: Mapping[str, Any]) -> bool:
    """Return whether a suboption, at any depth, is secret."""
    inner = (spec.get("options") or {}).values()
    return any(each.get("no_log") or _holds_secrets(each) for each in inner)


AnsibleAWSModule.default_settings["module_class"] = DiscreetModule  # the class of its inner module


class AwsModule(AnsibleAWSModule):
    """amazon.aws's module with one boto3 session and one client for each service.

    amazon.aws makes a session for each client, and each session takes as long as the first: 90 ms.
    """

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        refusal = refused_sdk()
        if refusal:
            self.fail_json(msg=refusal)
        self._clients: dict[str, Any] = {}
        self._connect: Callable[[str], Any] | None = None

    def client(self, service: str) -> Any:
        """Return the boto3 client of an AWS service. Raise ``Refused`` if the options do not allow one."""
        if service not in self._clients:
            try:
                if self._connect is None:
                    self._connect = self._connection()
                self._clients[service] = self._connect(service)
            except amazon.botocore.exceptions.NoRegionError:
                raise Refused(
                    "No AWS region is known. Give region, set AWS_REGION, or give a profile that has one"
                ) from None
            except (ValueError, TypeError, amazon.botocore.exceptions.BotoCoreError) as error:
                said = str(error).rstrip(".")
                raise Refused(
                    f"The connection to AWS cannot be set up: {said}. "
                    "Check profile, region, endpoint_url, aws_ca_bundle and aws_config"
                ) from None
        return self._clients[service]

    @property
    def region(self) -> str | None:
        """The region of the first client or, before there is one, of the option or the environment."""
        for client in self._clients.values():
            return client.meta.region_name
        return self.params.get("region")

    def _connection(self) -> Callable[[str], Any]:
        """Return a function that makes a new client from the name of an AWS service."""
        region, endpoint, options = amazon.get_aws_connection_info(self)
        config = amazon.botocore.config.Config(**CONNECTION)
        wanted = options.pop("aws_config", None)
        if wanted:
            config = config.merge(wanted)
        inner = amazon.botocore.session.get_session()
        inner.set_default_client_config(config)  # also for the clients with which botocore assumes a profile's role
        loader = inner.get_component("data_loader")
        loader.list_available_services = functools.partial(_folders, loader.search_paths)
        session = amazon.boto3.session.Session(botocore_session=inner, profile_name=options.pop("profile_name", None))
        return functools.partial(session.client, config=config, region_name=region, endpoint_url=endpoint, **options)


def refused_sdk() -> str | None:
    """Return why the boto3 and botocore of this Python cannot be used, or None if they can."""
    versions = {"boto3": amazon.boto3.__version__, "botocore": amazon.botocore.__version__}
    return refusal_of_sdk(versions, sys.executable)


def _folders(paths: list[str], type_name: str) -> list[str]:  # noqa: ARG001 - botocore names this argument
    """Return every name that may be a service, for botocore's loader, which looks up one service in this list.

    The loader's own function searches the folders of all 400 services, once for each kind of file that a client needs.
    That takes half of the time of making the first client. A missing service is still noticed later: botocore raises
    ``DataNotFoundError``.
    """
    return [name for path in paths if os.path.isdir(path) for name in os.listdir(path)]


@contextmanager
def taking_turns(turns: Turns) -> Iterator[None]:
    """Within this context, make calls no faster than ``turns`` allows, and do not retry inside ``aws_call``.

    A caller that works on many services can then continue with the others."""
    before = _turns.set(turns)
    try:
        yield
    finally:
        _turns.reset(before)


def checked_options(option: str, spec: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Check suboptions that an argument spec cannot describe, and convert them as Ansible would.

    Aliases are resolved, and options that are not given are omitted. Raise ``Refused``, which names ``option``."""
    given = given_values(spec, values, within=f"{option}.")
    # Without defaults, because options that are not given are taken from elsewhere.
    bare = {name: {key: each for key, each in facts.items() if key != "default"} for name, facts in spec.items()}
    result = ArgumentSpecValidator(bare).validate(dict(given))
    if result.error_messages:
        raise Refused(f"{option}: {'; '.join(result.error_messages)}")
    return {name: value for name, value in result.validated_parameters.items() if name in spec and value is not None}


def aws_call(
    action: str,
    expected: str | None = None,
    then: Any = None,
    sleep: Callable[[float], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[F], F]:
    """Decorate a function that makes one call to AWS. ``action`` is the call's name in IAM.

    A transient error is retried a few times, quickly. The last failure is raised as ``CallFailed``. A retried call may
    have succeeded the first time, so decorate only calls that may be repeated.

    ``expected`` is a regular expression for the start of an error that is not a failure: its code, or
    ``<code>: <message>``. For such an error the function returns ``then``. It usually means that the resource does not
    exist, is gone already or exists already.
    """
    operation = action.rpartition(":")[2]

    def is_expected(failure: CallFailed) -> bool:
        # botocore calls other services for credentials. Their "not found" is not about this call's resource.
        if expected is None or failure.kind != "final" or failure.operation != operation:
            return False
        said = str(failure)
        return bool(re.compile(expected).match(said, said.index(f"{failure.code}: ")))

    def decorate(ask: F) -> F:
        @functools.wraps(ask)
        def asked(*args: Any, **kwargs: Any) -> Any:
            began, turns = clock(), _turns.get()
            for pause in (None,) if turns else (*PAUSES, None):
                if turns and (wait := turns.take(clock())) > 0:
                    (sleep or time.sleep)(wait)
                try:
                    return ask(*args, **kwargs)
                except _errors_of_boto3() as error:
                    failure = translate(error, action)
                except KeyError as error:
                    # boto3 reads a response that is not JSON as an empty one. That must not count as "nothing exists".
                    words = f"The response has no {error}: it does not seem to come from AWS"
                    failure = call_failed(action, "UnexpectedAnswer", words, "passing")
                if is_expected(failure):
                    return then
                if turns and failure.kind == "throttled":
                    turns.empty(clock())
                if failure.kind == "final" or pause is None or clock() - began > PATIENCE:
                    raise failure
                (sleep or time.sleep)(pause * random.uniform(0.5, 1))
            raise AssertionError("unreachable")

        return asked

    return decorate


def call_failed(action: str, code: str, message: str, kind: str, answered: bool = True) -> CallFailed:
    """Return the failure of a call. ``action`` is the call's name in IAM. The text ends with advice for the user."""
    said = ". ".join(part for part in (message.rstrip("."), advice(action, code, message, kind)) if part)
    return CallFailed(action.rpartition(":")[2], code, said, kind, answered)


def translate(error: Exception, action: str) -> CallFailed:
    """Convert an exception of boto3 to ``CallFailed``."""
    if not isinstance(error, amazon.ClientError):
        return call_failed(action, type(error).__name__, str(error), _kind_without_answer(error), answered=False)

    answer: Mapping[str, Any] = getattr(error, "response", None) or {}
    code = str(answer.get("Error", {}).get("Code") or "Unknown")
    # Without valid credentials, botocore itself first calls another service (AssumeRole ...).
    if error.operation_name and error.operation_name != action.rpartition(":")[2]:
        action = error.operation_name
    message = str(answer.get("Error", {}).get("Message") or "")
    meta = answer.get("ResponseMetadata", {})
    # If a signature is wrong, AWS quotes the whole request, with the session token, in further paragraphs.
    message = message.strip().partition("\n\n")[0] or "no further words"
    kind = kind_of(code, message, meta.get("HTTPStatusCode", 0))
    return call_failed(action, code, message, kind)


def _kind_without_answer(error: Exception) -> str:
    """Return ``passing`` for errors in the network. Wrong credentials, parameters and certificates stay wrong."""
    exceptions = amazon.botocore.exceptions
    if isinstance(error, exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "final"
    passing = (
        exceptions.HTTPClientError,
        exceptions.ConnectionError,
        exceptions.IncompleteReadError,
        exceptions.ChecksumError,
        amazon.botocore.parsers.ResponseParserError,
    )
    return "passing" if isinstance(error, passing) else "final"


def _errors_of_boto3() -> tuple[type[Exception], ...]:
    exceptions = amazon.botocore.exceptions
    return (exceptions.ClientError, exceptions.BotoCoreError, amazon.botocore.parsers.ResponseParserError)
