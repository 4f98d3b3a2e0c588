"""Telling a place that is nobody's contact method: a webhook that a policy or a route names.

A signed JSON POST as in oncall/channels/webhook.py; its `Idempotency-Key` stays the same when it is sent again.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from django.utils import timezone

from events.outbound import AddressRefused, post
from oncall.channels import Result
from oncall.channels.webhook import signature

# Nobody listens there any more.
GONE = {404, 410}


def post_to(address: str, said: Mapping[str, Any], *, key: str, secret: str = "") -> Result:
    """Posts what is said, and tells what came of it: any 2xx is taken."""
    body = json.dumps(said).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if secret:
        headers["X-Sitrep-Signature"] = signature(secret, int(timezone.now().timestamp()), body)
    try:
        response = post(address, content=body, headers=headers)
    except AddressRefused as error:
        return Result("refused", str(error))
    except httpx.HTTPError as error:
        return Result("failed", f"{type(error).__name__}: {error}")
    if response.is_success:
        return Result("accepted", f"answered {response.status_code}")
    return Result("refused" if response.status_code in GONE else "failed", f"answered {response.status_code}")
