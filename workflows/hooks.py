"""The door by which other systems start a workflow: `POST /hooks/workflows/<token>`.

The body (JSON, or any text) becomes the facts `webhook.body` and `webhook.text`. It is answered with 202 and the id of
the run; the same `Idempotency-Key` (at most 100 characters) starts it once. What is longer than 64 KB is refused with
413.
"""

import json
from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.actions import hash_secret
from accounts.actor import Actor
from accounts.models import Role
from workflows.models import Workflow, WorkflowVersion
from workflows.starting import start_run
from workflows.subjects import plain

LONGEST_BODY = 64 * 1024
LONGEST_KEY = 100
KEPT_TEXT = 10_000


@login_not_required
@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> JsonResponse:
    """Starts the workflow whose webhook this is. One that is switched off is not there."""
    workflow = Workflow.objects.filter(
        token_hash=hash_secret(token), is_enabled=True, trigger_kind=Workflow.TriggerKind.WEBHOOK
    ).first()
    if workflow is None:
        return JsonResponse({"detail": "Nothing listens here."}, status=404)
    if int(request.headers.get("Content-Length") or 0) > LONGEST_BODY:
        return JsonResponse({"detail": f"The body is longer than {LONGEST_BODY} bytes."}, status=413)
    text = request.body[: LONGEST_BODY + 1].decode(errors="replace")
    if len(text) > LONGEST_BODY:
        return JsonResponse({"detail": f"The body is longer than {LONGEST_BODY} bytes."}, status=413)
    key = request.headers.get("Idempotency-Key", "")[:LONGEST_KEY] or str(uuid4())
    version = WorkflowVersion.objects.select_related("workflow").get(workflow=workflow, number=workflow.version)
    run = start_run(
        actor=Actor("system", "", f"Webhook of {workflow.name}", "webhook", Role.RESPONDER),
        version=version,
        trigger="webhook",
        dedup_key=f"webhook-{key}",
        now=timezone.now(),
        facts={
            "event": {"name": "webhook", "by": "webhook", "data": {}},
            "webhook": {"body": plain(_json(text)), "text": text[:KEPT_TEXT].replace("\0", "")},
        },
    )
    return JsonResponse({"run": run.pk}, status=202)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
