"""How the lists of the REST API are cut into pages."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """Pages by cursor: `?page_size=` up to 100, `next` and `previous` are addresses."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = "-id"
