"""What makes Sitrep an app on a phone: the service worker, its manifest, and the browser's subscription to pages."""

import json

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import actor_of
from events.errors import DomainError
from oncall.channels.push import public_key
from oncall.contact_methods import add_contact_method, renew_subscription
from oncall.models import ContactMethod
from oncall.views.signed_in import user_of


@login_not_required
@require_GET
@cache_control(max_age=0, must_revalidate=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script behind notifications; served from the root, so that its scope is all of Sitrep."""
    found = finders.find("js/service-worker.js")
    if not isinstance(found, str):
        raise Http404
    with open(found, encoding="utf-8") as script:
        return HttpResponse(script.read(), content_type="text/javascript; charset=utf-8")


@login_not_required
@require_GET
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """What an installed Sitrep is called and looks like. https://www.w3.org/TR/appmanifest/"""
    icons = [
        {"src": static(f"icons/{name}.png"), "sizes": size, "type": "image/png", "purpose": purpose}
        for name, size, purpose in (
            ("app-192", "192x192", "any"),
            ("app-512", "512x512", "any"),
            ("app-maskable-512", "512x512", "maskable"),
        )
    ]
    said = {
        "name": "Sitrep",
        "short_name": "Sitrep",
        "description": _("Pages, incidents and who is on call."),
        "id": "/",
        "start_url": "/oncall/pages/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f7f8f9",
        "theme_color": "#f7f8f9",
        "icons": icons,
    }
    return HttpResponse(json.dumps(said), content_type="application/manifest+json")


@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    """Adds the viewer's browser as a contact method; the code that verifies it comes as a notification."""
    try:
        given = json.loads(request.body)
        subscription, label = dict(given["subscription"]), str(given.get("label", ""))
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"message": _("This is not a push subscription.")}, status=400)
    try:
        method = add_contact_method(
            actor=actor_of(request),
            user=user_of(request),
            kind=ContactMethod.Kind.PUSH,
            label=label,
            subscription=subscription,
            now=timezone.now(),
        )
    except DomainError as error:
        return JsonResponse({"message": str(error)}, status=error.status)
    return JsonResponse({"id": method.pk, "is_verified": method.verified_at is not None}, status=201)


@require_http_methods(["GET", "POST"])
def renew(request: HttpRequest) -> HttpResponse:
    """For the service worker of a signed-in browser whose subscription was replaced.

    GET gives it what a page would have told it, `{"key", "token"}`; POST takes `{"old_endpoint", "subscription"}`.
    """
    if request.method == "GET":
        answer = JsonResponse({"key": public_key(), "token": get_token(request)})
        answer["Cache-Control"] = "no-store"
        return answer
    try:
        given = json.loads(request.body)
        old_endpoint, subscription = str(given["old_endpoint"]), dict(given["subscription"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"message": _("This is not a push subscription.")}, status=400)
    try:
        method = renew_subscription(
            actor=actor_of(request),
            user=user_of(request),
            old_endpoint=old_endpoint,
            subscription=subscription,
            now=timezone.now(),
        )
    except DomainError as error:
        return JsonResponse({"message": str(error)}, status=error.status)
    return JsonResponse({"id": method.pk, "is_verified": method.verified_at is not None})


def push_context() -> dict[str, str]:
    """What the profile's subscribe button needs to know."""
    return {"push_key": public_key(), "site": settings.PUBLIC_URL}
