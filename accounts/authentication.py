"""How a program proves who it is on the REST API, and which scope each call needs."""

from typing import TYPE_CHECKING

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.actions import find_api_key
from accounts.actor import Actor
from accounts.models import ApiKey, Scope, User

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sit_….<secret>`."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        api_key = find_api_key(words[1].decode("latin-1"), timezone.now()) if len(words) == 2 else None
        if api_key is None:
            raise AuthenticationFailed(
                "The API key is not valid. Make one under Settings, API keys.", code="bad_api_key"
            )
        return api_key.user, api_key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular ships no types
    """Tells the OpenAPI document about API keys."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class HasScope(BasePermission):
    """Lets a signed-in person through, and an API key that has the scope: `read`, or the view's `write_scope`."""

    message = "This API key lacks the scope that the call needs."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.user, User):
            return False
        if not isinstance(request.auth, ApiKey):
            return True
        needed = Scope.READ if request.method in SAFE_METHODS else getattr(view, "write_scope", None)
        if needed is not None:
            self.message = f"This API key lacks the scope {needed}. Make one that has it under Settings, API keys."
        return needed in request.auth.scopes


def api_actor(request: Request) -> Actor:
    """The actor behind an API request: the key, or the signed-in person."""
    if isinstance(request.auth, ApiKey):
        return Actor.of_api_key(request.auth)
    if not isinstance(request.user, User):
        raise TypeError("api_actor() needs an authenticated request.")
    return Actor.of_user(request.user, via="api")
