"""Files in the timeline: taken by what they hold, handed out as nothing that could act on the page."""

from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import ExifTags, Image

from accounts.actor import Actor
from accounts.models import User
from events.errors import Invalid
from incidents import entries, files, membership
from incidents.models import Incident, IncidentFile
from tests.factories import accounts, incidents


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira")


@pytest.fixture
def room(ana: User, now: datetime, settings: Any, tmp_path: object) -> Incident:
    settings.MEDIA_ROOT = str(tmp_path)
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


def picture(form: str = "PNG", *, place: bool = False) -> bytes:
    image, exif, made = Image.new("RGB", (40, 30), "red"), Image.Exif(), BytesIO()
    if place:
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    image.save(made, form, exif=exif)
    return made.getvalue()


def put(user: User, room: Incident, name: str, content: bytes, now: datetime) -> IncidentFile:
    file = SimpleUploadedFile(name, content, content_type="text/html")
    entry = files.attach_files(actor=Actor.of_user(user, via="web"), incident=room, files=[file], now=now)
    return entry.files.get()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_shown_whatever_it_is_called(ana: User, room: Incident, now: datetime, form: str) -> None:
    content = picture(form)
    kept = put(ana, room, "graph.html", content, now)
    assert (kept.content_type, kept.width, kept.height) == (files.PICTURES[form], 40, 30)
    client = Client()
    client.force_login(ana)
    answer = client.get(kept.get_absolute_url())
    assert b"".join(answer) == content, "byte for byte"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert kept.public_id.hex in str(kept.file.name)
    assert "graph" not in str(kept.file.name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.png", b"<html><script>alert(1)</script></html>"),
        ("x.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
        ("notes.txt", b"plain words"),
        ("core", bytes(range(256))),
        ("x.pdf", b"%PDF-1.7\n1 0 obj"),
    ],
)
def test_all_else_is_downloaded(ana: User, room: Incident, now: datetime, name: str, content: bytes) -> None:
    kept = put(ana, room, name, content, now)
    client = Client()
    client.force_login(ana)
    answer = client.get(kept.get_absolute_url())
    assert not kept.is_picture
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_picture_that_is_damaged_or_none_is_refused_by_name(ana: User, room: Incident, now: datetime) -> None:
    with pytest.raises(Invalid, match=r"half\.png is"):
        put(ana, room, "half.png", picture()[:60], now)
    with pytest.raises(Invalid, match=r"none\.log is empty"):
        put(ana, room, "none.log", b"", now)
    assert not IncidentFile.objects.exists()
    assert not room.timeline.filter(kind="file").exists()


def test_a_file_that_is_too_large_is_refused_with_the_limit(
    ana: User, room: Incident, now: datetime, settings: Any
) -> None:
    settings.MAX_FILE_BYTES = 10
    with pytest.raises(Invalid, match=r"big\.log is larger than 10"):
        put(ana, room, "big.log", b"x" * 11, now)


def test_a_picture_that_tells_where_it_was_taken_is_kept_and_said_so(ana: User, room: Incident, now: datetime) -> None:
    put(ana, room, "phone.jpg", picture("JPEG", place=True), now)
    assert room.timeline.get(kind="file").data["tells_place"] == ["phone.jpg"]


def test_a_name_keeps_no_folder_and_nothing_that_can_not_be_seen(ana: User, room: Incident, now: datetime) -> None:
    file = SimpleUploadedFile("x", b"x")
    file._name = "..\\..\\etc/pass\u202ewd\n.txt"  # type: ignore[attr-defined]  # as a hostile client sends it
    entry = files.attach_files(actor=Actor.of_user(ana, via="web"), incident=room, files=[file], now=now)
    assert entry.files.get().name == "passwd.txt"


def test_files_of_private_incidents_and_of_removed_entries_are_not_there(
    ana: User, room: Incident, now: datetime
) -> None:
    kept = put(ana, room, "dump.log", b"secret", now)
    address = kept.get_absolute_url()
    inside, outside = Client(), Client()
    inside.force_login(ana)
    outside.force_login(accounts.user(role="owner"))
    actor = Actor.of_user(ana, via="web")
    assert outside.get(address).status_code == 200
    membership.set_visibility(actor=actor, incident=room, visibility="private", now=now)
    assert outside.get(address).status_code == 404
    assert Client().get(address).status_code in {302, 401}
    assert inside.get(address).status_code == 200
    entries.remove_entry(actor=actor, entry=kept.entry, now=now)
    assert inside.get(address).status_code == 404


def test_a_body_that_is_larger_than_any_form_takes_is_not_read(ana: User, room: Incident, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 1000
    client = Client()
    client.force_login(ana)
    sent = {"text": "", "attachments": [SimpleUploadedFile("big.log", b"x" * 1_100_000)]}
    assert client.post(f"/incidents/{room.number}/room/", sent).status_code == 400
    assert not IncidentFile.objects.exists()
