"""Workflows as a file, YAML or JSON: export of some, and import with a plan of what it would change first.

    workflows:
      - name: SEV1 declared
        slug: sev1-declared              (which workflow it is; made of the name when it is missing)
        folder: Incidents
        description: …
        is_enabled: true                 (kept as it is here when it is missing; a new one begins switched off)
        in_tests: false
        sees_private: false
        trigger: {kind: event, events: [incident.declared]}
        conditions: {…}
        once: subject
        steps: […]

What stands in `trigger`, `conditions`, `once` and `steps` is told at `workflows.models.Workflow`. Secrets are not
exported: in their place stand dots, which keep the secret that is stored here in the step of the same id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import yaml
from django.db import transaction
from django.utils.text import slugify

from accounts.actor import Actor
from events.errors import Invalid
from workflows.actions import RESERVED, current_version, require_configure, save_workflow
from workflows.definition import Problem, masked, problems, with_ids
from workflows.differences import Change, changes
from workflows.masking import with_kept_secrets
from workflows.models import Workflow

FLAGS = ("is_enabled", "in_tests", "sees_private")
TEXTS = ("name", "slug", "folder", "description")
PARTS = ("trigger", "conditions", "once", "steps")
LONGEST_FILE = 1_000_000
MOST_WORKFLOWS = 200
SLUG = re.compile(r"[\w-]{1,120}", re.ASCII)


@dataclass
class Planned:
    """One workflow of a file, and what importing it would do: `verb` is created, changed, unchanged or refused."""

    document: dict[str, Any]
    verb: str
    workflow: Workflow | None = None
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.document.get("name", ""))


def document_of(workflow: Workflow, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A workflow as a file has it, in the order in which people read it."""
    shown = masked(definition)
    said: dict[str, Any] = {name: getattr(workflow, name) for name in (*TEXTS, *FLAGS)}
    said |= {name: shown[name] for name in PARTS if name in shown}
    return {name: value for name, value in said.items() if value not in ("", None) and value != {}}


def exported(workflows: Iterable[Workflow]) -> str:
    """The workflows as YAML."""
    rows = [(workflow, current_version(workflow)) for workflow in workflows]
    documents = [document_of(workflow, version.definition) for workflow, version in rows if version]
    return yaml.safe_dump({"workflows": documents}, sort_keys=False, allow_unicode=True, width=120)


def documents_in(text: str) -> list[dict[str, Any]]:
    """The workflows that a file holds: under `workflows`, a list, or one by itself. Raises Invalid."""
    if len(text) > LONGEST_FILE:
        raise Invalid(
            f"The file is longer than {LONGEST_FILE} characters.", field="text", remedy="Import a part of it."
        )
    try:
        read = yaml.safe_load(text)  # JSON is YAML too
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise Invalid(f"This is neither YAML nor JSON. {line.capitalize()}{error.problem}.", field="text") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(f"This is neither YAML nor JSON: {error}", field="text") from error
    if isinstance(read, Mapping) and "workflows" in read:
        read = read["workflows"]
    found = [read] if isinstance(read, Mapping) else read
    if not isinstance(found, list) or not found or not all(isinstance(each, Mapping) for each in found):
        remedy = "Give a list of workflows under “workflows”."
        raise Invalid("There is no workflow in this.", field="text", remedy=remedy)
    if len(found) > MOST_WORKFLOWS:
        raise Invalid(f"A file has at most {MOST_WORKFLOWS} workflows.", field="text")
    return [dict(each) for each in found]


def definition_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the workflow of a document does."""
    return with_ids({name: document[name] for name in PARTS if name in document})


def plan_import(*, actor: Actor, text: str) -> list[Planned]:
    """What importing the file would do to each workflow in it; nothing is written. Raises Invalid if unreadable."""
    require_configure(actor)
    documents = documents_in(text)
    slugs = [_slug_of(document) for document in documents]
    known = {workflow.slug: workflow for workflow in Workflow.objects.filter(slug__in=slugs)}
    planned = [_planned(document, known.get(slug)) for document, slug in zip(documents, slugs, strict=True)]
    names = [each.name.strip().casefold() for each in planned]
    for index, each in enumerate(planned):
        twice = [
            Problem(what, "Another one in this file is called so too.")
            for what, said in (("slug", slugs), ("name", names))
            if said[index] and said[index] in said[:index]
        ]
        each.problems += twice or _clashes(each, slugs[index])
        each.verb = "refused" if each.problems else each.verb
    return planned


def _clashes(planned: Planned, slug: str) -> list[Problem]:
    """What stands in the way of its name and slug among the workflows that are here; without a slug it is given one."""
    found = []
    if slug and (slug in RESERVED or not SLUG.fullmatch(slug)):
        found.append(Problem("slug", f"“{slug}” can't be one. Use letters, digits, - and _, at most 120."))
    others = Workflow.objects.exclude(slug=slug).filter(name__iexact=planned.name.strip())
    taken = others.values_list("slug", flat=True).first() if planned.name else None
    if taken:
        found.append(Problem("name", f"The workflow {taken} is called so. Change the name, or give that slug."))
    return found


def _slug_of(document: Mapping[str, Any]) -> str:
    return str(document.get("slug") or slugify(str(document.get("name", "")))[:100])


def _planned(document: dict[str, Any], workflow: Workflow | None) -> Planned:
    version = current_version(workflow) if workflow else None
    stored = version.definition if version else None
    definition = with_kept_secrets(definition_in(document), stored)
    found = [Problem(key, "Nothing is called so.") for key in document if key not in (*TEXTS, *FLAGS, *PARTS)]
    found += [Problem(name, "This is text.") for name in TEXTS if not isinstance(document.get(name, ""), str)] + [
        Problem(name, "Use true or false.") for name in FLAGS if not isinstance(document.get(name, False), bool)
    ]
    if not str(document.get("name", "")).strip():
        found.append(Problem("name", "It needs a name."))
    found += problems(definition)
    if found:
        return Planned(document, "refused", workflow, problems=found)
    if workflow is None or stored is None:
        return Planned(document, "created", workflow)
    told = [
        Change("changed", name, str(getattr(workflow, name)), str(document[name]))
        for name in (*TEXTS, *FLAGS)
        if name in document and document[name] != getattr(workflow, name)
    ]
    told += changes(masked(stored), masked(definition))
    return Planned(document, "changed" if told else "unchanged", workflow, told)


@transaction.atomic
def import_workflows(*, actor: Actor, text: str, now: datetime, note: str = "") -> list[Workflow]:
    """Makes or changes each workflow of the file: all of them or none. Raises Invalid where one makes no sense."""
    saved = []
    for each in plan_import(actor=actor, text=text):
        if each.problems:
            raise Invalid(f"{each.name or '?'}: {each.problems[0]}", field="text", remedy="Correct the file.")
        if each.verb == "unchanged" and each.workflow is not None:
            saved.append(each.workflow)
            continue
        given = {name: each.document[name] for name in (*FLAGS, "folder", "description") if name in each.document}
        saved.append(
            save_workflow(
                actor=actor,
                workflow=each.workflow,
                name=each.document["name"],
                slug=_slug_of(each.document),
                definition=definition_in(each.document),
                note=note or "Imported",
                now=now,
                **given,
            )
        )
    return saved
