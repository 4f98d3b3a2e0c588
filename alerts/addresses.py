"""Where a source's sender posts to, how to try it, and what to copy into the sender's own configuration."""

import json
import re
import shlex
from urllib.parse import urlsplit

from django.conf import settings

from alerts.dialects import DIALECTS, address_of
from alerts.dialects import email as mail
from alerts.models import AlertSource, Heartbeat

PLACEHOLDER = re.compile("<(address|base|scheme|host|path|token)>")


def receive_address(source: AlertSource) -> str:
    """The absolute address of a source, with its token where the dialect has it there; "" if nothing is sent to it."""
    if source.dialect == mail.NAME:
        return mail_address(source.token)
    if not DIALECTS[source.dialect].addresses:
        return ""
    return f"{settings.PUBLIC_URL}/{address_of(DIALECTS[source.dialect], source.token, source.pk)}"


def token_apart(source: AlertSource) -> str:
    """The source's token where its address does not hold it: the sender has it in a key or header of its own."""
    if not receive_address(source):
        return ""
    return "" if source.token in receive_address(source) else source.token


def ping_address(heartbeat: Heartbeat) -> str:
    """The absolute address that a heartbeat is pinged at."""
    return f"{settings.PUBLIC_URL}/heartbeat/{heartbeat.token}"


def mail_address(token: str) -> str:
    """Where mail with this token is heard, "" while Sitrep hears no mail."""
    if not settings.ALERT_MAIL_PORT:
        return ""
    return f"{token}@{settings.ALERT_MAIL_DOMAIN or urlsplit(settings.PUBLIC_URL).hostname}"


def curl_line(source: AlertSource) -> str:
    """A command that fires a sample alert at the source, to paste as it is; "" if there is none."""
    dialect = DIALECTS[source.dialect]
    if source.dialect == mail.NAME:
        return _mail_line(source)
    # (nobody but the sender can sign what is verified)
    if not dialect.addresses or dialect.verified_later:
        return ""
    headers = {"Content-Type": "application/json", **dialect.sample_headers}
    given = " ".join(f"-H '{name}: {filled(value, source)}'" for name, value in headers.items())
    body = filled(json.dumps(dialect.sample), source)
    return f"curl -X POST {receive_address(source)} {given} -d {shlex.quote(body)}"


def guides(source: AlertSource) -> list[tuple[str, str]]:
    """What to copy into the sender's own configuration, by the name of the file."""
    return [(name, filled(text, source)) for name, text in DIALECTS[source.dialect].guides]


def filled(text: str, source: AlertSource) -> str:
    """A text of a dialect with the source's own address and token in their places."""
    address = receive_address(source)
    split = urlsplit(address)
    stands = {
        "address": address,
        "base": settings.PUBLIC_URL,
        "scheme": split.scheme,
        "host": split.netloc,
        "path": split.path,
        "token": source.token,
    }
    return PLACEHOLDER.sub(lambda found: stands[found[1]], text)


def _mail_line(source: AlertSource) -> str:
    """The same by mail, straight to Sitrep's own port."""
    address = mail_address(source.token)
    if not address:
        return ""
    server = f"smtp://{urlsplit(settings.PUBLIC_URL).hostname}:{settings.ALERT_MAIL_PORT}"
    sent = f"curl {server} --mail-from you@example.com --mail-rcpt {address} -T -"
    return f"printf %s {shlex.quote(mail.SAMPLE)} | {sent}"
