# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of AWX's API that the collection awx.awx needs to set things up: it stores objects and returns them.

It listens on loopback and needs only the standard library. It is as strict as AWX about duplicate names, references to
missing objects, required fields and surveys, and it never returns a secret. It has no permissions, runs no jobs and
updates no projects.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "stand-in"
HIDDEN = "$encrypted$"
SECRETS = {"password", "security_token"}  # inputs of credentials of the type "Amazon Web Services"

TEXT, FLAG, NUMBER = "", False, 0
# Collection -> field -> default. A field that begins with ! is required. A field whose default is the name of another
# collection refers to an object of that collection.
FIELDS: dict[str, dict[str, Any]] = {
    "organizations": {"!name": TEXT, "description": TEXT},
    "credential_types": {"!name": TEXT, "kind": TEXT},
    "instance_groups": {"!name": TEXT},
    "execution_environments": {
        "!name": TEXT, "!image": TEXT, "description": TEXT, "pull": TEXT, "organization": "organizations",
        "credential": "credentials",
    },
    "projects": {
        "!name": TEXT, "description": TEXT, "organization": "organizations", "scm_type": TEXT, "scm_url": TEXT,
        "scm_branch": TEXT, "scm_update_on_launch": FLAG, "scm_update_cache_timeout": NUMBER, "scm_revision": TEXT,
        "credential": "credentials",
    },
    "credentials": {
        "!name": TEXT, "description": TEXT, "organization": "organizations", "!credential_type": "credential_types",
        "inputs": {},
    },
    "inventories": {
        "!name": TEXT, "description": TEXT, "!organization": "organizations", "kind": TEXT, "host_filter": None,
        "variables": TEXT,
    },
    "inventory_sources": {
        "!name": TEXT, "description": TEXT, "!inventory": "inventories", "source": TEXT, "source_path": TEXT,
        "source_vars": TEXT, "source_project": "projects", "credential": "credentials",
        "execution_environment": "execution_environments", "overwrite": FLAG, "overwrite_vars": FLAG,
        "update_on_launch": FLAG, "update_cache_timeout": NUMBER,
    },
    "job_templates": {
        "!name": TEXT, "description": TEXT, "organization": "organizations", "job_type": "run",
        "inventory": "inventories", "!project": "projects", "playbook": TEXT,
        "execution_environment": "execution_environments", "extra_vars": TEXT, "limit": TEXT, "verbosity": NUMBER,
        "forks": NUMBER, "job_slice_count": 1,
        "survey_enabled": FLAG, "allow_simultaneous": FLAG, "ask_job_type_on_launch": FLAG,
        "ask_limit_on_launch": FLAG, "ask_variables_on_launch": FLAG, "ask_verbosity_on_launch": FLAG,
        "ask_job_slice_count_on_launch": FLAG, "ask_instance_groups_on_launch": FLAG,
    },
    "schedules": {
        "!name": TEXT, "description": TEXT, "!rrule": TEXT, "!unified_job_template": "unified_job_templates",
        "extra_data": {}, "enabled": True,
    },
}  # fmt: skip
# Collection -> fields within which a name must be unique.
SCOPES = {
    "projects": ["organization"],
    "credentials": ["organization", "credential_type"],
    "inventories": ["organization"],
    "inventory_sources": ["inventory"],
    "job_templates": ["organization"],
    "schedules": ["unified_job_template"],
}
TEMPLATES = ("projects", "inventory_sources", "job_templates")
ASSOCIATIONS = {("job_templates", "credentials"), ("job_templates", "instance_groups")}
SURVEY_TYPES = {"text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float"}


def refers(default: Any) -> bool:
    """Return whether a field holds the id of another object."""
    return isinstance(default, str) and (default in FIELDS or default == "unified_job_templates")


class Problem(Exception):
    """An error response: status and body."""


class Awx:
    """Stores the objects, and the requests that changed some of them: ``(method, path)``."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in FIELDS}
        self.associated: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, dict[str, Any]] = {}
        self.writes: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.last = 0
        # Objects that every AWX has.
        self.create("organizations", {"name": "Default"})
        self.create("credential_types", {"name": "Amazon Web Services", "kind": "cloud"})
        self.create("credential_types", {"name": "Machine", "kind": "ssh"})
        self.create("instance_groups", {"name": "controlplane"})
        self.create("instance_groups", {"name": "default"})

    def find(self, collection: str, name: str) -> dict[str, Any]:
        """Return the one object of that name, with references by name and secrets in plain text."""
        (found,) = (item for item in self.objects[collection].values() if item["name"] == name)
        shown = dict(found)
        for field, default in FIELDS[collection].items():
            key = field.lstrip("!")
            if refers(default):
                shown[key] = shown[key] and self.by_id(default, shown[key])["name"]
        return shown

    # What the API does.

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        parts = path.removeprefix("/api/v2/").strip("/").split("/")
        collection = parts[0]
        if collection != "unified_job_templates" and collection not in FIELDS:
            raise Problem(404, {"detail": "Not found."})
        if len(parts) == 1:
            if method == "GET":
                return 200, self.list(collection, query)
            return 201, self.shown(collection, self.create(collection, body))
        item = self.by_id(collection, int(parts[1]))
        if len(parts) == 2:
            if method == "PATCH":
                self.check(collection, {**item, **body}, item["id"])
                item.update(self.clean(collection, body, item))
            return 200, self.shown(collection, item)
        if parts[2:] == ["survey_spec"] and collection == "job_templates":
            if method == "POST":
                check_survey(body)
                self.surveys[item["id"]] = body
                return 200, {}
            return 200, self.surveys.get(item["id"], {})
        if (collection, parts[2]) in ASSOCIATIONS:
            return self.associate(method, parts[2], (collection, item["id"], parts[2]), body)
        raise Problem(404, {"detail": "Not found."})

    def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        missing = [field[1:] for field in FIELDS[collection] if field.startswith("!") and not body.get(field[1:])]
        if missing:
            raise Problem(400, {field: ["This field is required."] for field in missing})
        self.check(collection, body, None)
        self.last += 1
        blank = {
            field.lstrip("!"): None if refers(default) else default for field, default in FIELDS[collection].items()
        }
        item = {**blank, **self.clean(collection, body, blank), "id": self.last}
        self.objects[collection][self.last] = item
        return item

    def check(self, collection: str, body: dict[str, Any], own: int | None) -> None:
        """Raise Problem if a reference does not exist, another object has the name, or a schedule has no DTSTART."""
        for field, default in FIELDS[collection].items():
            key = field.lstrip("!")
            if refers(default) and body.get(key) is not None:
                self.by_id(default, body[key], Problem(400, {key: ["Invalid pk - object does not exist."]}))
        scope = ["name", *SCOPES.get(collection, [])]
        for other in self.objects[collection].values():
            if other["id"] != own and all(other.get(key) == body.get(key) for key in scope):
                raise Problem(400, {"__all__": [f"Object with this {', '.join(scope)} already exists."]})
        if collection == "schedules" and not re.fullmatch(r"DTSTART\S+ RRULE:\S+", body["rrule"]):
            raise Problem(400, {"rrule": ["Valid DTSTART required in rrule."]})

    def clean(self, collection: str, body: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """Drop unknown fields and replace null with an empty text, as Django REST framework does in AWX."""
        known = {field.lstrip("!"): default for field, default in FIELDS[collection].items()}
        kept = {key: value for key, value in body.items() if key in known}
        kept = {key: TEXT if value is None and known[key] == TEXT else value for key, value in kept.items()}
        if "inputs" in kept:
            old = before.get("inputs") or {}
            kept["inputs"] = {k: old.get(k) if v == HIDDEN else v for k, v in kept["inputs"].items()}
        return kept

    def by_id(self, collection: str, number: int, problem: Problem | None = None) -> dict[str, Any]:
        for name in TEMPLATES if collection == "unified_job_templates" else (collection,):
            if number in self.objects[name]:
                return self.objects[name][number]
        raise problem or Problem(404, {"detail": "Not found."})

    def list(self, collection: str, query: dict[str, str]) -> dict[str, Any]:
        names = TEMPLATES if collection == "unified_job_templates" else (collection,)
        found = [(name, item) for name in names for item in self.objects[name].values()]
        for key, value in query.items():
            if key in ("page_size", "page", "order_by"):
                continue
            if not any(field.lstrip("!") == key for name in names for field in ["id", *FIELDS[name]]):
                raise Problem(400, {"detail": f"{collection} has no field named '{key}'"})
            found = [(name, item) for name, item in found if str(item.get(key)) == value]
        return listing([self.shown(name, item) for name, item in found])

    def associate(self, method: str, collection: str, key: tuple[str, int, str], body: Any) -> tuple[int, Any]:
        now = self.associated.setdefault(key, [])
        if method == "GET":
            return 200, listing([self.shown(collection, self.by_id(collection, number)) for number in now])
        self.by_id(collection, body["id"], Problem(400, {"detail": "Not found."}))
        if body.get("disassociate"):
            now.remove(body["id"])
        elif body["id"] not in now:
            now.append(body["id"])
        return 204, None

    def shown(self, collection: str, item: dict[str, Any]) -> dict[str, Any]:
        url = f"/api/v2/{collection}/{item['id']}/"
        shown = {**item, "url": url, "type": collection.removesuffix("s"), "related": {}, "summary_fields": {}}
        if collection == "job_templates":
            shown["related"] = {"survey_spec": f"{url}survey_spec/"}
        if "inputs" in shown:
            shown["inputs"] = {k: HIDDEN if k in SECRETS and v else v for k, v in shown["inputs"].items()}
        return shown


def listing(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(items), "next": None, "previous": None, "results": items}


def refuse(words: str) -> None:
    raise Problem(400, {"error": words})


def check_survey(spec: dict[str, Any]) -> None:
    """Raise Problem if a survey breaks the rules of AWX."""
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec.get(field), kind):
            refuse(f"'{field}' is missing, or of the wrong type")
    seen = set()
    for question in spec["spec"]:
        for field, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
            if not isinstance(question.get(field), kind):
                refuse(f"'{field}' missing from survey question, or of the wrong type: {question}")
        if question["variable"] in seen:
            refuse(f"'variable' '{question['variable']}' duplicated in survey question")
        seen.add(question["variable"])
        check_answers(question)


def check_answers(question: dict[str, Any]) -> None:
    kind, default = question["type"], question.get("default", "")
    if kind not in SURVEY_TYPES:
        refuse(f"'{kind}' is not one of the allowed question types")
    if default != "" and not isinstance(default, {"integer": int, "float": (int, float)}.get(kind, str)):
        refuse(f"Default value {default} is of the wrong type")
    if any(question.get(key) is not None and not isinstance(question[key], int) for key in ("min", "max")):
        refuse("The limit in survey question expected to be integer")
    if kind in ("multiplechoice", "multiselect"):
        if "choices" not in question:
            refuse("Survey question must specify choices")
        if any(line not in question["choices"] for line in default.splitlines()):
            refuse("Default choice must be answered from the choices listed")


class Handler(BaseHTTPRequestHandler):
    awx: Awx
    protocol_version = "HTTP/1.1"

    def handle_request(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or "{}")
        with self.awx.lock:
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Problem(401, {"detail": "Authentication credentials were not provided."})
                if self.command != "GET":
                    self.awx.writes.append((self.command, url.path))
                status, value = self.awx.answer(self.command, url.path, dict(parse_qsl(url.query)), body)
            except Problem as problem:
                status, value = problem.args
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = handle_request  # noqa: N815 - names of the standard library

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


class Server:
    """``with Server() as server``: an AWX at ``server.url``, whose objects are ``server.awx``."""

    def __init__(self) -> None:
        self.awx = Awx()
        handler = type("AwxHandler", (Handler,), {"awx": self.awx})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
