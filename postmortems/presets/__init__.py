"""The sections that postmortems start with on a new installation; afterwards they belong to its people."""

from pathlib import Path

import yaml
from django.db import transaction

from incidents.models import IncidentRole
from postmortems.models import SectionTemplate, Source

TEMPLATE = Path(__file__).parent / "template.yaml"


@transaction.atomic
def load_presets() -> None:
    """Adds the sections that are missing, by slug; what exists is left as its people made it."""
    roles = {role.slug: role for role in IncidentRole.objects.all()}
    for position, row in enumerate(yaml.safe_load(TEMPLATE.read_text())["sections"], 1):
        SectionTemplate.objects.get_or_create(
            slug=row["slug"],
            defaults={
                "title": row["title"],
                "position": position,
                "source": row.get("source", Source.WRITTEN),
                "owner_role": roles.get(row.get("owner_role", "")),
                "prompt": row.get("prompt", ""),
            },
        )
