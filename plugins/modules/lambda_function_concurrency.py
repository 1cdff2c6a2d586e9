#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage the reserved concurrency of a Lambda function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_function_concurrency
version_added: 1.0.0
short_description: Manage the reserved concurrency of an AWS Lambda function
description:
  - Sets or removes the reserved concurrency of a function. It is the number of executions that AWS reserves for the
    function, and also its limit.
  - M(amazon.aws.lambda) creates functions, but cannot set this. The role C(launch_retry) uses it so that many refused
    launches at once do not use up the concurrency of the account.
author:
  - SteadyOps contributors (@steadyops)
options:
  function_name:
    description:
      - Name of the function.
    type: str
    required: true
  reserved_concurrent_executions:
    description:
      - Number of executions that may run at a time. With V(0), AWS throttles every invocation, so the function never
        runs.
      - AWS keeps a minimum of unreserved concurrency in each account, and refuses a number that would leave less.
      - Required with O(state=present).
    type: int
  state:
    description:
      - V(present) sets the reserved concurrency. V(absent) removes it; the function then shares the unreserved
        concurrency of the account.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: amazon.aws.lambda
notes:
  - "IAM permissions: C(lambda:GetFunctionConcurrency), C(lambda:PutFunctionConcurrency) and
    C(lambda:DeleteFunctionConcurrency)."
"""

EXAMPLES = r"""
- name: Allow at most five executions at a time
  steadyops.ecs.lambda_function_concurrency:
    function_name: launch-retry
    reserved_concurrent_executions: 5

- name: Remove the reserved concurrency
  steadyops.ecs.lambda_function_concurrency:
    function_name: launch-retry
    state: absent
"""

RETURN = r"""
concurrency:
  description: The reserved concurrency; V(null) if there is none.
  returned: success
  type: dict
  contains:
    function_name:
      description: Name of the function.
      returned: always
      type: str
      sample: launch-retry
    reserved_concurrent_executions:
      description: Number of executions that may run at a time.
      returned: always
      type: int
      sample: 5
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.calls.functions import reserved_concurrency
from ..module_utils._aws.live.concurrency import write_concurrency
from ..module_utils._converge import converge
from ..module_utils._core.functions.concurrency import plan_concurrency, read_concurrency
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "function_name": {"type": "str", "required": True},
    "reserved_concurrent_executions": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_concurrency(module.params)
    functions = module.client("lambda")
    change = plan_concurrency(wanted, reserved_concurrency(functions, wanted.function_name))
    return converge(
        "concurrency", change, check_mode, lambda change: write_concurrency(functions, wanted.function_name, change)
    )


def main() -> None:
    run(ARGUMENTS, work, about="reserved concurrency of {function_name}")


if __name__ == "__main__":
    main()
