"""How a file that somebody put into an incident is handed out: as nothing that could act on the page."""

from django.http import FileResponse

from incidents.files import PICTURES
from incidents.models import IncidentFile


def file_response(file: IncidentFile) -> FileResponse:
    """The file's bytes. Pictures are shown, everything else is downloaded; a browser is to guess and run nothing.

    The caller has checked that it may be seen. It is kept by no shared cache, and asked for anew each time.
    """
    is_shown = file.content_type in PICTURES.values()
    response = FileResponse(
        file.file.open("rb"), as_attachment=not is_shown, filename=file.name, content_type=file.content_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache"
    return response
