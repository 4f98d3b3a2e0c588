"""The mail that a site without a mail server kept, for administrators."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actor import Actor, actor_of
from accounts.models import Role
from events.errors import require
from oncall.mailbox import KeptMail, closed_to, kept_mail, kept_mails
from oncall.models import Page

MAY_NOT_READ = "Only administrators may read the kept mail: its links act for the people they were sent to."


def _check(request: HttpRequest) -> None:
    require(actor_of(request).has_role(Role.ADMINISTRATOR), MAY_NOT_READ)
    if not settings.MAIL_IS_KEPT:
        raise Http404


def open_to(actor: Actor, mails: list[KeptMail]) -> list[KeptMail]:
    """The mails without the pages of private escalations to others, and without what else is closed to the actor: an
    administrator is outside there too."""
    page_ids = [mail.page_id for mail in mails if mail.page_id]
    private = Page.objects.filter(pk__in=page_ids, escalation__is_private=True).exclude(user_id=actor.person_id)
    pages, names = set(private.values_list("pk", flat=True)), closed_to(actor, mails)
    return [mail for mail in mails if mail.page_id not in pages and mail.name not in names]


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    """The newest kept mails."""
    _check(request)
    mails = open_to(actor_of(request), kept_mails())
    return render(request, "oncall/mail_list.html", {"mails": mails})


@require_safe
def mail_detail(request: HttpRequest, name: str) -> HttpResponse:
    """One kept mail as its reader would see it."""
    _check(request)
    mail = kept_mail(name)
    if mail is None or not open_to(actor_of(request), [mail]):
        raise Http404
    return render(request, "oncall/mail_detail.html", {"mail": mail})
