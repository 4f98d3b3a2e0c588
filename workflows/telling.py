"""Telling people and places what a workflow has to say.

A step writes down whom it tells, each as a fact of its own, and the outbox brings it to them: each is told at least
once, and one that can't be reached keeps nobody else waiting. Places and addresses hear of a private incident only that
it is there.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import User
from accounts.secrets import unseal
from events.actions import Fact, publish_all
from events.models import Event
from events.registry import handles
from incidents.models import Incident
from oncall.channels import Message, Result
from oncall.channels.apprise import send as send_by_apprise
from oncall.models import ContactMethod
from oncall.places import post_to
from oncall.reaching import tell
from oncall.schedule_mail import HEADERS, mail_notice
from workflows.definition import walk
from workflows.models import StepRun
from workflows.naming import Found
from workflows.registry import Context

PRIVATE_TITLE = "There is news in a private incident"
NOTICE = "workflow.notice"


class NotTold(Exception):
    """A place could not be told this time; the outbox tries again."""


def tell_people(context: Context, found: Found) -> None:
    """Has each of them told the `title` and the `text` of the step, once the step is done.

    Where the step returns `notices`, a title and a text by the id of a person, they are told that instead.
    """
    to = [{"user": user.pk} for user in found.users] + [{"address": address} for address in found.addresses]
    _publish(context, to)


def tell_place(context: Context) -> None:
    """Has the place of the step told its `title` and `text`, once the step is done."""
    _publish(context, [{"place": True}])


def _publish(context: Context, to: list[dict[str, Any]]) -> None:
    row = StepRun(pk=context.step_id)
    publish_all([Fact(NOTICE, row, each) for each in to], actor=context.actor)


@handles(NOTICE, name="workflows.tell")
def tell_one(event: Event) -> None:
    """Brings what a step says to one person, address or place, as they are reached at this moment."""
    rows = StepRun.objects.select_related("run__incident", "run__version", "run__workflow")
    row = rows.filter(pk=event.subject_id).first()
    if row is None:
        return
    title, text = str(row.inputs.get("title") or row.run.workflow.name), str(row.inputs.get("text") or "")
    incident = row.run.incident
    link = settings.PUBLIC_URL + (incident.get_absolute_url() if incident else row.run.get_absolute_url())
    if "user" in event.data:
        own = row.output.get("notices", {}).get(str(event.data["user"]), {})
        title, text = own.get("title", title), own.get("text", text)
        _tell_person(event, row, title, text, link)
        return
    if incident is not None and incident.is_private:
        title, text = PRIVATE_TITLE, ""
    if "address" in event.data:
        body = f"{text}\n\n{link}".strip()
        subject = " ".join(title.split())[:200]
        EmailMessage(subject, body, to=[event.data["address"]], headers=HEADERS).send()
        return
    result = _tell_place(event, row, title, text, link)
    if result.outcome == "failed":
        raise NotTold(f"{row.inputs.get('name') or 'The place'}: {result.detail}")
    if result.outcome == "refused":
        StepRun.objects.filter(pk=row.pk).update(detail=f"{row.detail} It refused: {result.detail}"[:5000])


def _tell_person(event: Event, row: StepRun, title: str, text: str, link: str) -> None:
    user = User.objects.filter(pk=event.data["user"], is_active=True).first()
    incident = row.run.incident
    if user is None or (incident is not None and not _may_see(user, incident)):
        return
    detail = text if incident is None else f"{text}\n{link}".strip()
    if tell(user, title=title, detail=detail, now=event.occurred_at, link=link) is None:
        path = incident.get_absolute_url() if incident else "/"
        mail_notice(user, subject=title, lines=[text] if text else [], path=path, button="Sitrep")


def _may_see(user: User, incident: Incident) -> bool:
    return not incident.is_private or incident.memberships.filter(user=user).exists()


def _tell_place(event: Event, row: StepRun, title: str, text: str, link: str) -> Result:
    step_id = row.path.rsplit(".", 1)[-1]
    params: Mapping[str, Any] = next(
        (step["params"] for _place, step in walk(row.run.version.definition) if step.get("id") == step_id), {}
    )
    address = _open(params.get("address"))
    if address.startswith(("https://", "http://")):
        said = {
            "type": "workflow.notice",
            "workflow": row.run.workflow.slug,
            "title": title,
            "text": text,
            "link": link,
            "at": event.occurred_at.isoformat(),
        }
        return post_to(address, said, key=f"notice-{event.pk}", secret=_open(params.get("secret")))
    method = ContactMethod(kind=ContactMethod.Kind.APPRISE, address=str(row.inputs.get("name") or ""), secret=address)
    message = Message(
        page_id=0,
        attempt=1,
        person=str(row.inputs.get("name") or ""),
        title=title,
        detail=text,
        facts={},
        since=event.occurred_at,
        level=1,
        link=link,
        purpose="notice",
        urgency="low",
        reference=f"notice-{event.pk}",
    )
    return send_by_apprise(method, message)


def _open(value: Any) -> str:
    return unseal(value["sealed"]) if isinstance(value, Mapping) else str(value or "")
