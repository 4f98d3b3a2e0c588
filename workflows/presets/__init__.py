"""The workflows that a new installation starts with, and the teams that they tell; all of it then is its people's."""

from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Team
from workflows.actions import save_workflow
from workflows.exchange import FLAGS, definition_in, documents_in
from workflows.models import Workflow

HERE = Path(__file__).parent
# Nobody is in them at first: whom a step does not find it skips, and says so.
TEAMS = {
    "leadership": "Leadership",
    "management": "Management",
    "engineering-managers": "Engineering managers",
}


@transaction.atomic
def load_presets() -> None:
    """Adds the workflows and teams that are not there yet, by slug; what exists is left as its people made it."""
    for slug, name in TEAMS.items():
        if not Team.objects.filter(slug=slug).exists() and not Team.objects.filter(name__iexact=name).exists():
            Team.objects.create(slug=slug, name=name, description="Told by workflows.")
    known = set(Workflow.objects.values_list("slug", flat=True))
    names = {name.lower() for name in Workflow.objects.values_list("name", flat=True)}
    for file in sorted(HERE.glob("*.yaml")):
        for document in documents_in(file.read_text("utf-8")):
            if document["slug"] in known or document["name"].lower() in names:
                continue
            save_workflow(
                actor=Actor.system(),
                name=document["name"],
                slug=document["slug"],
                definition=definition_in(document),
                note="As it ships",
                now=timezone.now(),
                description=document.get("description", ""),
                folder=document.get("folder", ""),
                **{flag: bool(document[flag]) for flag in FLAGS if flag in document},  # type: ignore[arg-type]
            )
