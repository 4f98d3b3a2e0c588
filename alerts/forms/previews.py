"""What is filled in to try a payload: which source would send it, and what."""

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from alerts.models import AlertSource, Outcome, RawEvent
from alerts.reading import readable_raw_events
from alerts.receive import pretty_body
from alerts.trying import can_be_tried, sample_text, unsent

OFFERED = 20
OFFERED_FOR = timedelta(days=7)


class EventChoice(forms.ModelChoiceField[RawEvent]):
    """One of the last things that a source sent."""

    def label_from_instance(self, obj: RawEvent) -> str:
        return f"{obj.received_at:%Y-%m-%d %H:%M:%S} UTC · {_became(obj)}"


def _became(raw: RawEvent) -> str:
    """What became of it, in words."""
    told = dict.fromkeys(each.get("outcome", "") for each in raw.outcomes)
    words = [str(Outcome(name).label) for name in told if name in Outcome.values]
    return ", ".join(words) or str(RawEvent.State(raw.state).label)


def offered(source: AlertSource | None, now: datetime, viewer: Actor) -> QuerySet[RawEvent]:
    """The newest of what a source sent in the last week, as far as the viewer may read it."""
    if source is None:
        return RawEvent.objects.none()
    sent = readable_raw_events(viewer).filter(source=source, received_at__gt=now - OFFERED_FOR)
    return sent.order_by("-id")


class PayloadForm(forms.Form):
    """A source and what it sends: something it sent, something like that, or anything else."""

    source = forms.ModelChoiceField(
        AlertSource.objects.exclude(dialect="heartbeat"),
        label=gettext_lazy("Source"),
        to_field_name="slug",
        empty_label=gettext_lazy("– choose –"),
    )
    raw_event = EventChoice(
        RawEvent.objects.none(),
        label=gettext_lazy("Start from"),
        required=False,
        empty_label=gettext_lazy("an example of its format"),
    )
    body = forms.CharField(
        label=gettext_lazy("Payload"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self, data: Any = None, *, now: datetime, viewer: Actor, source: AlertSource | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, prefix="payload", **kwargs)
        self.now = now
        given = (data or {}).get(self.add_prefix("source"), "")
        self.chosen = source or AlertSource.objects.select_related("team").filter(slug=given).first()
        sent = offered(self.chosen, now, viewer)
        field = cast(forms.ModelChoiceField[RawEvent], self.fields["raw_event"])
        newest = [] if self.is_bound else list(sent.values_list("pk", flat=True)[:OFFERED])
        field.queryset = sent if self.is_bound else sent.filter(pk__in=newest).defer("body", "headers")

    @classmethod
    def start(
        cls, source: AlertSource | None, now: datetime, *, viewer: Actor, raw_id: str | None = None
    ) -> "PayloadForm":
        """A form to begin with: what the source sent last (or the event of that id), else an example of its format."""
        form = cls(now=now, viewer=viewer, source=source)
        if source is None:
            return form
        sent = offered(source, now, viewer)
        raw = sent.first() if raw_id is None else sent.filter(pk=raw_id).first() if raw_id.isdecimal() else None
        text = ""
        if raw is not None:
            raw.source = source
            text = pretty_body(raw)
        elif can_be_tried(source):
            text = sample_text(source).replace(source.token, "<token>")
        form.initial = {"source": source.slug, "raw_event": raw.pk if raw else "", "body": text}
        return form

    def clean_body(self) -> str:
        text = str(self.cleaned_data["body"]).replace("\r\n", "\n")
        if len(text.encode()) > settings.MAX_EVENT_BYTES:
            kilobytes = settings.MAX_EVENT_BYTES // 1024
            raise forms.ValidationError(_("It is too large: at most %(most)d KB are taken.") % {"most": kilobytes})
        return text

    def raw(self) -> RawEvent:
        """What is to be tried, not stored: as it was sent, if nothing of it was changed."""
        source, text, like = self.cleaned_data["source"], self.cleaned_data["body"], self.cleaned_data["raw_event"]
        if like is not None:
            like.source = source
            if pretty_body(like).strip() == text.strip():
                return unsent(source, bytes(like.body), self.now, like=like)
        return unsent(source, text.replace("<token>", source.token).encode(), self.now, like=like)
