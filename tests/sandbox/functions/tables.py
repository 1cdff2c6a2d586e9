# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of DynamoDB, in which functions keep their state. Moto stores them but lacks their TableId."""

from __future__ import annotations

import uuid
from typing import Any

from ..account import Account
from ..wire import Call


def describe(account: Account, call: Call) -> dict[str, Any]:
    answer: dict[str, Any] = account.ask_moto("dynamodb", call.region, "DescribeTable", dict(call.parameters))
    table = answer["Table"]
    return {"Table": {**table, "TableId": str(uuid.uuid5(uuid.NAMESPACE_URL, table["TableArn"]))}}


OPERATIONS = {"DescribeTable": describe}
