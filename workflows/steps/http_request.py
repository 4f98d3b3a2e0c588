"""Call another system: an HTTP request.

`X-Sitrep-Signature: t=<unix seconds>,v1=<hex>` where the step holds a secret: HMAC-SHA256 over "<t>.<body>", as
oncall/channels/webhook.py has it. `Idempotency-Key` is the same each time the same step of a run is tried again.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events.outbound import AddressRefused, request
from oncall.channels.webhook import signature
from workflows.registry import Context, Failed, Group, Outcome, Param, Retry, Step, short, step

MOST_BYTES = 200_000
KEPT_TEXT = 2_000
# What a server may say later otherwise.
TRY_AGAIN = {408, 425, 429}


@step
class HttpRequest(Step):
    """Any 2xx is taken; 5xx, 429 and what is not answered are tried again; the rest fails."""

    kind: ClassVar[str] = "http_request"
    label: ClassVar[Any] = _("HTTP request")
    icon: ClassVar[str] = "world-upload"
    group: ClassVar[Group] = Group.OUTSIDE
    is_outside: ClassVar[bool] = True
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("status", "json", "text")
    params: ClassVar[tuple[Param, ...]] = (
        Param(
            "method",
            "choice",
            _("Method"),
            default="POST",
            choices=tuple((name, name) for name in ("POST", "GET", "PUT", "PATCH", "DELETE")),
        ),
        Param("url", "url", _("Address"), required=True, is_template=True),
        Param("headers", "long_text", _("Headers"), _("One a line: Name: value"), is_template=True),
        Param("secret_headers", "secret", _("Secret headers"), _("One a line; kept encrypted, never shown.")),
        Param("body", "long_text", _("Body"), _("JSON, unless a header says otherwise."), is_template=True),
        Param("secret", "secret", _("Secret"), _("Signs the body (X-Sitrep-Signature).")),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"{params.get('method') or 'POST'} {short(params.get('url'), 80)}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        headers_of(str(params.get("headers") or ""))
        return f"Would {self.words(params)}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        method, body = str(params["method"]), str(params.get("body") or "").encode()
        headers = {"Content-Type": "application/json"} if body else {}
        headers |= headers_of(str(params.get("headers") or "")) | headers_of(str(params.get("secret_headers") or ""))
        headers["Idempotency-Key"] = context.key
        if params.get("secret"):
            headers["X-Sitrep-Signature"] = signature(str(params["secret"]), int(timezone.now().timestamp()), body)
        try:
            answer, content = request(method, str(params["url"]), content=body, headers=headers, most_bytes=MOST_BYTES)
        except AddressRefused as error:
            raise Failed(str(error)) from error
        except httpx.HTTPError as error:
            raise Retry(f"{type(error).__name__}: {error}") from error
        text = content.decode(errors="replace")
        if answer.status_code >= 500 or answer.status_code in TRY_AGAIN:
            raise Retry(f"It answered {answer.status_code}: {short(text, 200)}")
        if not answer.is_success:
            raise Failed(f"It answered {answer.status_code}: {short(text, 200)}")
        output = {"status": answer.status_code, "json": _json(text), "text": text[:KEPT_TEXT]}
        return Outcome(f"It answered {answer.status_code}.", output)


def headers_of(text: str) -> dict[str, str]:
    """Headers as they are written, one a line. Raises Failed for a line that is none."""
    found = {}
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        if not colon or not name.strip().replace("-", "").isalnum():
            raise Failed("A header is written as Name: value, one a line.")
        found[name.strip()] = value.strip()
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
