"""The words by which incidents are found: those of name and summary, by the index `incident_search`."""

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func


def incident_words() -> Func:
    """What the index holds (migration 0008)."""
    return Func("name", "summary", function="incident_words", output_field=SearchVectorField())
