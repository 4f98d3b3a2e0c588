"""What the OpenAPI document says of every operation: the errors that it answers."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from accounts.rest import ErrorSerializer


class ErrorAnswerSerializer(serializers.Serializer[Any]):
    """The body of every answer that is no success."""

    error = ErrorSerializer()


BAD = "A field is wrong (`invalid`): `field`, or `fields` with a list of reasons each."
NOBODY = "No key, or one that is wrong, revoked or expired (`not_authenticated`, `bad_api_key`)."
NOT_ALLOWED = "Your role (`not_allowed`), or the key's scopes (`permission_denied`), do not allow it."
NOT_FOUND = "It does not exist, or it is not open to you (`not_found`)."
CONFLICT = "Not in this state: `code` says why, `remedy` what to do."


class ErrorsToo(AutoSchema):
    """Documents the errors of an operation beside its answers; what an operation says of its own errors stands."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        if direction != "response":
            return bodies
        for code, words in self._errors().items():
            if code not in bodies:
                error = OpenApiResponse(ErrorAnswerSerializer, words)
                bodies[code] = self._get_response_for_code(error, code)  # type: ignore[no-untyped-call]
        return bodies

    def _errors(self) -> dict[str, str]:
        """The statuses of the errors, with words for each, in their order."""
        writes = self.method in {"POST", "PUT", "PATCH", "DELETE"}
        bad = {"400": BAD} if writes or self._is_list_view() else {}
        missing = {"404": NOT_FOUND} if "{" in self.path else {}
        conflict = {"409": CONFLICT} if writes else {}
        return {**bad, "401": NOBODY, "403": NOT_ALLOWED, **missing, **conflict}
