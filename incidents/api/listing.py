"""The list of incidents as a file, and who looks at one at this moment."""

import time
from typing import TYPE_CHECKING, Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.csv import incidents_csv
from incidents.presence import viewers_of

if TYPE_CHECKING:
    from accounts.rest import ActionViewSet

    Base = ActionViewSet
else:
    Base = object


class ViewerSerializer(serializers.Serializer[Any]):
    """Somebody with the incident's page open; `writing` is empty, `message` or `update`."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    initials = serializers.CharField()
    writing = serializers.ChoiceField(choices=["", "message", "update"])


class ListingMixin(Base):
    """What a program asks of the list and the page beside their rows."""

    @extend_schema(operation_id="incidents_csv", responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=False, methods=["get"], url_path="csv", pagination_class=None)
    def csv(self, request: Request) -> StreamingHttpResponse:
        """The incidents that the filters find, with every column and custom field, as CSV."""
        return incidents_csv(self.filter_queryset(self.get_queryset()).order_by("-number"), now=timezone.now())

    @extend_schema(responses=ViewerSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def viewers(self, request: Request, number: str) -> Response:
        """Who has the incident's page open at this moment."""
        incident = self.get_object()
        people = viewers_of(incident.live_topic, now=time.time())
        return Response(ViewerSerializer(people, many=True).data)
