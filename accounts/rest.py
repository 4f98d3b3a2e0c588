"""What every part of the REST API shares: errors, and the shape of a viewset."""

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers, viewsets
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from accounts.actor import Actor
from accounts.authentication import api_actor
from events.errors import DomainError


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error of the API."""

    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(required=False)
    remedy = serializers.CharField(required=False)
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the wire name; Serializer.fields is not used
    details = serializers.DictField(required=False)
    request_id = serializers.CharField(required=False)


class WholeMixin:
    """For rows inside a body that are replaced as a whole: what they require is required in a PATCH too."""

    fields: Any

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            needed = [name for name, field in self.fields.items() if field.required and not field.read_only]
            missing = {name: ["This field is required."] for name in needed if name not in data}
            if missing:
                raise exceptions.ValidationError(missing)
        return super().to_internal_value(data)  # type: ignore[misc]  # that of the serializer


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error as `{"error": {"code", "message", …, "request_id"}}`."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if isinstance(error, DomainError):
        body: dict[str, Any] = {
            "code": error.code,
            "message": error.message,
            "field": error.field,
            "remedy": error.remedy,
        }
        body |= {"details": error.details, "request_id": request_id}
        return Response({"error": {key: value for key, value in body.items() if value}}, status=error.status)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    body = {"request_id": request_id}
    if isinstance(error, exceptions.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        response.data = {
            "error": {"code": "invalid", "message": "Some fields are not right.", "fields": fields, **body}
        }
        return response
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        response.data = {"error": {"code": error.get_codes(), "message": str(error.detail), **body}}
    return response


class ActionViewSet(viewsets.GenericViewSet[Any]):
    """A viewset whose reads go through `visible_to(actor)` and whose writes each call one action."""

    write_scope: str

    @property
    def actor(self) -> Actor:
        return api_actor(self.request)

    def validated(self, serializer_class: type[serializers.BaseSerializer[Any]] | None = None) -> dict[str, Any]:
        """The request body checked by the serializer (the viewset's own unless given); raises a 400 otherwise."""
        serializer = (serializer_class or self.get_serializer_class())(
            data=self.request.data, context=self.get_serializer_context()
        )
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data

    def answer(self, obj: Any, *, status: int = 200) -> Response:
        """The object in the viewset's own form, freshly read."""
        return Response(self.get_serializer(self.get_queryset().get(pk=obj.pk)).data, status=status)
