"""Settings of providers: read in order, and refused in one line that says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SHOW = """
import json
from django.conf import settings
print(json.dumps([settings.MAIL_FALLBACKS, [each.name for each in settings.SMS_PROVIDERS], settings.EMAIL_HOST]))
"""


def started(program: str = SHOW, **values: str) -> subprocess.CompletedProcess[str]:
    """A process that reads the settings with these values in its environment."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"} | values
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_servers_and_providers_are_tried_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    kept = tmp_path / "sms"
    kept.write_text("twilio://AC1:t@api.twilio.com?from=+4930123456,twilio://AC2:t@api.twilio.com?from=+4930123457\n")
    done = started(
        EMAIL_URL="smtp://first.example.com:25",
        EMAIL_FALLBACK_URLS="smtp://ana:p%40ss@second.example.com:587/?tls=True,smtp://third.example.com:2525",
        SMS_PROVIDERS_FILE=str(kept),
    )
    assert done.returncode == 0, done.stderr
    fallbacks, sms, host = json.loads(done.stdout)
    assert host == "first.example.com"
    assert [(each["host"], each["port"], each["use_tls"]) for each in fallbacks] == [
        ("second.example.com", 587, True),
        ("third.example.com", 2525, False),
    ]
    assert (fallbacks[0]["username"], fallbacks[0]["password"]) == ("ana", "p@ss")
    assert sms == ["twilio", "twilio-2"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMS_PROVIDERS", "pigeon://a:b@c?from=+1"),
        ("VOICE_PROVIDERS", "twilio://AC1@api.twilio.com?from=+1"),
        ("EMAIL_FALLBACK_URLS", "pigeon://mail.example.com"),
        ("PROVE_EVERY_DAYS", "1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(name: str, value: str) -> None:
    done = started(**{name: value})
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert name in line
    assert "deploy/env.example" in line
