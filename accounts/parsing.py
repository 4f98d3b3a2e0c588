"""Bodies of the REST API: JSON whose texts the database can keep."""

import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser

# NUL can't stand in PostgreSQL's text (its manual, 8.3), half a surrogate pair in no UTF-8 (RFC 3629, section 3).
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
REFUSAL = "It holds a character that is no text: NUL, or half of a surrogate pair. Leave it out."


class TextParser(JSONParser):
    """JSON, but for texts with characters that nothing can keep: those are refused at their field, with 400."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data = super().parse(stream, media_type, parser_context)
        field = _unkept(data)
        if field is not None:
            raise ValidationError({field or "non_field_errors": [REFUSAL]})
        return data


def _unkept(data: Any) -> str | None:
    """The name of the first field whose text can't be kept, empty for the body itself; None where all can be."""
    left: list[tuple[str, Any]] = [("", data)]
    while left:
        name, value = left.pop()
        if isinstance(value, str):
            if NOT_TEXT.search(value):
                return name
        elif isinstance(value, dict):
            for key, each in value.items():
                if NOT_TEXT.search(key):
                    return name
                left.append((f"{name}.{key}" if name else key, each))
        elif isinstance(value, list):
            left.extend((name, each) for each in value)
    return None
