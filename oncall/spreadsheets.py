"""Tables as CSV (RFC 4180, UTF-8 with a byte order mark, so that spreadsheet programs read names right)."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

BYTE_ORDER_MARK = "\ufeff"
# A cell that begins so is a formula to a spreadsheet program.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> Any:
    """A value that no spreadsheet program takes for a formula; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def csv_response(filename: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The table as a file to keep."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.write(BYTE_ORDER_MARK)
    writer = csv.writer(response)
    writer.writerow([str(title) for title in header])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return response
