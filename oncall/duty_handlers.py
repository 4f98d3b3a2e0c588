"""The mails that follow a change of shift; each is an event's delivery, tried again when the mail server is away."""

from django.utils import timezone

from events.models import Event
from events.registry import handles
from oncall.duty import tell_handover
from oncall.duty_mail import mail_survey
from oncall.models import ShiftSurvey
from oncall.shadowing import tell_new_shadow, tell_shadows
from oncall.surveys import survey_link


@handles("handover.happened", name="oncall.tell_handover")
def tell_of_handover(event: Event) -> None:
    """Mails the summary to those who come, unless the change is old news by now."""
    tell_handover(handover_id=event.subject_id, now=timezone.now())


@handles("handover.mailed", name="oncall.mail_shadows")
def tell_those_who_shadow(event: Event) -> None:
    """Mails the summary to those who shadow; their own delivery, so that nobody on call is mailed twice for it."""
    tell_shadows(handover_id=event.subject_id)


@handles("shadow.began", name="oncall.mail_new_shadow")
def tell_who_begins_to_shadow(event: Event) -> None:
    """Mails the handover of the shift that runs to somebody who begins to shadow within it."""
    tell_new_shadow(shadow_id=event.subject_id, now=timezone.now())


@handles("survey.asked", name="oncall.mail_survey")
def ask_how_it_was(event: Event) -> None:
    """Mails the two questions to whoever had the shift."""
    survey = ShiftSurvey.objects.select_related("user", "schedule").filter(pk=event.subject_id).first()
    if survey is not None and survey.user.is_active and survey.answered_at is None:
        mail_survey(survey, survey_link(survey.pk))
