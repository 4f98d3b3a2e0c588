"""Makes everybody a stranger on the public's pages."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]
PUBLIC = "/status/"


class PublicPagesMiddleware:
    """Keeps the session of a signed-in reader out of the public's pages: no query for it, the same bytes for everybody,
    and shared caches may keep them. Stands right after AuthenticationMiddleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PUBLIC):
            request.user = AnonymousUser()
        return self.get_response(request)
