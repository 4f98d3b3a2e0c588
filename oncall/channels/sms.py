"""Pages by SMS, which can be answered: 4 acknowledges, 6 escalates."""

from typing import Any

from django.conf import settings
from twilio.rest import Client

from oncall.channels import Message, Result, sends
from oncall.channels.telephony import Provider, callback_url, send_through
from oncall.channels.wording import text_of
from oncall.models import ContactMethod

# What came too late to matter: an SMS that waits longer is not sent.
VALID_SECONDS = 4 * 3600


@sends(ContactMethod.Kind.SMS)
def send(method: ContactMethod, message: Message) -> Result:
    """Hands the text to the first provider that takes it; what became of it is told later by a status callback."""

    def make(client: Client, provider: Provider) -> Any:
        is_service = provider.sender.startswith("MG")
        sender = {"messaging_service_sid" if is_service else "from_": provider.sender}
        return client.messages.create(
            to=method.address,
            body=text_of(message, reply=True),
            status_callback=callback_url("status", message),
            validity_period=VALID_SECONDS,
            **sender,
        )

    return send_through(settings.SMS_PROVIDERS, make, missing="no SMS provider is set up (SMS_PROVIDERS)")
