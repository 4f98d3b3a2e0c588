"""Who hears that a paging test began to fail: its author, else the managers; a delivery that is tried again."""

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from events.models import Event
from events.registry import handles
from oncall.models import PagingTest
from oncall.schedule_mail import mail_notice
from oncall.soundness import all_managers


@handles("paging_test.broke", name="oncall.mail_paging_test")
def mail_author(event: Event) -> None:
    """Mails what is broken, unless it is mended by now; never to whoever broke it, who has seen it."""
    test = PagingTest.objects.select_related("author").filter(pk=event.subject_id, is_active=True).first()
    if test is None or test.outcome == PagingTest.Outcome.HOLDS:
        return
    author = test.author
    people = [author] if author is not None and author.is_active else all_managers()
    by = int(event.actor_key) if event.actor_kind == "user" else None
    for user in [each for each in people if each.pk != by]:
        with translation.override(user.locale):
            mail_notice(
                user,
                subject=_("The paging test “%(name)s” does not hold any more") % {"name": test.name},
                lines=[*test.broken, _("Mend what it speaks of, or change the test.")],
                path=reverse("oncall:paging-test", args=[test.pk]),
                button=_("Look at the test"),
            )
