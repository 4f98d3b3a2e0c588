"""Pages by phone call: a voice says what it is about, the keypad answers. 4 acknowledges, 6 escalates."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from twilio.rest import Client
from twilio.twiml.voice_response import Gather, VoiceResponse

from oncall.channels import Message, Result, sends
from oncall.channels.telephony import Provider, callback_url, send_through
from oncall.channels.wording import spoken
from oncall.models import ContactMethod

RING_SECONDS = 40
KEY_SECONDS = 10
TIMES_SAID = 3


def twiml_of(message: Message, action: str) -> str:
    """The call as TwiML: said three times, each time waiting for one key that is posted to `action`.

    https://www.twilio.com/docs/voice/twiml/gather
    """
    response = VoiceResponse()
    said = spoken(message)
    if message.purpose in {"code", "notice"}:
        response.say(said)
        return str(response)
    keys = (
        _("Press 4 to acknowledge, 6 to escalate.") if message.is_page else _("Press 4 to confirm that you hear this.")
    )
    for _time in range(TIMES_SAID):
        gather = Gather(input="dtmf", num_digits=1, timeout=KEY_SECONDS, action=action, method="POST")
        gather.say(f"{said} {keys}")
        response.append(gather)
    response.say(_("No key was pressed. Goodbye."))
    return str(response)


@sends(ContactMethod.Kind.VOICE)
def send(method: ContactMethod, message: Message) -> Result:
    """Asks the first provider that takes it to call; how the call went is told later by a status callback.

    Machine detection runs beside the call, so that a person never waits for it.
    """

    def make(client: Client, provider: Provider) -> Any:
        status = callback_url("status", message)
        return client.calls.create(
            to=method.address,
            from_=provider.sender,
            twiml=twiml_of(message, callback_url("voice", message)),
            status_callback=status,
            status_callback_event=["answered", "completed"],
            timeout=RING_SECONDS,
            machine_detection="Enable",
            async_amd="true",
            async_amd_status_callback=status,
        )

    return send_through(
        settings.VOICE_PROVIDERS, make, missing="no provider of phone calls is set up (VOICE_PROVIDERS)"
    )
