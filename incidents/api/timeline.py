"""The timeline in the REST API: what is written, edited, reacted to, and the files and exports of it."""

from typing import Any, ClassVar

from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.pagination import CursorPagination
from accounts.rest import ActionViewSet
from events.errors import Invalid
from incidents import entries, export, files, reactions
from incidents.models import Incident, IncidentFile, TimelineEntry, TimelineRevision
from incidents.serving import file_response
from incidents.timeline_pages import FILTERS, of_kinds
from incidents.writing import LONGEST_TEXT

SEQUENCE = OpenApiParameter("sequence", OpenApiTypes.INT, OpenApiParameter.PATH)
PUBLIC_ID = OpenApiParameter("public_id", OpenApiTypes.UUID, OpenApiParameter.PATH)
ONE = r"timeline/(?P<sequence>\d+)"


class TimelinePagination(CursorPagination):
    """The newest first, by when things happened."""

    ordering = ("-occurred_at", "-sequence")  # type: ignore[assignment]  # several columns are right too

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        return self.ordering


class IncidentFileSerializer(serializers.ModelSerializer[IncidentFile]):
    """A file of an entry; its bytes are at `url`."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = IncidentFile
        fields = ["public_id", "name", "content_type", "size", "width", "height", "url"]

    @extend_schema_field(serializers.CharField())
    def get_url(self, file: IncidentFile) -> str:
        return file.get_absolute_url()


class ReactionGroupSerializer(serializers.Serializer[Any]):
    """One emoji, and who gave it."""

    emoji = serializers.CharField()
    count = serializers.IntegerField()
    users = serializers.ListField(child=serializers.IntegerField(), source="user_ids")


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    """One line of the timeline. The words and files of one that was removed are left out."""

    text = serializers.SerializerMethodField()
    user = serializers.PrimaryKeyRelatedField[User](read_only=True)
    is_pinned = serializers.SerializerMethodField()
    reply_to = serializers.IntegerField(source="reply_to.sequence", read_only=True, allow_null=True, default=None)
    origin = serializers.CharField(source="origin.reference", read_only=True, allow_null=True, default=None)
    reactions = ReactionGroupSerializer(source="reaction_groups", many=True, read_only=True)
    files = serializers.SerializerMethodField()
    removed_by = serializers.CharField(read_only=True)

    class Meta:
        model = TimelineEntry
        fields: ClassVar[list[str]] = [
            *("sequence", "kind", "text", "data", "actor_kind", "actor_name", "user", "via", "occurred_at"),
            *("recorded_at", "is_key", "is_pinned", "in_postmortem", "reply_to", "origin", "reactions", "files"),
            *("edited_at", "removed_at", "removed_by", "change"),
        ]

    @extend_schema_field(serializers.CharField())
    def get_text(self, entry: TimelineEntry) -> str:
        return "" if entry.removed_at else entry.text

    @extend_schema_field(serializers.BooleanField())
    def get_is_pinned(self, entry: TimelineEntry) -> bool:
        return entry.pinned_at is not None

    @extend_schema_field(IncidentFileSerializer(many=True))
    def get_files(self, entry: TimelineEntry) -> Any:
        shown = [] if entry.removed_at else getattr(entry, "shown_files", [])
        return IncidentFileSerializer(shown, many=True).data


class TimelineRevisionSerializer(serializers.ModelSerializer[TimelineRevision]):
    """How an entry stood until somebody edited or moved it."""

    class Meta:
        model = TimelineRevision
        fields = ["text", "occurred_at", "replaced_at", "replaced_by_name", "reason"]


class NewEntrySerializer(serializers.Serializer[Any]):
    """Writes Markdown into the timeline: a note, unless the kind says otherwise."""

    text = serializers.CharField(max_length=LONGEST_TEXT)
    kind = serializers.ChoiceField(choices=entries.SPOKEN_CHOICES, default=TimelineEntry.Kind.NOTE)
    reply_to = serializers.IntegerField(required=False, allow_null=True, help_text="The sequence of an entry.")
    occurred_at = serializers.DateTimeField(required=False, help_text="When it happened, if not now.")


class EditEntrySerializer(serializers.Serializer[Any]):
    """Changes an entry. Its text can be changed by its author and by managers, where a person wrote it."""

    text = serializers.CharField(max_length=LONGEST_TEXT, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    is_key = serializers.BooleanField(required=False)
    in_postmortem = serializers.BooleanField(required=False)
    is_pinned = serializers.BooleanField(required=False)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)


class ReactSerializer(serializers.Serializer[Any]):
    """Puts an emoji on an entry or takes it away; without `wanted` it is the one or the other in turn."""

    emoji = serializers.CharField(max_length=16)
    wanted = serializers.BooleanField(required=False)


class UploadSerializer(serializers.Serializer[Any]):
    """Files for one entry, as multipart/form-data, with words to them if there are any."""

    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1)
    text = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_TEXT)
    reply_to = serializers.IntegerField(required=False, allow_null=True, help_text="The sequence of an entry.")


def _answered(incident: Incident, sequence: int | None) -> TimelineEntry | None:
    """The entry to which one replies; raises Invalid where there is none."""
    if sequence is None:
        return None
    found = TimelineEntry.objects.filter(incident=incident, sequence=sequence).first()
    if found is None:
        remedy = "Give the sequence of an entry of this incident."
        raise Invalid("There is no such entry.", field="reply_to", remedy=remedy)
    return found


class TimelineMixin(ActionViewSet):
    """What happened in an incident, and what people wrote."""

    @extend_schema(
        responses=TimelineEntrySerializer(many=True),
        filters=False,
        parameters=[
            OpenApiParameter("after", int, description="Only entries with a greater sequence."),
            OpenApiParameter("changed_after", int, description="Only entries with a later change than this number."),
            OpenApiParameter("kinds", str, description=f"Parted by commas: {', '.join(FILTERS)}, or kinds of entries."),
        ],
    )
    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, number: str) -> Response:
        """The timeline, the newest first by when things happened."""
        found = TimelineEntry.objects.for_timeline().filter(incident=self.get_object())
        for name, column in (("after", "sequence"), ("changed_after", "change")):
            value = request.query_params.get(name, "")
            if value.isdecimal() and len(value) < 10:
                found = found.filter(**{f"{column}__gt": int(value)})
        found = of_kinds(found, request.query_params.get("kinds", "").split(","))
        pages = TimelinePagination()
        shown = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(TimelineEntrySerializer(shown, many=True).data)

    @extend_schema(request=NewEntrySerializer, responses={201: TimelineEntrySerializer})
    @timeline.mapping.post
    def write_entry(self, request: Request, number: str) -> Response:
        """Writes a note, a message, a decision or a finding."""
        incident, data = self.get_object(), self.validated(NewEntrySerializer)
        reply_to = data.pop("reply_to", None)
        data["reply_to"] = _answered(incident, reply_to)
        entry = entries.write_entry(actor=self.actor, incident=incident, now=timezone.now(), **data)
        return self._shown(entry, status=201)

    @extend_schema(responses=TimelineEntrySerializer, parameters=[SEQUENCE])
    @action(detail=True, methods=["get"], url_path=ONE)
    def entry(self, request: Request, number: str, sequence: str) -> Response:
        return self._shown(self._entry(sequence))

    @extend_schema(request=EditEntrySerializer, responses=TimelineEntrySerializer, parameters=[SEQUENCE])
    @entry.mapping.patch
    def edit_entry(self, request: Request, number: str, sequence: str) -> Response:
        """Edits, moves, pins or marks an entry."""
        data = self.validated(EditEntrySerializer)
        return self._shown(
            entries.edit_entry(actor=self.actor, entry=self._entry(sequence), now=timezone.now(), **data)
        )

    @extend_schema(responses={200: TimelineEntrySerializer}, parameters=[SEQUENCE])
    @entry.mapping.delete
    def remove_entry(self, request: Request, number: str, sequence: str) -> Response:
        """Takes away what a person wrote; the line stays and says who removed it."""
        return self._shown(entries.remove_entry(actor=self.actor, entry=self._entry(sequence), now=timezone.now()))

    @extend_schema(request=None, responses=TimelineEntrySerializer, parameters=[SEQUENCE])
    @action(detail=True, methods=["post"], url_path=f"{ONE}/restore")
    def restore_entry(self, request: Request, number: str, sequence: str) -> Response:
        """Puts back what was removed; for managers, and for its author unless somebody else has removed it."""
        return self._shown(entries.restore_entry(actor=self.actor, entry=self._entry(sequence), now=timezone.now()))

    @extend_schema(request=ReactSerializer, responses=TimelineEntrySerializer, parameters=[SEQUENCE])
    @action(detail=True, methods=["post"], url_path=f"{ONE}/reactions")
    def react(self, request: Request, number: str, sequence: str) -> Response:
        data = self.validated(ReactSerializer)
        return self._shown(reactions.react(actor=self.actor, entry=self._entry(sequence), now=timezone.now(), **data))

    @extend_schema(responses=TimelineRevisionSerializer(many=True), parameters=[SEQUENCE], filters=False)
    @action(detail=True, methods=["get"], url_path=f"{ONE}/revisions")
    def entry_revisions(self, request: Request, number: str, sequence: str) -> Response:
        """How an entry stood before, the latest first; nothing of one that was removed."""
        entry = self._entry(sequence)
        found = entry.revisions.none() if entry.removed_at else entry.revisions.all()
        return self.get_paginated_response(TimelineRevisionSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        request={"multipart/form-data": UploadSerializer}, responses={201: TimelineEntrySerializer}, filters=False
    )
    @action(detail=True, methods=["post"], url_path="files", parser_classes=[MultiPartParser])
    def upload_files(self, request: Request, number: str) -> Response:
        """Puts files into the timeline as one entry."""
        incident, data = self.get_object(), self.validated(UploadSerializer)
        data["reply_to"] = _answered(incident, data.pop("reply_to", None))
        entry = files.attach_files(actor=self.actor, incident=incident, now=timezone.now(), **data)
        return self._shown(entry, status=201)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, parameters=[PUBLIC_ID])
    @action(detail=True, methods=["get"], url_path=r"files/(?P<public_id>[0-9a-f-]{36})")
    def download_file(self, request: Request, number: str, public_id: str) -> FileResponse:
        """The bytes of a file."""
        standing = IncidentFile.objects.filter(entry__incident=self.get_object(), entry__removed_at=None)
        return file_response(get_object_or_404(standing, public_id=public_id))

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("file_type", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(export.FORMS))],
    )
    @action(detail=True, methods=["get"], url_path=r"timeline\.(?P<file_type>[a-z]+)")
    def export_timeline(self, request: Request, number: str, file_type: str) -> StreamingHttpResponse:
        """The whole timeline as Markdown (md), JSON or CSV, oldest first."""
        return export.timeline_response(self.get_object(), file_type)

    def _entry(self, sequence: str) -> TimelineEntry:
        return get_object_or_404(
            TimelineEntry.objects.select_related("incident"), incident=self.get_object(), sequence=int(sequence)
        )

    def _shown(self, entry: TimelineEntry, *, status: int = 200) -> Response:
        fresh = TimelineEntry.objects.for_timeline().get(pk=entry.pk)
        return Response(TimelineEntrySerializer(fresh).data, status=status)
