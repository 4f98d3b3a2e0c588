"""The person behind a request."""

from django.http import HttpRequest

from accounts.models import User


def user_of(request: HttpRequest) -> User:
    """The signed-in person; every view but the answer page is behind the login."""
    if not isinstance(request.user, User):
        raise TypeError("user_of() needs a signed-in request.")
    return request.user
