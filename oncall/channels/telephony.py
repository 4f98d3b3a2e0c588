"""What SMS and calls share: accounts at Twilio, what its answers mean, and whether a request really comes from it.

Follows Twilio's REST API of 2010-04-01 and its "Webhooks security" document (X-Twilio-Signature).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.urls import reverse
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from oncall.channels import Message, Result, first_that_works

TIMEOUT_SECONDS = 9.0
# The number itself is at fault, no other provider can do better: no number, unreachable, opted out, a landline.
REFUSED_CODES = {13223, 13224, 21211, 21214, 21217, 21610, 21614, 21635}
# The same, told later by a status callback: unknown destination, landline or unreachable carrier, opted out.
REFUSED_LATER_CODES = {"30005", "30006", "21610"}


class Provider(Protocol):
    """An account through which one can send; `config.providers.PhoneProvider` is one."""

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def base_url(self) -> str: ...


@lru_cache
def _client(account: str, token: str, base_url: str) -> Client:
    client = Client(account, token, http_client=TwilioHttpClient(timeout=TIMEOUT_SECONDS))
    client.api.base_url = base_url
    return client


def send_through(providers: Sequence[Provider], make: Callable[[Client, Provider], Any], *, missing: str) -> Result:
    """Asks each provider in order to make the message or the call; `make` returns Twilio's resource with its `sid`."""

    def try_one(provider: Provider) -> Result:
        client = _client(provider.account, provider.token, provider.base_url)
        try:
            made = make(client, provider)
        except TwilioRestException as error:
            detail = f"error {error.code or error.status}: {error.msg}"[:300]
            return Result("refused" if error.code in REFUSED_CODES else "failed", detail, provider.name)
        except (TwilioException, OSError) as error:  # requests' errors are OSErrors
            return Result("failed", f"{type(error).__name__}: {error}"[:300], provider.name)
        return Result("accepted", f"{made.status} by {provider.name}", provider.name, str(made.sid))

    return first_that_works(providers, try_one, missing=missing)


def callback_url(name: str, message: Message) -> str:
    """The absolute address of one of our webhooks for this message; Twilio's signature covers it."""
    return settings.PUBLIC_URL + reverse(f"oncall:twilio-{name}", args=[message.reference])


def comes_from_twilio(url: str, form: dict[str, Any], signature: str) -> bool:
    """Whether a request was signed with the token of one of our accounts: the one that it names."""
    providers: list[Provider] = [*settings.SMS_PROVIDERS, *settings.VOICE_PROVIDERS]
    tokens = {provider.token for provider in providers if provider.account == form.get("AccountSid")}
    return any(RequestValidator(token).validate(url, form, signature) for token in tokens)
