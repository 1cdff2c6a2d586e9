# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing this file makes botocore read its data files once, for this process and all processes forked from it.

botocore parses its endpoints and service models for each session, which takes longer than most modules take to run.
Here, all sessions of a process share one loader, which has already loaded what the collection's modules use. The loader
already shares this data between the clients of a session, so no client changes it.
"""

from __future__ import annotations

import functools
import gc

import boto3.session
import botocore.session

SERVICES = (
    "application-autoscaling",
    "cloudwatch",
    "ecr",
    "ecs",
    "elbv2",
    "events",
    "iam",
    "lambda",
    "logs",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
)

botocore.session.create_loader = functools.cache(botocore.session.create_loader)
_session = boto3.session.Session()
for _service in SERVICES:
    _session.client(_service, "eu-central-1")
gc.collect()
gc.freeze()  # garbage collection in a fork would copy all of this memory
