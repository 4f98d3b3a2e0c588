"""Zabbix, through a media type of our own.

Zabbix has no webhook format: a media type is a script with macros as parameters. Ours (`MEDIA_TYPE`, to import) posts
the macros as one JSON object under their own names, as Zabbix's documentation of macros has them; `event_id` is read
like `EVENT.ID`. A macro that says nothing where it is used stays as it is, or is `*UNKNOWN*`: both count as absent.

`EVENT.ID` is the problem's own in all that is told of it, so it is the dedup key. `EVENT.VALUE` 1 fires and 0 resolves;
discovery and autoregistration know no recovery and only fire. An update of an open problem counts as a repeat, and one
that closes it says nothing: its recovery follows by itself.
"""

import json
import re
import textwrap
from typing import Any

from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Request,
    read_epoch,
    read_json,
    short_key,
)

MACROS = (
    "ALERT.MESSAGE",
    "ALERT.SUBJECT",
    "EVENT.ACK.STATUS",
    "EVENT.DATE",
    "EVENT.ID",
    "EVENT.NAME",
    "EVENT.NSEVERITY",
    "EVENT.OPDATA",
    "EVENT.SEVERITY",
    "EVENT.SOURCE",
    "EVENT.TAGSJSON",
    "EVENT.TIME",
    "EVENT.TIMESTAMP",
    "EVENT.UPDATE.ACTION",
    "EVENT.UPDATE.MESSAGE",
    "EVENT.UPDATE.STATUS",
    "EVENT.VALUE",
    "HOST.HOST",
    "HOST.IP",
    "HOST.NAME",
    "TRIGGER.DESCRIPTION",
    "TRIGGER.ID",
    "USER.FULLNAME",
)
SCRIPT = """var fields = JSON.parse(value), request = new HttpRequest(), address = fields.address, reply;

if (typeof fields.HTTPProxy === 'string' && fields.HTTPProxy.trim() !== '') {
    request.setProxy(fields.HTTPProxy);
}
delete fields.address;
delete fields.HTTPProxy;
request.addHeader('Content-Type: application/json');
reply = request.post(address, JSON.stringify(fields));
if (request.getStatus() !== 202) {
    Zabbix.log(3, '[Sitrep] refused (' + request.getStatus() + '): ' + reply);
    throw 'Sitrep refused it (' + request.getStatus() + '): ' + reply;
}
return 'OK';
"""
# What each kind of event is called in an action's log; Zabbix sends nothing for a kind that has no text.
SUBJECTS = {
    ("TRIGGERS", "PROBLEM"): "{EVENT.NAME}",
    ("TRIGGERS", "RECOVERY"): "Resolved: {EVENT.NAME}",
    ("TRIGGERS", "UPDATE"): "Updated: {EVENT.NAME}",
    ("SERVICE", "PROBLEM"): "{EVENT.NAME}",
    ("SERVICE", "RECOVERY"): "Resolved: {EVENT.NAME}",
    ("SERVICE", "UPDATE"): "Updated: {EVENT.NAME}",
    ("INTERNAL", "PROBLEM"): "{EVENT.NAME}",
    ("INTERNAL", "RECOVERY"): "Resolved: {EVENT.NAME}",
    ("DISCOVERY", "PROBLEM"): "Discovered: {DISCOVERY.DEVICE.STATUS} {DISCOVERY.DEVICE.IPADDRESS}",
    ("AUTOREGISTRATION", "PROBLEM"): "Registered: {HOST.HOST}",
}
PARAMETERS = {
    "address": "<address>",
    "HTTPProxy": "",
    **{name: f"{{{name}}}" for name in MACROS},
    "ZABBIX.URL": "{$ZABBIX.URL}",
}


def _media_type() -> str:
    """A media type to import into Zabbix 6.0 and later."""
    parameters = "".join(f"        - name: {name}\n          value: '{value}'\n" for name, value in PARAMETERS.items())
    texts = "".join(
        f"        - event_source: {source}\n          operation_mode: {mode}\n"
        f"          subject: '{subject}'\n          message: '{subject}'\n"
        for (source, mode), subject in SUBJECTS.items()
    )
    return (
        "zabbix_export:\n  version: '6.0'\n  media_types:\n    - name: Sitrep\n      type: WEBHOOK\n"
        f"      parameters:\n{parameters}      script: |\n{textwrap.indent(SCRIPT, ' ' * 8)}"
        f"      message_templates:\n{texts}"
    )


MEDIA_TYPE = _media_type()
SEVERITIES = {
    "0": "not classified",
    "1": "information",
    "2": "warning",
    "3": "average",
    "4": "high",
    "5": "disaster",
}
READ = {
    *("ADDRESS", "EVENT.ID", "EVENT.NAME", "ALERT.SUBJECT", "ALERT.MESSAGE", "TRIGGER.DESCRIPTION", "EVENT.VALUE"),
    *("EVENT.UPDATE.STATUS", "EVENT.UPDATE.ACTION", "EVENT.NSEVERITY", "EVENT.TIMESTAMP", "EVENT.TAGSJSON"),
    *("EVENT.SOURCE", "ZABBIX.URL"),
}
ONLY_FIRES = {"1", "2"}  # (discovery, autoregistration)
MACRO = re.compile(r"\{\$?[A-Z][^{}]*\}")
UNKNOWN = "*UNKNOWN*"
IN_A_TEST = "Import the media type from the source's page; in a test put values in place of the macros."


def parse(request: Request) -> list[NormalisedEvent]:
    """The event of the body, if it says anything new; raises DialectError."""
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("The body must be a JSON object.", remedy=IN_A_TEST)
    macros = _filled(data)
    number, value = macros.get("EVENT.ID", ""), macros.get("EVENT.VALUE", "")
    if not number.isdecimal():
        raise DialectError("EVENT.ID must be the number of an event.", field_name="EVENT.ID", remedy=IN_A_TEST)
    if macros.get("EVENT.SOURCE") in ONLY_FIRES:
        return [_firing(macros)]
    if value not in {"0", "1"}:
        raise DialectError("EVENT.VALUE must be 0 or 1.", field_name="EVENT.VALUE", remedy=IN_A_TEST)
    if value == "0":
        return [NormalisedEvent(dedup_key=short_key(number), status="resolved", title="")]
    is_update = macros.get("EVENT.UPDATE.STATUS") == "1"
    is_closed = re.search(r"\bclosed\b", macros.get("EVENT.UPDATE.ACTION", ""))
    return [] if is_update and is_closed else [_firing(macros)]


def _filled(data: dict[str, Any]) -> dict[str, str]:
    """What holds a value, by the name of its macro."""
    given = {str(name).upper().replace("_", "."): value for name, value in data.items()}
    for name, value in given.items():
        if isinstance(value, (dict, list)):
            raise DialectError(f"{name} must be text.", field_name=name, remedy=IN_A_TEST)
    texts = {name: "" if value is None else str(value).strip() for name, value in given.items()}
    return {name: text for name, text in texts.items() if text not in {"", UNKNOWN} and not MACRO.fullmatch(text)}


def _firing(macros: dict[str, str]) -> NormalisedEvent:
    title = macros.get("EVENT.NAME") or macros.get("ALERT.SUBJECT")
    if not title:
        raise DialectError("An event needs its name.", field_name="EVENT.NAME", remedy=IN_A_TEST)
    tags = _tags(macros.get("EVENT.TAGSJSON", ""))
    number, zabbix, trigger = macros["EVENT.ID"], macros.get("ZABBIX.URL", ""), macros.get("TRIGGER.ID", "")
    attributes = {name.lower().replace(".", "_"): text for name, text in macros.items() if name not in READ}
    return NormalisedEvent(
        dedup_key=short_key(number),
        status="firing",
        title=title[:LONGEST_TITLE],
        description=macros.get("TRIGGER.DESCRIPTION") or macros.get("ALERT.MESSAGE", ""),
        severity=SEVERITIES.get(macros.get("EVENT.NSEVERITY", ""), ""),
        service=tags.get("service", ""),
        source_url=f"{zabbix.rstrip('/')}/tr_events.php?triggerid={trigger}&eventid={number}" if trigger else zabbix,
        # (before 7.0 only as date and time in a zone that is not told)
        started_at=read_epoch(macros.get("EVENT.TIMESTAMP", "")),
        attributes={**attributes, "tags": tags},
    )


def _tags(text: str) -> dict[str, str]:
    """The values of each tag; none if the list is no JSON, as when Zabbix has cut it off."""
    try:
        listed = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return {}
    tags: dict[str, list[str]] = {}
    for pair in listed if isinstance(listed, list) else []:
        if isinstance(pair, dict) and pair.get("tag"):
            tags.setdefault(str(pair["tag"]), []).append(str(pair.get("value") or ""))
    return {name: ", ".join(values) for name, values in tags.items()}


DIALECT = Dialect(
    name="zabbix",
    label="Zabbix",
    about="Problems and their recovery, through a media type to import.",
    addresses=("zabbix/<token>",),
    parse=parse,
    sample={
        "EVENT.ID": "8214",
        "EVENT.NAME": "Payment API returning 500 errors",
        "EVENT.VALUE": "1",
        "EVENT.NSEVERITY": "5",
        "EVENT.TAGSJSON": '[{"tag":"service","value":"payments"}]',
        "HOST.NAME": "api-1",
    },
    guides=(("zbx_sitrep.yaml", MEDIA_TYPE),),
)
