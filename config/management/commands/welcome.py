"""Tells a newcomer where to look, how to sign in, and how to fire the first alert."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User
from config.demo import curl_line
from statuspage.models import StatusPage


class Command(BaseCommand):
    """Reads only; prints at any time what `make run` prints at its start."""

    help = "Prints the address, the administrator's login, the public status page and a curl line that fires an alert."

    def handle(self, *args: Any, **options: Any) -> None:
        lines = [("Sitrep", f"{settings.PUBLIC_URL}/"), ("Sign in", login())]
        lines += [
            ("Status page", f"{settings.PUBLIC_URL}{page.get_absolute_url()}") for page in StatusPage.objects.all()[:1]
        ]
        lines += [("Logs", str(settings.VAR_DIR / "log"))]
        width = max(len(name) for name, _ in lines)
        self.stdout.write("")
        for name, value in lines:
            self.stdout.write(f"  {name:<{width}}   {value}")
        fire = curl_line()
        if fire:
            self.stdout.write(f"\nFire an alert (paste into another terminal):\n\n  {fire}")
        self.stdout.write("\nCtrl-C stops Sitrep and keeps the data.\n")


def login() -> str:
    """Returns the administrator's address with the password, if it still is the one that Sitrep made."""
    path = settings.VAR_DIR / "admin-password"
    password = path.read_text().strip() if path.is_file() else ""
    owner = User.objects.filter(role="owner", is_active=True).order_by("id").first()
    if owner is None:
        return "nobody can sign in yet: manage.py first_start"
    if password and owner.check_password(password):
        return f"{owner.email}   password {password}"
    return f"{owner.email}, with the password chosen since"
