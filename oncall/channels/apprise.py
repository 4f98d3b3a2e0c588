"""Every address that Apprise knows and that is a service on the network: ntfy, Telegram, Matrix, Teams, Pushover, …

The address holds passwords and tokens: it is kept encrypted, and shown only with them masked.
"""

import logging
import re
import threading
from typing import Any
from urllib.parse import urlsplit

import apprise
import httpx

from events.outbound import AddressRefused, resolve
from oncall.channels import Message, Result, sends
from oncall.channels.wording import headline_of, text_of
from oncall.models import ContactMethod

# Services at fixed addresses of their own.
HOSTED = frozenset(
    [
        "tgram",
        "pover",
        "discord",
        "slack",
        "gchat",
        "webex",
        "wxteams",
        "pbul",
        "prowl",
        "signl4",
        "spush",
        "simplepush",
        "pushy",
        "pushed",
        "psafer",
        "join",
        "line",
        "zulip",
        "twist",
        "threema",
        "whatsapp",
        "kook",
        "dingtalk",
        "feishu",
        "lark",
        "wecombot",
        "guilded",
        "revolt",
        "groupme",
        "ryver",
        "flock",
        "pushme",
        "clickatell",
        "bulksms",
        "msgbird",
        "plivo",
        "sinch",
        "vonage",
        "nexmo",
        "telnyx",
        "seven",
        "46elks",
        "d7sms",
        "kavenegar",
        "clicksend",
        "splunk",
        "opsgenie",
        "pagerduty",
        "ifttt",
    ]
)
# Services on a host that the address names: it must be public, unless the operator allows others.
SELF_HOSTED = frozenset(
    [
        "ntfy",
        "gotify",
        "matrix",
        "mmost",
        "rocket",
        "bark",
        "signal",
        "nctalk",
        "hassio",
        "synology",
        "apprise",
        "lametric",
        "mastodon",
        "pushdeer",
    ]
)
SELF_HOSTED_SCHEMAS = SELF_HOSTED | {f"{schema}s" for schema in SELF_HOSTED} | {"workflow", "workflows"}
TIMEOUT_SECONDS = 9.0
REFUSED_STATUSES = {401, 403, 404, 410}
# Redirects could lead past the check of the host.
ASSET = apprise.AppriseAsset(app_id="Sitrep", app_desc="Sitrep", http_redirects=False, async_mode=False)


def parse(address: str) -> apprise.NotifyBase:
    """The service behind an Apprise address; raises AddressRefused with the reason for what may not be used."""
    schema = urlsplit(address).scheme.lower()
    if schema in {"http", "https"}:
        raise AddressRefused("This is a web address. Use a webhook, or the Apprise form: ntfys://ntfy.sh/topic, say.")
    if schema not in HOSTED and schema not in SELF_HOSTED_SCHEMAS:
        raise AddressRefused(f"{schema or 'An empty scheme'}:// is not a service that pages may go through.")
    found = apprise.Apprise.instantiate(address, asset=ASSET, suppress_exceptions=True)
    if not isinstance(found, apprise.NotifyBase):
        raise AddressRefused(f"This is not a complete {schema}:// address.")
    found.redirects = False
    found.socket_connect_timeout = found.socket_read_timeout = TIMEOUT_SECONDS
    # A Matrix server may name another host for itself, which nobody has checked.
    if hasattr(found, "discovery"):
        found.discovery = False
    host = _named_host(schema, found)
    if host:
        resolve(host)
    return found


def _named_host(schema: str, service: Any) -> str:
    """The address of the host to which a service will talk where its owner names it; empty for a fixed one."""
    if schema == "zulip":
        return f"https://{service.organization}.{service.hostname}/"
    # Without a host of its own a service is at its maker's.
    if schema not in SELF_HOSTED_SCHEMAS or getattr(service, "mode", "") == "cloud" or not service.host:
        return ""
    port = f":{service.port}" if getattr(service, "port", None) else ""
    return f"{'https' if service.secure else 'http'}://{service.host}{port}/"


def masked(address: str) -> str:
    """The address with its secrets masked, fit to be shown."""
    shown = parse(address).url(privacy=True)  # type: ignore[no-untyped-call]
    return str(shown).partition("?")[0]


class _Reasons(logging.Handler):
    """What Apprise says in this thread while it sends: it tells its reasons to the log alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.get_ident()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.said.append(record.getMessage())


@sends(ContactMethod.Kind.APPRISE)
def send(method: ContactMethod, message: Message) -> Result:
    """Hands the message over; what a service refuses because of the address (401, 403, 404, 410) is broken."""
    provider = urlsplit(method.secret).scheme
    try:
        service = parse(method.secret)
    except AddressRefused as error:
        return Result("refused", str(error), provider)
    except httpx.HTTPError as error:
        return Result("failed", str(error), provider)
    reasons = _Reasons()
    log = logging.getLogger("apprise")
    log.addHandler(reasons)
    try:
        kind = apprise.NotifyType.FAILURE if message.is_page else apprise.NotifyType.INFO
        is_sent = service.notify(body=text_of(message), title=headline_of(message), notify_type=kind)
    finally:
        log.removeHandler(reasons)
    if is_sent:
        return Result("accepted", f"taken by {service.service_name}", provider)
    why = "; ".join(reasons.said)
    status = re.search(r"error=(\d{3})", why)
    refused = status is not None and int(status[1]) in REFUSED_STATUSES
    return Result("refused" if refused else "failed", why[:300] or f"{service.service_name} did not take it", provider)
