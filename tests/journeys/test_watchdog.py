"""When the web server is killed, the watchdog beside it mails whoever is on call."""

import os
import sys
from pathlib import Path

import pytest

from config import processes
from tests.journeys.harness import ROOT, installed, text_of, wait_for

pytestmark = pytest.mark.journey


def test_whoever_is_on_call_is_mailed_when_the_web_server_is_killed(tmp_path: Path) -> None:
    with installed(tmp_path) as sitrep:
        sitrep.start()
        sitrep.wait_until_ready()
        code = (
            "from accounts.actor import Actor; from accounts.actions import create_api_key; "
            "from accounts.models import User; from django.utils import timezone; "
            "owner = User.objects.get(role='owner'); "
            "actor = Actor.of_user(owner, via='command'); made = timezone.now(); "
            "print(create_api_key(actor=actor, user=owner, name='Watchdog', scopes=['read'], now=made)[1])"
        )
        token = sitrep.manage("shell", "--no-imports", "--command", code).strip().splitlines()[-1]
        roster, mail_url = tmp_path / "roster.json", sitrep.environment["EMAIL_URL"]
        # Another host: it knows neither the database nor the broker.
        elsewhere = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        elsewhere |= {"SITREP_TOKEN": token, "VAR_DIR": str(tmp_path / "elsewhere"), "PYTHONUNBUFFERED": "1"}
        command = [
            sys.executable,
            "manage.py",
            "watchdog",
            "--url",
            sitrep.url,
            "--notify",
            f"{mail_url}/?from=dog@x.io",
        ]
        command += ["--roster", str(roster), "--every", "0.3", "--failures", "3"]
        with (tmp_path / "watchdog.log").open("ab") as log:
            dog = processes.spawn(command, output=log, environment=elsewhere, directory=ROOT)
        try:
            wait_for(roster.is_file, f"it has a copy of the roster: {tmp_path / 'watchdog.log'}")
            sitrep.kill("web")
            (mail,) = wait_for(lambda: sitrep.mailbox.saying("Sitrep does not page"), "somebody is told")
            assert mail["To"]
            assert "Until it is back nobody is paged" in text_of(mail)
            sitrep.start("web")
            wait_for(lambda: sitrep.mailbox.saying("Sitrep is back"), "it says that it is over")
        finally:
            processes.stop(dog, patience_seconds=10)
