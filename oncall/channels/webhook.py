"""Pages by webhook: a signed JSON POST.

`X-Sitrep-Signature: t=<unix seconds>,v1=<hex>`, where v1 is HMAC-SHA256 with the contact method's secret over
"<t>.<body>"; a receiver recomputes it and refuses what is older than five minutes. `Idempotency-Key` stays the same
when a page is sent again.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from events.outbound import AddressRefused, post
from oncall.channels import Message, Result, sends
from oncall.models import ContactMethod


def signature(secret: str, at: int, body: bytes) -> str:
    """The value of `X-Sitrep-Signature` for a body sent at a unix time."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _key(message: Message) -> str:
    """The same for every try of a page; everything else is a delivery of its own."""
    return f"page-{message.page_id}" if message.is_page else f"{message.purpose}-{uuid4()}"


@sends(ContactMethod.Kind.WEBHOOK)
def send(method: ContactMethod, message: Message) -> Result:
    """Any 2xx is accepted; 410 and 404 mean that nobody listens there any more; the rest is tried again."""
    body = json.dumps(
        {
            "type": message.purpose,
            "page_id": message.page_id,
            "person": message.person,
            "title": message.title,
            "detail": message.detail,
            "facts": message.facts,
            "since": message.since.isoformat(),
            "level": message.level,
            "link": message.link,
            "urgency": message.urgency,
            "others": list(message.others),
            **({"code": message.code} if message.code else {}),
        }
    ).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": _key(message)}
    if method.secret:
        headers["X-Sitrep-Signature"] = signature(method.secret, int(datetime.now(UTC).timestamp()), body)
    try:
        response = post(method.address, content=body, headers=headers)
    except AddressRefused as error:
        return Result("refused", str(error))
    except httpx.HTTPError as error:
        return Result("failed", f"{type(error).__name__}: {error}")
    if response.is_success:
        return Result("accepted", f"answered {response.status_code}")
    return Result("refused" if response.status_code in {404, 410} else "failed", f"answered {response.status_code}")
