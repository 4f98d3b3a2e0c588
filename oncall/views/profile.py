"""The viewer's own profile and the ways in which they can be reached."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actions import update_profile
from accounts.actor import actor_of
from accounts.forms import ProfileForm
from events.forms import try_action
from oncall import configuration
from oncall.forms import ContactMethodForm
from oncall.models import ContactMethod
from oncall.sending import send_test
from oncall.views.signed_in import user_of


def profile(request: HttpRequest) -> HttpResponse:
    """Name, time zone and language; contact methods beside it."""
    user = user_of(request)
    initial = {name: getattr(user, name) for name in ("name", "time_zone", "locale")}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        save = partial(update_profile, actor=actor_of(request), user=user, **form.cleaned_data)
        if try_action(form, save) is not None:
            messages.success(request, _("Your profile is saved."))
            return redirect("oncall:profile")
    return _page(request, form=form)


def _page(
    request: HttpRequest, *, form: ProfileForm | None = None, contact_form: ContactMethodForm | None = None
) -> HttpResponse:
    user = user_of(request)
    initial = {name: getattr(user, name) for name in ("name", "time_zone", "locale")}
    context = {
        "form": form or ProfileForm(initial=initial),
        "contact_form": contact_form or ContactMethodForm(initial={"kind": ContactMethod.Kind.EMAIL}),
        "methods": user.contact_methods.order_by("id"),
    }
    return render(request, "oncall/profile.html", context)


@require_POST
def contact_method_add(request: HttpRequest) -> HttpResponse:
    """Adds a way to reach the viewer."""
    form = ContactMethodForm(request.POST)
    if form.is_valid():
        user = user_of(request)
        add = partial(configuration.add_contact_method, actor=actor_of(request), user=user, now=timezone.now())
        if try_action(form, partial(add, **form.cleaned_data)) is not None:
            messages.success(request, _("Added. Send yourself a test page to see that it arrives."))
            return redirect("oncall:profile")
    return _page(request, contact_form=form)


def _own(request: HttpRequest, pk: int) -> ContactMethod:
    return get_object_or_404(ContactMethod.objects.select_related("user"), pk=pk, user=user_of(request))


@require_POST
def contact_method_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches a contact method off or on."""
    method = _own(request, pk)
    is_enabled = request.POST.get("enabled") == "yes"
    configuration.set_contact_method_enabled(actor=actor_of(request), method=method, is_enabled=is_enabled)
    messages.success(request, _("Pages go there again.") if is_enabled else _("No page goes there any more."))
    return redirect("oncall:profile")


@require_POST
def contact_method_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a contact method away."""
    configuration.remove_contact_method(actor=actor_of(request), method=_own(request, pk))
    messages.success(request, _("The contact method is removed."))
    return redirect("oncall:profile")


@require_POST
def contact_method_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends the viewer a test page and says what came of it."""
    method = _own(request, pk)
    result = send_test(actor=actor_of(request), method=method, now=timezone.now())
    if result.outcome == "accepted":
        messages.success(request, _("Sent: %(detail)s. Look whether it arrived.") % {"detail": result.detail})
    else:
        messages.error(request, _("It could not be sent: %(detail)s") % {"detail": result.detail})
    return redirect("oncall:profile")
