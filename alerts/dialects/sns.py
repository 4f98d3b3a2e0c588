"""Amazon SNS, and the CloudWatch alarms that it carries.

Follows the SNS developer guide, "HTTP/HTTPS notification JSON format" and "Verifying message signatures". Every message
is signed with a certificate of Amazon's. That has to be fetched, so signatures are not looked at here but once a
message is stored and before it is read (alerts/signatures.py); a topic's subscription is confirmed there too. What is
pure of it is here: whose certificate is meant, and which text is signed.

| message | |
| --- | --- |
| `Notification` with a CloudWatch alarm | `ALARM` fires, `OK` resolves by its ARN, `INSUFFICIENT_DATA` says nothing |
| any other `Notification` | fires: the subject, or the first line, is title and key; a person resolves it |
| `SubscriptionConfirmation`, `UnsubscribeConfirmation` | no alert |
"""

import base64
import binascii
import json
import re
from typing import Any, Literal
from urllib.parse import urlsplit

from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Request,
    read_json,
    read_time,
    short_key,
)

NAME = "sns"
NOTIFICATION, SUBSCRIPTION, UNSUBSCRIPTION = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
TYPES = (NOTIFICATION, SUBSCRIPTION, UNSUBSCRIPTION)
NEEDED = ("MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL")
SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
HOST = re.compile(r"sns\.[a-zA-Z0-9\-]{3,}\.amazonaws\.com(\.cn)?")
RAW = "x-amz-sns-rawdelivery"
REMEDY = "Subscribe the address to an SNS topic with the protocol HTTPS."
SUBSCRIBE = """aws sns subscribe --topic-arn <arn of your topic> --protocol https \\
  --notification-endpoint <address>
aws cloudwatch put-metric-alarm … --alarm-actions <arn of your topic> --ok-actions <arn of your topic>
"""


def document(request: Request) -> dict[str, Any]:
    """The message with all that every message has; raises DialectError."""
    if request.headers.get(RAW, "").lower() == "true":
        raise DialectError(
            "Raw message delivery drops the signature.", field_name=RAW, remedy="Switch it off in the subscription."
        )
    data = read_json(request.body)
    if not isinstance(data, dict) or data.get("Type") not in TYPES:
        raise DialectError(f"Type must be one of {', '.join(TYPES)}.", field_name="Type", remedy=REMEDY)
    for name in (*NEEDED, *(("SubscribeURL", "Token") if data["Type"] != NOTIFICATION else ())):
        if not isinstance(data.get(name), str) or (name != "Message" and not data[name]):
            raise DialectError(f"{name} must be text.", field_name=name, remedy=REMEDY)
    if data["SignatureVersion"] not in {"1", "2"}:
        raise DialectError("SignatureVersion must be 1 or 2.", field_name="SignatureVersion", remedy=REMEDY)
    if not is_amazons(data["SigningCertURL"]) or not urlsplit(data["SigningCertURL"]).path.endswith(".pem"):
        raise DialectError("This is no certificate of Amazon SNS.", field_name="SigningCertURL", remedy=REMEDY)
    if data["Type"] != NOTIFICATION and not is_amazons(data["SubscribeURL"]):
        raise DialectError("This is no address of Amazon SNS.", field_name="SubscribeURL", remedy=REMEDY)
    return data


def is_amazons(url: str) -> bool:
    """Whether an address is one of SNS itself, over https and on its usual port."""
    try:
        parts = urlsplit(url)
        is_plain = parts.port in {None, 443} and not parts.username and not parts.password
    except ValueError:
        return False
    return parts.scheme == "https" and is_plain and HOST.fullmatch(parts.hostname or "") is not None


def signed_text(data: dict[str, Any]) -> bytes:
    """What Amazon signs: name and value of the fields that count, each on a line of its own."""
    present = [name for name in SIGNED[data["Type"]] if isinstance(data.get(name), str)]
    return "".join(f"{name}\n{data[name]}\n" for name in present).encode()


def signature(data: dict[str, Any]) -> bytes:
    """The signature's bytes; raises DialectError."""
    try:
        return base64.b64decode(data["Signature"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise DialectError("The signature is not base64.", field_name="Signature") from error


def parse(request: Request) -> list[NormalisedEvent]:
    """The event of a notification; raises DialectError."""
    data = document(request)
    if data["Type"] != NOTIFICATION:
        return []
    alarm = _alarm(data["Message"])
    return _of_alarm(alarm, data) if alarm else [_plain(data)]


def _alarm(message: str) -> dict[str, Any] | None:
    """The CloudWatch alarm in a message, if it is one."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "AlarmName" in found and "NewStateValue" in found else None


def _of_alarm(alarm: dict[str, Any], data: dict[str, Any]) -> list[NormalisedEvent]:
    status: Literal["firing", "resolved"]
    state = alarm["NewStateValue"]
    if state not in {"ALARM", "OK"}:
        return []
    status = "firing" if state == "ALARM" else "resolved"
    changed_at = read_time(alarm.get("StateChangeTime"), "Message.StateChangeTime")
    name, trigger = str(alarm["AlarmName"]), alarm.get("Trigger")
    trigger = trigger if isinstance(trigger, dict) else {}
    dimensions = trigger.get("Dimensions")
    known = {
        "account": alarm.get("AWSAccountId"),
        "region": alarm.get("Region"),
        "metric": trigger.get("MetricName"),
        "namespace": trigger.get("Namespace"),
        "threshold": trigger.get("Threshold"),
        "dimensions": _dimensions(dimensions) if isinstance(dimensions, list) else None,
        "reason": alarm.get("NewStateReason"),
        "topic": data["TopicArn"],
    }
    texts = (alarm.get("AlarmDescription"), alarm.get("NewStateReason"))
    return [
        NormalisedEvent(
            dedup_key=short_key(str(alarm.get("AlarmArn") or f"{data['TopicArn']} {name}")),
            status=status,
            title=name[:LONGEST_TITLE] or "CloudWatch alarm",
            description="\n\n".join(str(text) for text in texts if text),
            started_at=changed_at,
            ended_at=changed_at if status == "resolved" else None,
            attributes={key: value for key, value in known.items() if value not in (None, "", {})},
        )
    ]


def _dimensions(listed: list[Any]) -> dict[str, str]:
    named = [each for each in listed if isinstance(each, dict) and each.get("name")]
    return {str(each["name"]): str(each.get("value", "")) for each in named}


def _plain(data: dict[str, Any]) -> NormalisedEvent:
    """A message that says no more than its words."""
    message = data["Message"].strip()
    subject = data.get("Subject")
    title = (subject if isinstance(subject, str) else "").strip() or message.partition("\n")[0] or data["TopicArn"]
    return NormalisedEvent(
        dedup_key=short_key(f"message {data['TopicArn']} {title}"),
        status="firing",
        title=title[:LONGEST_TITLE],
        description=message,
        started_at=read_time(data["Timestamp"], "Timestamp"),
        attributes={"topic": data["TopicArn"], "message_id": data["MessageId"]},
    )


DIALECT = Dialect(
    name=NAME,
    label="Amazon SNS and CloudWatch",
    about="CloudWatch alarms and whatever else is published to an SNS topic; its subscription is confirmed by itself.",
    addresses=("sns/<token>",),
    parse=parse,
    verified_later=True,
    keeps=frozenset({RAW, "x-amz-sns-message-type"}),
    sample={
        "Type": NOTIFICATION,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:Pager",
        "Subject": "ALARM: payments-5xx",
        "Message": json.dumps(
            {
                "AlarmName": "payments-5xx",
                "AlarmDescription": "The payment API answers 500.",
                "NewStateValue": "ALARM",
                "NewStateReason": "Threshold Crossed",
                "AlarmArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:payments-5xx",
            }
        ),
        "Timestamp": "2026-11-21T08:13:11.000Z",
        "SignatureVersion": "2",
        "Signature": "c2FtcGxl",
        "SigningCertURL": "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-sample.pem",
    },
    guides=(("Subscribe a topic", SUBSCRIBE),),
)
