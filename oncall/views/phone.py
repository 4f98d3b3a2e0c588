"""What Twilio asks and tells: replies by SMS, keys that were pressed, how a message or a call went.

Nothing of a request is believed before its signature is checked. Follows Twilio's "Messaging webhooks", "TwiML: Gather"
and "Status callbacks".
"""

import re
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

from oncall.answering import ACKNOWLEDGE, ESCALATE, answer_page, pages_waiting_at
from oncall.channels.telephony import REFUSED_LATER_CODES, comes_from_twilio
from oncall.models import Page
from oncall.receipts import Receipt, record_receipt

View = Callable[..., HttpResponse]
WORDS = {
    ACKNOWLEDGE: {"4", "ack", "acknowledge", "acknowledged", "ok", "yes"},
    ESCALATE: {"6", "esc", "escalate"},
}
KEYS = {"4": ACKNOWLEDGE, "6": ESCALATE}
ARRIVED = {"delivered": Receipt.DELIVERED, "read": Receipt.READ, "in-progress": Receipt.DELIVERED}
FAILED = {"undelivered", "failed", "busy", "no-answer", "canceled"}
LONGEST_REPLY = 480


def from_twilio(view: View) -> View:
    """Only POSTs that one of our Twilio accounts signed get through; everything else is 403."""

    @wraps(view)
    def checked(request: HttpRequest, **captured: str) -> HttpResponse:
        url = settings.PUBLIC_URL + request.get_full_path()
        form = {name: values[0] if len(values) == 1 else values for name, values in request.POST.lists()}
        if not comes_from_twilio(url, form, request.headers.get("X-Twilio-Signature", "")):
            return HttpResponseForbidden("The signature is not right.", content_type="text/plain")
        return view(request, **captured)

    return csrf_exempt(login_not_required(require_POST(checked)))


@from_twilio
def sms(request: HttpRequest) -> HttpResponse:
    """A reply: 4 acknowledges, 6 escalates what this number was paged for; `4 812` only that escalation."""
    verb, number = _read(request.POST.get("Body", ""))
    pages = pages_waiting_at(request.POST.get("From", ""), timezone.now())
    if number is not None:
        pages = [page for page in pages if page.escalation_id == number]
    response = MessagingResponse()
    if not verb:
        if pages:
            response.message(_("Reply 4 to acknowledge, 6 to escalate."))
    elif not pages:
        response.message(_("Nothing waits for your answer."))
    else:
        answers = [each for page in pages for each in answer_page(page=page, verb=verb, now=timezone.now())]
        response.message("\n".join(each.text[:160] for each in answers)[:LONGEST_REPLY])
    return _twiml(response)


def _read(text: str) -> tuple[str, int | None]:
    """The verb of a reply and the escalation that it names, if any."""
    found = re.fullmatch(r"\s*(\w+)[\s.!]*(?:#?(\d{1,18}))?[\s.!]*", text)
    if found is None:
        return "", None
    verb = next((verb for verb, words in WORDS.items() if found[1].casefold() in words), "")
    return verb, int(found[2]) if found[2] else None


@from_twilio
def voice(request: HttpRequest, reference: str) -> HttpResponse:
    """A key that was pressed during a call."""
    response = VoiceResponse()
    digits = request.POST.get("Digits", "")
    if not reference.startswith("page-"):
        if digits == "4":
            record_receipt(reference=reference, kind=Receipt.ANSWERED, detail="key 4", now=timezone.now())
            response.say(_("Thank you. Sitrep reaches you here. Goodbye."))
        return _twiml(response)
    page = _page_of(reference)
    verb = KEYS.get(digits)
    if page is None or page.address != request.POST.get("To"):
        response.say(_("This page is no longer there. Goodbye."))
    elif verb is None:
        response.say(_("This key does nothing. Open Sitrep to answer. Goodbye."))
    else:
        answers = answer_page(page=page, verb=verb, now=timezone.now())
        response.say(". ".join(each.text[:200] for each in answers[:3]) + ". " + _("Goodbye."))
    return _twiml(response)


@from_twilio
def status(request: HttpRequest, reference: str) -> HttpResponse:
    """How a message or a call went: delivered, not answered, a machine, a number that does not exist."""
    form = request.POST
    said = form.get("MessageStatus") or form.get("CallStatus", "")
    answered_by = form.get("AnsweredBy", "")
    code = form.get("ErrorCode", "")
    if answered_by.startswith(("machine", "fax")):
        _record(reference, Receipt.FAILED, "a machine answered")
    elif said in FAILED:
        _record(reference, Receipt.FAILED, f"{said} (error {code})" if code else said, code in REFUSED_LATER_CODES)
    elif said in ARRIVED and not answered_by:
        _record(reference, ARRIVED[said], "the call was taken" if said == "in-progress" else said)
    return HttpResponse(status=204)


def _record(reference: str, kind: Receipt, detail: str, is_permanent: bool = False) -> None:
    record_receipt(reference=reference, kind=kind, detail=detail, is_permanent=is_permanent, now=timezone.now())


def _page_of(reference: str) -> Page | None:
    page_id = reference.split("-")[1]
    pages = Page.objects.select_related("escalation", "user", "contact_method").filter(user__is_active=True)
    return pages.filter(pk=int(page_id)).first() if page_id.isdecimal() else None


def _twiml(response: MessagingResponse | VoiceResponse) -> HttpResponse:
    return HttpResponse(str(response), content_type="text/xml")
