"""The mail that a site without a mail server kept, for administrators."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from accounts.models import Role
from events.errors import require
from oncall.mailbox import kept_mail, kept_mails

MAY_NOT_READ = "Only administrators may read the kept mail: its links act for the people they were sent to."


def _check(request: HttpRequest) -> None:
    require(actor_of(request).has_role(Role.ADMINISTRATOR), MAY_NOT_READ)
    if not settings.MAIL_IS_KEPT:
        raise Http404


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    """The newest kept mails."""
    _check(request)
    return render(request, "oncall/mail_list.html", {"mails": kept_mails()})


@require_safe
def mail_detail(request: HttpRequest, name: str) -> HttpResponse:
    """One kept mail as its reader would see it."""
    _check(request)
    mail = kept_mail(name)
    if mail is None:
        raise Http404
    return render(request, "oncall/mail_detail.html", {"mail": mail})
