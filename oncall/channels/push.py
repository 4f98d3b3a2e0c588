"""Push notifications to a browser that subscribed, with buttons that answer from the lock screen.

Message encryption is RFC 8291 (aes128gcm), the sender's proof RFC 8292 (VAPID), the request RFC 8030.
"""

import base64
import json
import time
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.translation import gettext as _
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher, WebPushException

from events.outbound import AddressRefused, post
from oncall.channels import Message, Result, sends
from oncall.channels.wording import headline_of, text_of
from oncall.models import ContactMethod

# A notification that could not be delivered for so long is of no use any more.
KEPT_SECONDS = 3600
CLAIM_SECONDS = 12 * 3600
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# Push services take 4096 bytes encrypted; what is left after the frame of RFC 8188.
LONGEST_TEXT = 600


@lru_cache
def _private_key(own_key: str, secret: str) -> ec.EllipticCurvePrivateKey:
    if own_key:
        key: ec.EllipticCurvePrivateKey = Vapid02.from_string(own_key).private_key
        return key
    derived = HKDF(algorithm=hashes.SHA256(), length=48, salt=None, info=b"sitrep web push").derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(derived) % (ORDER_OF_P256 - 1) + 1, ec.SECP256R1())


def _key() -> ec.EllipticCurvePrivateKey:
    """The installation's key: VAPID_PRIVATE_KEY, or one made of SECRET_KEY, so that all processes have the same."""
    return _private_key(settings.VAPID_PRIVATE_KEY, settings.SECRET_KEY)


def public_key() -> str:
    """The installation's public key as `PushManager.subscribe` takes it: the point, base64url without padding."""
    point = _key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def payload_of(message: Message) -> bytes:
    """What the service worker is told; `links` holds what its buttons (`words`) and its receipt POST to."""
    title = headline_of(message)
    body = message.detail if message.purpose == "notice" else text_of(message)
    # The title stands above it, and the link behind it.
    lines = [line for line in body.splitlines() if line not in {f"Sitrep: {title}", message.link}]
    data: dict[str, Any] = {
        "purpose": message.purpose,
        "title": title,
        "body": "\n".join(lines).strip()[:LONGEST_TEXT],
        "link": message.link,
        "links": dict(message.links),
        "tag": message.reference or message.purpose,
        "words": {"acknowledge": _("Acknowledge"), "escalate": _("Escalate")} if message.is_page else {},
    }
    return json.dumps(data, ensure_ascii=False).encode()


def _authorization(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    contact = settings.PUBLIC_URL
    if not contact.startswith("https://"):
        contact = "mailto:" + settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip(">")
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "sub": contact, "exp": int(time.time()) + CLAIM_SECONDS}
    # The contact is a courtesy to the push service: an unusual one must not keep a page from leaving.
    vapid = Vapid02(_key(), {"no-strict": True})
    return str(vapid.sign(claims)["Authorization"])


@sends(ContactMethod.Kind.PUSH)
def send(method: ContactMethod, message: Message) -> Result:
    """Any 2xx is accepted; 404 and 410 mean that the subscription is gone, 403 that it was made for another key."""
    try:
        subscription = json.loads(method.secret)
        body = WebPusher(subscription).encode(payload_of(message))["body"]
        headers = {
            "Authorization": _authorization(subscription["endpoint"]),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_SECONDS),
            "Urgency": "high" if message.urgency == "high" else "normal",
        }
    except (ValueError, KeyError, TypeError, WebPushException, VapidException) as error:
        return Result("refused", f"the subscription can't be used: {error}; subscribe again")
    service = urlsplit(subscription["endpoint"]).hostname or ""
    try:
        response = post(subscription["endpoint"], content=body, headers=headers)
    except AddressRefused as error:
        return Result("refused", str(error), service)
    except httpx.HTTPError as error:
        return Result("failed", f"{type(error).__name__}: {error}", service)
    return Result(*_meaning(response), service[:40], response.headers.get("Location", "")[:100])


def _meaning(response: httpx.Response) -> tuple[Literal["accepted", "failed", "refused"], str]:
    if response.is_success:
        return "accepted", f"answered {response.status_code}"
    if response.status_code in {404, 410}:
        return "refused", f"the browser is no longer subscribed (answered {response.status_code})"
    if response.status_code == 403:
        return "refused", "the subscription belongs to another key; subscribe again (answered 403)"
    return "failed", f"answered {response.status_code}"
