"""What administrators configure of incidents: the kinds of rows, what can be said of each, and its rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from events.conditions import BadCondition, check
from events.errors import Conflict, Invalid
from events.outbound import AddressRefused
from incidents.announcements import MOMENTS, WEB
from incidents.models import (
    AnnouncementRule,
    ChecklistItem,
    ChecklistTick,
    CustomField,
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    PersonQualification,
    Qualification,
    Severity,
    UpdateTemplate,
)
from incidents.update_words import BLANKS, unknown_blanks
from oncall.channels.apprise import parse as check_chat

# What is to be saved, and the many-to-many values along with it.
Rule = Callable[[Any, Mapping[str, Any]], None]
Text = str | Promise
LEAD = "lead"


@dataclass(frozen=True)
class Kind:
    """A kind of row that administrators configure. `archive` is the column that takes one out of use."""

    slug: str
    model: type[models.Model]
    label: Text
    one: Text
    help: Text
    fields: tuple[str, ...]
    rule: Rule
    archive: str = ""
    is_secret: bool = False

    @property
    def is_ordered(self) -> bool:
        """Whether people say in which order its rows stand."""
        return "position" in {field.name for field in self.model._meta.fields}

    @property
    def has_slug(self) -> bool:
        """Whether its rows are named by a slug, which never changes."""
        return "slug" in {field.name for field in self.model._meta.fields}

    @property
    def rows(self) -> models.QuerySet[Any]:
        """All its rows, in their order."""
        return self.model._default_manager.all()

    def is_archived(self, row: Any) -> bool:
        return bool(self.archive) and not getattr(row, self.archive)


# --- Rules ------------------------------------------------------------------------------------------------------------


def _severity(row: Severity, many: Mapping[str, Any]) -> None:
    if row.rank < 1:
        raise Invalid("A rank is 1 or more.", field="rank")
    same = Severity.objects.filter(rank=row.rank, is_active=True).exclude(pk=row.pk).first()
    if row.is_active and same is not None:
        raise Conflict(f"{same} has this rank.", field="rank", remedy="Choose another, or archive that one first.")


def _status(row: IncidentStatus, many: Mapping[str, Any]) -> None:
    before = IncidentStatus.objects.filter(pk=row.pk).first()
    if before is not None and before.category != row.category and Incident.objects.filter(status=row).exists():
        raise Conflict(
            "Incidents have this status.", field="category", remedy="Make a new status in the other category."
        )


def _role(row: IncidentRole, many: Mapping[str, Any]) -> None:
    if not row.short_name.strip():
        raise Invalid("A role needs a short name.", field="short_name")


def _type(row: IncidentType, many: Mapping[str, Any]) -> None:
    others = IncidentType.objects.filter(is_default=True).exclude(pk=row.pk)
    if not row.is_default and not others.exists():
        raise Conflict("One type must be the usual one.", field="is_default", remedy="Make another one that first.")


def _field(row: CustomField, many: Mapping[str, Any]) -> None:
    before = CustomField.objects.filter(pk=row.pk).first()
    if before is not None and before.kind != row.kind and has_values(row):
        raise Conflict("Incidents have values of it.", field="kind", remedy="Archive it, and make a new field.")
    chooses = row.kind in {CustomField.Kind.SELECT, CustomField.Kind.MULTI_SELECT}
    if not chooses:
        row.options = []
    if not isinstance(row.options, list) or not all(isinstance(each, str) and each.strip() for each in row.options):
        raise Invalid("What can be chosen is a list of texts.", field="options")
    if chooses and not row.options:
        raise Invalid("Say what can be chosen.", field="options", remedy="One option a line.")
    if len(set(row.options)) != len(row.options):
        raise Invalid("An option stands there twice.", field="options")


def has_values(row: CustomField) -> bool:
    """Whether an incident has a value of this field."""
    return Incident.objects.filter(fields__has_key=row.slug).exists()


def _item(row: ChecklistItem, many: Mapping[str, Any]) -> None:
    if not row.title.strip():
        raise Invalid("A line needs words.", field="title")


def _template(row: UpdateTemplate, many: Mapping[str, Any]) -> None:
    unknown = unknown_blanks(row.text)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in BLANKS)
        raise Invalid(f"Nothing fills {{{unknown[0]}}}.", field="text", remedy=f"The blanks are {known}.")


def _qualification(row: Qualification, many: Mapping[str, Any]) -> None:
    if row.rank < 1:
        raise Invalid("A rank is 1 or more.", field="rank")


def _announcement(row: AnnouncementRule, many: Mapping[str, Any]) -> None:
    try:
        check(row.conditions)
    except BadCondition as error:
        raise Invalid(str(error), field="conditions") from error
    moments = row.moments if isinstance(row.moments, list) else []
    if not moments or not set(map(str, moments)) <= set(MOMENTS):
        raise Invalid("Say at which moments it tells.", field="moments", remedy=f"Use {', '.join(MOMENTS)}.")
    _check_emails(row.emails)
    _check_place(row)
    names_people = any(many[name] if name in many else _has(row, name) for name in ("users", "teams"))
    if not (names_people or row.emails or row.address):
        raise Invalid("It tells nobody.", field="users", remedy="Name people, teams, addresses or a place.")


def _has(row: models.Model, name: str) -> bool:
    return row.pk is not None and getattr(row, name).exists()


def _check_emails(emails: Any) -> None:
    if not isinstance(emails, list):
        raise Invalid("The addresses are a list.", field="emails")
    for email in emails:
        try:
            validate_email(email)
        except ValidationError as error:
            raise Invalid(f"{email} is not a mail address.", field="emails", remedy="One address a line.") from error


def _check_place(row: AnnouncementRule) -> None:
    """A place without a name is none: its address goes along with it."""
    if not row.place.strip():
        if row.address:
            raise Invalid("Say what the place is called.", field="place", remedy="Such as #incidents.")
        return
    if not row.address:
        raise Invalid("A place needs an address.", field="address", remedy="Such as slack://… or https://….")
    if row.address.startswith(WEB):
        return
    try:
        check_chat(row.address)
    except AddressRefused as error:
        raise Invalid(str(error), field="address", remedy="Use an address such as slack://….") from error


# --- Kinds ------------------------------------------------------------------------------------------------------------

KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(
            "severities",
            Severity,
            _("Severities"),
            _("severity"),
            _("How bad an incident is, and what that asks for. A higher rank is worse."),
            (
                *("name", "slug", "rank", "description", "response", "acknowledge_target", "resolve_target"),
                *("update_interval", "pages", "requires_postmortem", "first_minutes"),
            ),
            _severity,
            archive="is_active",
        ),
        Kind(
            "statuses",
            IncidentStatus,
            _("Statuses"),
            _("status"),
            _("The steps of a response. What a status does is said by its category."),
            ("name", "slug", "category", "description", "position"),
            _status,
            archive="is_active",
        ),
        Kind(
            "types",
            IncidentType,
            _("Types"),
            _("type"),
            _("Kinds of incidents, each with its own fields, roles and severities."),
            ("name", "slug", "description", "is_default", "private_by_default", "severities", "roles"),
            _type,
            archive="is_active",
        ),
        Kind(
            "roles",
            IncidentRole,
            _("Roles"),
            _("role"),
            _("The parts that people play. The incident commander is the role with the slug lead."),
            ("name", "slug", "short_name", "description", "required_for", "qualification", "position"),
            _role,
            archive="is_active",
        ),
        Kind(
            "qualifications",
            Qualification,
            _("Qualifications"),
            _("qualification"),
            _("A responder's ladder. Who is given a role without its qualification is warned of, never refused."),
            ("name", "slug", "rank", "description"),
            _qualification,
        ),
        Kind(
            "fields",
            CustomField,
            _("Custom fields"),
            _("field"),
            _("Facts that you want to know of your incidents."),
            ("name", "slug", "kind", "options", "description", "required_at", "types", "position"),
            _field,
            archive="is_active",
        ),
        Kind(
            "checklist",
            ChecklistItem,
            _("First five minutes"),
            _("line"),
            _("The checklist of severe incidents. Some lines complete themselves."),
            ("title", "slug", "done_by", "position"),
            _item,
            archive="is_active",
        ),
        Kind(
            "templates",
            UpdateTemplate,
            _("Update templates"),
            _("template"),
            _("Words to start an update with, one for each moment and language."),
            ("moment", "locale", "text"),
            _template,
        ),
        Kind(
            "announcements",
            AnnouncementRule,
            _("Announcements"),
            _("rule"),
            _("Who hears of which incidents, though they neither respond nor follow."),
            ("name", "conditions", "moments", "users", "teams", "emails", "place", "address", "position"),
            _announcement,
            archive="is_enabled",
            is_secret=True,
        ),
    )
}


def why_needed(kind: Kind, row: Any) -> str:
    """Why a row can neither be archived nor removed: what would be missing without it. Empty if nothing would."""
    if isinstance(row, Severity) and not Severity.objects.filter(is_active=True).exclude(pk=row.pk).exists():
        return "It is the last severity."
    if isinstance(row, IncidentStatus):
        others = IncidentStatus.objects.filter(category=row.category, is_active=True).exclude(pk=row.pk)
        return "" if others.exists() else f"It is the last status of “{row.get_category_display()}”."
    if isinstance(row, IncidentRole) and row.slug == LEAD:
        return "Somebody leads each incident."
    if isinstance(row, IncidentType) and row.is_default:
        return "It is the usual type."
    return ""


def is_used(row: Any) -> bool:
    """Whether anything would go along with it or be left without it. What the database guards is not asked."""
    if isinstance(row, CustomField):
        return has_values(row)
    if isinstance(row, ChecklistItem):
        return ChecklistTick.objects.filter(item=row).exists()
    if isinstance(row, Qualification):
        return row.roles.exists() or PersonQualification.objects.filter(qualification=row).exists()
    return False
