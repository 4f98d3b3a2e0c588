"""Where a source's sender posts to, how to try it, and what to copy into the sender's own configuration."""

import json
import shlex

from django.conf import settings

from alerts.dialects import DIALECTS, address_of
from alerts.models import AlertSource


def receive_address(source: AlertSource) -> str:
    """The absolute address of a source, with its token where the dialect has it there."""
    return f"{settings.PUBLIC_URL}/{address_of(DIALECTS[source.dialect], source.token, source.pk)}"


def token_apart(source: AlertSource) -> str:
    """The source's token where its address does not hold it: the sender has it in a key or header of its own."""
    return "" if source.token in receive_address(source) else source.token


def curl_line(source: AlertSource) -> str:
    """A command that fires a sample alert at the source, to paste as it is."""
    dialect = DIALECTS[source.dialect]
    headers = {"Content-Type": "application/json", **dialect.sample_headers}
    given = " ".join(f"-H '{name}: {_filled(value, source)}'" for name, value in headers.items())
    body = _filled(json.dumps(dialect.sample), source)
    return f"curl -X POST {receive_address(source)} {given} -d {shlex.quote(body)}"


def guides(source: AlertSource) -> list[tuple[str, str]]:
    """What to copy into the sender's own configuration, by the name of the file."""
    return [(name, _filled(text, source)) for name, text in DIALECTS[source.dialect].guides]


def _filled(text: str, source: AlertSource) -> str:
    filled = text.replace("<address>", receive_address(source)).replace("<base>", settings.PUBLIC_URL)
    return filled.replace("<token>", source.token)
