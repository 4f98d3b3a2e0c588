"""Uploads that are larger than any form takes are refused before their first byte is kept."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# What stands around files in a body: names, boundaries, words to them.
MOST_BESIDES = 1024 * 1024
MOST_FILES = 10


class BoundedUploadHandler(FileUploadHandler):
    """Takes no file itself; raises RequestDataTooBig (400) for a body that must hold too many bytes of them."""

    def handle_raw_input(
        self, input_data: Any, meta: dict[str, str], content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        if content_length > MOST_FILES * settings.MAX_FILE_BYTES + MOST_BESIDES:
            raise RequestDataTooBig("The files are too large. Link to where they are kept instead.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
