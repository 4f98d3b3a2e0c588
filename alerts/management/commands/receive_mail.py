"""`manage.py receive_mail`: the process that hears alerts and pings by mail."""

import asyncio
import signal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alerts.mail import listen


class Command(BaseCommand):
    """Listens on ALERT_MAIL_HOST and ALERT_MAIL_PORT until it is told to stop."""

    help = "Hears alerts and pings of heartbeats by mail, on ALERT_MAIL_PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ALERT_MAIL_PORT:
            raise CommandError("Set ALERT_MAIL_PORT to the port on which mail is to be heard.")
        hostname = settings.ALERT_MAIL_DOMAIN or urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        asyncio.run(_until_told(settings.ALERT_MAIL_HOST, settings.ALERT_MAIL_PORT, hostname))


async def _until_told(host: str, port: int, hostname: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await listen(host, port, hostname, stop)
