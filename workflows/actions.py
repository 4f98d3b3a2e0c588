"""Every write of people on workflows: save, switch, restore, remove. What happens in a run is the engine's."""

import secrets
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils.text import slugify

from accounts.actions import hash_secret
from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid, require
from workflows.definition import checked, columns_of
from workflows.masking import with_kept_secrets
from workflows.models import Workflow, WorkflowVersion
from workflows.permissions import can_configure

NOT_A_MANAGER = "Only managers may change workflows."
NOT_AN_ADMINISTRATOR = "Only administrators may change what runs for private incidents."
LONGEST_NAME = 120
LONGEST_FOLDER = 60
LONGEST_NOTE = 200
STALE = "stale"
# What stands in addresses where a workflow's slug does.
RESERVED = ("new", "import", "export", "runs", "parts")


class WorkflowFields(TypedDict, total=False):
    """What can be said about a workflow beside what it does; what is left out stays, or is as the model has it."""

    description: str
    folder: str
    is_enabled: bool
    sees_private: bool
    in_tests: bool


def require_configure(actor: Actor, *, sees_private: bool = False) -> None:
    """Raises NotAllowed for whoever may not change a workflow, or not one that runs for private incidents."""
    require(can_configure(actor), NOT_A_MANAGER)
    require(can_configure(actor, sees_private=sees_private), NOT_AN_ADMINISTRATOR)


@transaction.atomic
def save_workflow(
    *,
    actor: Actor,
    name: str,
    definition: dict[str, Any],
    now: datetime,
    workflow: Workflow | None = None,
    slug: str = "",
    note: str = "",
    based_on: int | None = None,
    **fields: Unpack[WorkflowFields],
) -> Workflow:
    """Makes a workflow, or changes one; another definition becomes its next version, with a note.

    `based_on` is the version that the author had before them: Conflict (code `stale`) if there is a newer one.
    Raises Invalid for a definition that makes no sense, naming the place.
    """
    created = workflow is None
    workflow = Workflow(created_at=now) if workflow is None else _locked(workflow)
    require_configure(actor, sees_private=workflow.sees_private or fields.get("sees_private", False))
    if based_on is not None and based_on != workflow.version:
        raise Conflict(
            f"Somebody has saved version {workflow.version} meanwhile; yours began with version {based_on}.",
            code=STALE,
            remedy="Look at what they changed, then save yours on top of it.",
        )
    workflow.name = name.strip()
    for field, value in fields.items():
        setattr(workflow, field, value)
    workflow.folder = workflow.folder.strip()
    workflow.slug = workflow.slug or slug or _free_slug(workflow.name)
    _check(workflow)
    latest = None if created else current_version(workflow)
    definition = with_kept_secrets(definition, latest.definition if latest else None)
    if latest is None or latest.definition != definition:  # what is stored is not refused for being kept
        definition = checked(definition)
    is_new_version = latest is None or latest.definition != definition
    workflow.updated_at = now
    if is_new_version:
        workflow.version = (latest.number if latest else 0) + 1
    _take_over(workflow, definition, now)
    workflow.save()
    if is_new_version:
        _store_version(workflow, definition, actor=actor, note=note, now=now)
    told = {"name": workflow.name, "version": workflow.version}
    publish("workflow.created" if created else "workflow.changed", subject=workflow, actor=actor, data=told)
    return workflow


def current_version(workflow: Workflow) -> WorkflowVersion | None:
    """The version that is in force; None for a workflow that was never saved whole."""
    return workflow.versions.filter(number=workflow.version).first()


def _locked(workflow: Workflow) -> Workflow:
    return Workflow.objects.select_for_update().get(pk=workflow.pk)


def _free_slug(name: str) -> str:
    """A slug made of the name, with a number if others have it."""
    base = slugify(name)[:100] or "workflow"
    taken = {*RESERVED, *Workflow.objects.filter(slug__startswith=base).values_list("slug", flat=True)}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _check(workflow: Workflow) -> None:
    if not workflow.name or len(workflow.name) > LONGEST_NAME:
        raise Invalid(f"A workflow needs a name of at most {LONGEST_NAME} characters.", field="name")
    if len(workflow.folder) > LONGEST_FOLDER:
        raise Invalid(f"A folder's name has at most {LONGEST_FOLDER} characters.", field="folder")
    others = Workflow.objects.exclude(pk=workflow.pk or 0)
    if others.filter(name__iexact=workflow.name).exists():
        raise Conflict(f"{workflow.name} is taken.", field="name", remedy="Choose another name.")
    if workflow.slug in RESERVED or others.filter(slug=workflow.slug).exists():
        raise Conflict(f"{workflow.slug} is taken.", field="slug", remedy="Choose another slug.")


def _take_over(workflow: Workflow, definition: dict[str, Any], now: datetime) -> None:
    """Writes down of the definition what starts are looked up by."""
    for name, value in columns_of(definition, now).items():
        setattr(workflow, name, value)
    if not workflow.is_enabled:
        workflow.next_at = None
    if workflow.trigger_kind == Workflow.TriggerKind.WEBHOOK and not workflow.token_hash:
        _give_token(workflow)


def _give_token(workflow: Workflow) -> None:
    workflow.token = secrets.token_hex(16)
    workflow.token_hash = hash_secret(workflow.token)


def _store_version(workflow: Workflow, definition: dict[str, Any], *, actor: Actor, note: str, now: datetime) -> None:
    WorkflowVersion.objects.create(
        workflow=workflow,
        number=workflow.version,
        definition=definition,
        note=note.strip()[:LONGEST_NOTE],
        author_id=actor.user_id,
        author_name=actor.name[:200],
        created_at=now,
    )


@transaction.atomic
def switch_workflow(*, actor: Actor, workflow: Workflow, is_enabled: bool, now: datetime) -> Workflow:
    """Switches a workflow on or off; runs under way go on."""
    workflow = _locked(workflow)
    require_configure(actor, sees_private=workflow.sees_private)
    if workflow.is_enabled == is_enabled:
        return workflow
    latest = current_version(workflow)
    if is_enabled and latest is None:
        raise Conflict("This workflow does nothing yet.", remedy="Save its steps first.")
    workflow.is_enabled = is_enabled
    workflow.next_at = columns_of(latest.definition, now)["next_at"] if is_enabled and latest else None
    workflow.updated_at = now
    workflow.save(update_fields=["is_enabled", "next_at", "updated_at"])
    event = "workflow.enabled" if is_enabled else "workflow.disabled"
    publish(event, subject=workflow, actor=actor, data={"name": workflow.name})
    return workflow


@transaction.atomic
def move_workflow(*, actor: Actor, workflow: Workflow, folder: str, now: datetime) -> Workflow:
    """Puts a workflow into a folder; an empty name takes it out."""
    workflow = _locked(workflow)
    require_configure(actor, sees_private=workflow.sees_private)
    if workflow.folder == folder.strip():
        return workflow
    workflow.folder = folder.strip()
    _check(workflow)
    workflow.updated_at = now
    workflow.save(update_fields=["folder", "updated_at"])
    publish("workflow.moved", subject=workflow, actor=actor, data={"name": workflow.name, "folder": workflow.folder})
    return workflow


@transaction.atomic
def restore_version(*, actor: Actor, workflow: Workflow, number: int, now: datetime) -> Workflow:
    """Makes what an earlier version did the newest version; nothing of the history is lost."""
    version = workflow.versions.filter(number=number).first()
    if version is None:
        raise Invalid(f"There is no version {number}.", field="number")
    return save_workflow(
        actor=actor,
        workflow=workflow,
        name=workflow.name,
        definition=version.definition,
        note=f"As in version {number}",
        now=now,
    )


@transaction.atomic
def rotate_token(*, actor: Actor, workflow: Workflow) -> Workflow:
    """Gives the workflow's webhook a new address; the old one stops working at once."""
    workflow = _locked(workflow)
    require_configure(actor, sees_private=workflow.sees_private)
    if workflow.trigger_kind != Workflow.TriggerKind.WEBHOOK:
        raise Conflict("No webhook starts this workflow.", remedy="Choose the webhook as its trigger first.")
    _give_token(workflow)
    workflow.save(update_fields=["token", "token_hash"])
    publish("workflow.token_rotated", subject=workflow, actor=actor, data={"name": workflow.name})
    return workflow


@transaction.atomic
def remove_workflow(*, actor: Actor, workflow: Workflow) -> None:
    """Removes a workflow with its versions and runs; what is under way ends where it is."""
    workflow = _locked(workflow)
    require_configure(actor, sees_private=workflow.sees_private)
    publish("workflow.removed", subject=workflow, actor=actor, data={"name": workflow.name, "slug": workflow.slug})
    workflow.delete()
