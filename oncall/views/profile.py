"""The viewer's own profile, the ways in which they can be reached, and how they want to be paged."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import update_profile
from accounts.actor import actor_of
from accounts.forms import ProfileForm
from accounts.models import User
from events.errors import Conflict
from events.forms import try_action
from events.models import Event
from oncall import contact_methods
from oncall.channels import Result
from oncall.channels.push import public_key
from oncall.forms.people import BaseRuleFormSet, CodeForm, ContactMethodForm, QuietHoursForm, RuleFormSet
from oncall.models import ContactMethod, NotificationRule, Urgency
from oncall.reaching import ProofState, last_news, proof_state, send_test
from oncall.views.signed_in import user_of

# A receipt comes within seconds, or it is no answer to the button that was pressed.
WAITS_FOR_RECEIPT = timedelta(minutes=1)


@dataclass(frozen=True)
class Row:
    """A contact method as the profile shows it: its state, its proof, the newest thing that is known of it."""

    method: ContactMethod
    proof: ProofState
    news: Event | None
    is_waiting: bool
    code_form: CodeForm


def _row(method: ContactMethod, news: Event | None, now: datetime, code_form: CodeForm | None = None) -> Row:
    sent = method.proof_sent_at
    is_fresh = sent is not None and now - sent < WAITS_FOR_RECEIPT
    is_waiting = is_fresh and (method.proved_at is None or (sent is not None and method.proved_at < sent))
    return Row(method, proof_state(method, now), news, is_waiting, code_form or CodeForm(auto_id=f"{method.pk}_%s"))


def profile(request: HttpRequest) -> HttpResponse:
    """Name, time zone and language; contact methods, rules and quiet hours beside it."""
    user = user_of(request)
    if request.method == "POST":
        form = ProfileForm(request.POST)
        if form.is_valid():
            save = partial(update_profile, actor=actor_of(request), user=user, **form.cleaned_data)
            if try_action(form, save) is not None:
                messages.success(request, _("Your profile is saved."))
                return redirect("oncall:profile")
        return _page(request, form=form)
    return _page(request)


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    """The profile; forms that were sent and refused stand in for fresh ones."""
    user, now = user_of(request), timezone.now()
    news, codes = last_news(user), forms.pop("codes", {})
    methods = _methods(user)
    rows = [_row(method, news.get(method.pk), now, codes.get(method.pk)) for method in methods]
    fresh = {
        "form": ProfileForm(initial={name: getattr(user, name) for name in ("name", "time_zone", "locale")}),
        "contact_form": ContactMethodForm(initial={"kind": ContactMethod.Kind.EMAIL}),
        "quiet_form": QuietHoursForm(initial=QuietHoursForm.initial_of(user), auto_id="quiet_%s"),
    }
    rules = {
        urgency: forms.pop(f"rules_{urgency}", None) or _rule_forms(user, methods, urgency)
        for urgency in Urgency.values
    }
    context = {
        **fresh,
        **forms,
        "rows": rows,
        "rules": [(urgency, rules[urgency.value]) for urgency in Urgency],
        "push_key": public_key(),
        "unusable": [row.method for row in rows if row.method.is_enabled and not row.method.is_usable],
        "is_reachable": any(row.method.is_usable and row.method.kind != ContactMethod.Kind.WEB for row in rows),
    }
    return render(request, "oncall/profile.html", context)


def _methods(user: User) -> list[ContactMethod]:
    return list(user.contact_methods.order_by("id"))


def _rule_forms(user: User, methods: list[ContactMethod], urgency: str, data: Any = None) -> BaseRuleFormSet:
    if data is not None:
        # What was stored before is no matter: an unchanged step is a step.
        return RuleFormSet(data, prefix=urgency, form_kwargs={"methods": methods})
    rules = NotificationRule.objects.filter(user=user, urgency=urgency).order_by("position")
    initial = [{"contact_method": rule.contact_method_id, "delay_minutes": rule.delay_minutes} for rule in rules]
    return RuleFormSet(initial=initial, prefix=urgency, form_kwargs={"methods": methods})


# --- Contact methods --------------------------------------------------------------------------------------------------


@require_POST
def contact_method_add(request: HttpRequest) -> HttpResponse:
    """Adds a way to reach the viewer and sends the code that verifies it."""
    form = ContactMethodForm(request.POST)
    if form.is_valid():
        add = partial(
            contact_methods.add_contact_method, actor=actor_of(request), user=user_of(request), now=timezone.now()
        )
        method = try_action(form, partial(add, **form.cleaned_data))
        if method is not None:
            _say_added(request, method)
            return redirect("oncall:profile")
    return _page(request, contact_form=form)


def _say_added(request: HttpRequest, method: ContactMethod) -> None:
    if method.verified_at is not None:
        messages.success(request, _("Added. Send yourself a test page to see that it arrives."))
    elif method.code_hash:
        messages.success(request, _("Added. A code is on its way: type it in below, then pages may go there."))
    else:
        messages.warning(request, _("Added, but the code could not be sent. Send it again in a minute."))


def _own(request: HttpRequest, pk: int) -> ContactMethod:
    return get_object_or_404(ContactMethod.objects.select_related("user"), pk=pk, user=user_of(request))


def _say_sent(request: HttpRequest, result: Result) -> None:
    if result.outcome == "accepted":
        messages.success(request, _("Sent: %(detail)s. Look whether it arrived.") % {"detail": result.detail})
    else:
        messages.error(request, _("It could not be sent: %(detail)s") % {"detail": result.detail})


@require_POST
def contact_method_code(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends a new code through an unverified method."""
    method = _own(request, pk)
    try:
        result = contact_methods.send_code(actor=actor_of(request), method=method, now=timezone.now())
    except Conflict as error:
        messages.error(request, str(error))
    else:
        _say_sent(request, result)
    return redirect("oncall:profile")


@require_POST
def contact_method_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Verifies a method with the code that the viewer typed."""
    method = _own(request, pk)
    form = CodeForm(request.POST, auto_id=f"{pk}_%s")
    if form.is_valid():
        verify = partial(contact_methods.verify_contact_method, actor=actor_of(request), method=method)
        if try_action(form, partial(verify, now=timezone.now(), **form.cleaned_data)) is not None:
            messages.success(request, _("Verified: pages may go there."))
            return redirect("oncall:profile")
    return _page(request, codes={pk: form})


@require_POST
def contact_method_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives a webhook a new signing secret."""
    contact_methods.rotate_secret(actor=actor_of(request), method=_own(request, pk))
    messages.success(request, _("The webhook has a new signing secret. Give it to the receiver."))
    return redirect("oncall:profile")


@require_POST
def contact_method_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches a contact method off or on."""
    method = _own(request, pk)
    is_enabled = request.POST.get("enabled") == "yes"
    contact_methods.set_contact_method_enabled(actor=actor_of(request), method=method, is_enabled=is_enabled)
    messages.success(request, _("Pages go there again.") if is_enabled else _("No page goes there any more."))
    return redirect("oncall:profile")


@require_POST
def contact_method_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a contact method away."""
    contact_methods.remove_contact_method(actor=actor_of(request), method=_own(request, pk))
    messages.success(request, _("The contact method is removed."))
    return redirect("oncall:profile")


@require_POST
def contact_method_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends the viewer a test page and says what came of it; its row shows the receipt when that comes."""
    method = _own(request, pk)
    try:
        result = send_test(actor=actor_of(request), method=method, now=timezone.now())
    except Conflict as error:
        messages.error(request, str(error))
    else:
        _say_sent(request, result)
    return redirect("oncall:profile")


@require_GET
def contact_method_row(request: HttpRequest, pk: int) -> HttpResponse:
    """One row as it is now: a page that waits for a receipt asks for it."""
    method = _own(request, pk)
    row = _row(method, last_news(user_of(request)).get(pk), timezone.now())
    return render(request, "oncall/_contact_method.html", {"row": row})


# --- Rules and quiet hours --------------------------------------------------------------------------------------------


@require_POST
def rules_save(request: HttpRequest, urgency: str) -> HttpResponse:
    """Replaces the steps by which the viewer is paged at one urgency."""
    if urgency not in Urgency.values:
        raise Http404
    user = user_of(request)
    formset = _rule_forms(user, _methods(user), urgency, request.POST)
    if formset.is_valid():
        contact_methods.save_notification_rules(
            actor=actor_of(request), user=user, urgency=urgency, steps=formset.drafts()
        )
        messages.success(request, _("Your rules are saved. They hold for every page from now on."))
        return redirect("oncall:profile")
    return _page(request, **{f"rules_{urgency}": formset})


@require_POST
def quiet_hours_save(request: HttpRequest) -> HttpResponse:
    """Sets when low urgency stays quiet for the viewer."""
    form = QuietHoursForm(request.POST, auto_id="quiet_%s")
    if form.is_valid():
        save = partial(contact_methods.save_quiet_hours, actor=actor_of(request), user=user_of(request))
        if try_action(form, partial(save, **form.cleaned_data)) is not None:
            messages.success(request, _("Your quiet hours are saved."))
            return redirect("oncall:profile")
    return _page(request, quiet_form=form)
