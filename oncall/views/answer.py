"""The pages behind a page's links: one thumb acknowledges, without signing in."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from oncall.answering import answer_page, state_of
from oncall.links import ACTS, PageToken, method_of_proof, page_of_token, page_token
from oncall.models import ContactMethod, Page
from oncall.reaching import mark_proved
from oncall.receipts import Receipt, record_receipt

ASKS = {"waiting", "help"}


def _page_of(token: PageToken | None) -> Page | None:
    if token is None:
        return None
    pages = Page.objects.select_related("escalation__acknowledged_by", "user", "contact_method")
    return pages.filter(pk=token.page_id, user_id=token.user_id, user__is_active=True).first()


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what a page is about; only POST answers, so that a mail scanner that follows links does nothing.

    A link of one verb offers that verb alone; the general one offers all.
    """
    known = page_of_token(token)
    page = _page_of(known)
    if page is None or known is None or known.verb == "received":
        return render(request, "oncall/answer_unknown.html", status=404)
    offered: tuple[str, ...] = ACTS if known.verb == "answer" else (known.verb,)
    if page.is_extra:
        # A call for help is answered by coming or not: the escalation is somebody else's.
        offered = tuple(verb for verb in offered if verb != "escalate")
    said: list[str] = []
    if request.method == "POST":
        verb = request.POST.get("verb", next(iter(offered), ""))
        if verb not in offered:
            return render(request, "oncall/answer_unknown.html", status=404)
        answers = answer_page(page=page, verb=verb, now=timezone.now())
        if verb == "acknowledge" and all(each.is_done for each in answers):
            return redirect("oncall:answer", token)
        said = [each.text for each in answers]
        page = _page_of(known) or page
    return render(request, "oncall/answer.html", {**_context(page), "offered": offered, "said": said})


def _context(page: Page) -> dict[str, Any]:
    escalation, now = page.escalation, timezone.now()
    carried = list(page.carries.select_related("escalation").order_by("id"))
    others = [each.escalation for each in carried]
    states = [state_of(each) for each in (page, *carried)]
    # Of several pages in one, the first that still wants an answer decides what is shown.
    state = next((state for state in states if state in ASKS), states[0])
    return {
        "page": page,
        "escalation": escalation,
        "others": others,
        "count": len(others) + 1,
        "age": now - escalation.started_at,
        "answered_ago": now - escalation.acknowledged_at if escalation.acknowledged_at else None,
        "state": state,
        "asks": state in ASKS,
        "general_token": page_token(page.pk, page.user_id),
    }


@csrf_exempt
@login_not_required
@require_POST
def act(request: HttpRequest, token: str) -> HttpResponse:
    """What the buttons of a notification do: the one thing that the link names, said in JSON.

    The link itself is the permission; a browser that is lured here by another site does not know it.
    """
    known = page_of_token(token)
    page = _page_of(known)
    if page is None or known is None or known.verb == "answer":
        return JsonResponse({"text": "This link is no longer valid."}, status=404)
    if known.verb == "received":
        reference = f"page-{page.pk}-{page.attempts_made}"
        record_receipt(reference=reference, kind=Receipt.DELIVERED, detail="the browser has it", now=timezone.now())
        return HttpResponse(status=204)
    answers = answer_page(page=page, verb=known.verb, now=timezone.now())
    status = 200 if any(each.is_done for each in answers) else 409
    return JsonResponse({"text": "; ".join(each.text for each in answers)}, status=status)


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a test's link: pressing its button says that the test arrived. Only POST counts."""
    method = ContactMethod.objects.select_related("user").filter(pk=method_of_proof(token) or 0).first()
    if method is None or method.verified_at is None or not method.user.is_active:
        return render(request, "oncall/answer_unknown.html", status=404)
    if request.method == "POST":
        mark_proved(method=method, how="confirmed by link", now=timezone.now())
    return render(request, "oncall/answer_proof.html", {"method": method, "is_proved": request.method == "POST"})
