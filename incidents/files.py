"""Files and pictures that people put into the timeline: looked at by content, kept by Django's storage."""

import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import IO, NamedTuple

import puremagic
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from PIL import ExifTags, Image, UnidentifiedImageError

from accounts.actor import Actor
from events.actions import publish
from events.errors import Invalid
from incidents.mentions import publish_mentions, who_is_mentioned
from incidents.models import Incident, IncidentFile, TimelineEntry
from incidents.timeline import add_entry
from incidents.writing import LONGEST_TEXT, locked

MOST_FILES = 10
MOST_PIXELS = 100_000_000
LOOKED_AT_BYTES = 64 * 1024
# What a browser may show on the page: pictures that can hold no script. Everything else is downloaded.
PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
BINARY, TEXT = "application/octet-stream", "text/plain"


class Content(NamedTuple):
    """What the bytes of a file tell of it: pixels for pictures, and whether a picture says where it was taken."""

    content_type: str
    width: int | None = None
    height: int | None = None
    tells_place: bool = False


@transaction.atomic
def attach_files(
    *,
    actor: Actor,
    incident: Incident,
    files: Sequence[File[bytes]],
    now: datetime,
    text: str = "",
    reply_to: TimelineEntry | None = None,
) -> TimelineEntry:
    """Puts files into the timeline as one entry, with words to them if there are any.

    They are kept byte for byte under names that nobody can guess. Raises Invalid, naming the file, for one that is
    empty or larger than MAX_FILE_BYTES, and for a picture that is none.
    """
    incident = locked(actor, incident)
    if not files:
        raise Invalid("There is no file.", field="files", remedy="Choose one.")
    if len(files) > MOST_FILES:
        raise Invalid(f"At most {MOST_FILES} files go into one entry.", field="files", remedy="Send the rest after it.")
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"The text is longer than {LONGEST_TEXT} characters.", field="text", remedy="Shorten it.")
    if reply_to is not None and reply_to.incident_id != incident.pk:
        raise Invalid("That entry belongs to another incident.", field="reply_to")
    contents = [looked_at(file) for file in files]
    mentioned = who_is_mentioned(text, incident, by=actor)
    places = [name_of(file) for file, content in zip(files, contents, strict=True) if content.tells_place]
    entry = add_entry(
        incident=incident,
        actor=actor,
        kind=TimelineEntry.Kind.FILE,
        text=text,
        now=now,
        data={**mentioned.as_data(), **({"tells_place": places} if places else {})},
        reply_to=reply_to,
    )
    entry.shown_files = [_keep(entry, file, content, now) for file, content in zip(files, contents, strict=True)]
    data = {"entry": entry.pk, "sequence": entry.sequence, "kind": entry.kind, "files": len(files)}
    publish("incident.entry_written", subject=incident, actor=actor, data=data)
    publish_mentions(entry, mentioned.people, actor=actor)
    return entry


def _keep(entry: TimelineEntry, file: File[bytes], content: Content, now: datetime) -> IncidentFile:
    row = IncidentFile(
        entry=entry,
        name=name_of(file),
        content_type=content.content_type,
        size=file.size,
        width=content.width,
        height=content.height,
        created_at=now,
    )
    file.seek(0)
    row.file.save(row.public_id.hex, file, save=False)
    stored, storage = str(row.file.name), row.file.storage
    try:
        row.save()
    except Exception:
        storage.delete(stored)
        raise
    return row


def name_of(file: File[bytes]) -> str:
    """What a file is called, without the folders before its name and without what can't be seen in it."""
    name = str(file.name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable()).strip()[-200:] or "file"


def looked_at(file: File[bytes]) -> Content:
    """What a file is by its content; raises Invalid, naming it, for one that can't be taken."""
    name = name_of(file)
    if not file.size:
        raise Invalid(f"{name} is empty.", field="files", remedy="Choose another file.")
    if file.size > settings.MAX_FILE_BYTES:
        most = filesizeformat(settings.MAX_FILE_BYTES)
        raise Invalid(f"{name} is larger than {most}.", field="files", remedy="Link to where it is kept instead.")
    file.seek(0)
    start = file.read(LOOKED_AT_BYTES)
    content_type = type_of(start)
    if content_type not in PICTURES.values():
        return Content(content_type)
    file.seek(0)
    return _picture(file, name)


def type_of(start: bytes) -> str:
    """The media type that the first bytes of a file tell; text that a person could read is plain text."""
    try:
        found = puremagic.magic_string(start)
    except (puremagic.PureError, ValueError):
        found = []
    for match in found:
        # A guess without a signature is none.
        if match.mime_type and match.confidence >= 0.3:
            return str(match.mime_type)
    try:
        start[:-4].decode()
    except UnicodeDecodeError:
        return BINARY
    return BINARY if b"\0" in start else TEXT


def _picture(file: IO[bytes] | File[bytes], name: str) -> Content:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Verifying reads the file to its end: what else it tells is read of it opened anew.
            with Image.open(file, formats=list(PICTURES)) as picture:
                width, height = picture.size
                content_type = PICTURES[str(picture.format)]
                if width * height > MOST_PIXELS:
                    raise Invalid(f"{name} has more than 100 million pixels.", field="files", remedy="Make it smaller.")
                picture.verify()
            file.seek(0)
            with Image.open(file, formats=list(PICTURES)) as picture:
                tells_place = bool(picture.getexif().get_ifd(ExifTags.IFD.GPSInfo))
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid(f"{name} is not a picture that can be shown.", field="files", remedy="Save it anew.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Invalid(f"{name} is damaged.", field="files", remedy="Save it anew, or send it in an archive.") from error
    return Content(content_type, width, height, tells_place)
