"""The providers of SMS and phone calls as the settings name them: an address each, in the order of their turns."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SCHEMES = {"twilio": "https", "twilio+http": "http"}
TWILIO = "api.twilio.com"


@dataclass(frozen=True)
class PhoneProvider:
    """An account at Twilio, or at whoever speaks its protocol.

    `sender` is a phone number in E.164 (+4930…) or the id of a messaging service (MG…).
    """

    name: str
    account: str
    token: str
    sender: str
    base_url: str


def phone_providers(addresses: list[str]) -> list[PhoneProvider]:
    """Reads `twilio://ACCOUNT:TOKEN@api.twilio.com?from=+4930123456&name=main`; raises ValueError with the reason.

    Without a name a provider is called twilio, twilio-2, …
    """
    found = []
    for number, address in enumerate(filter(None, (each.strip() for each in addresses)), 1):
        parts = urlsplit(address)
        # Not parse_qs: a plus sign belongs to the phone number.
        query = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
        options = {name: unquote(value) for name, value in query.items()}
        if parts.scheme not in SCHEMES:
            raise ValueError(f"{parts.scheme or 'an empty scheme'}:// is none of {', '.join(SCHEMES)}")
        if not parts.username or not parts.password:
            raise ValueError("the account and its token are missing: twilio://ACCOUNT:TOKEN@api.twilio.com?from=+49…")
        if not options.get("from", "").startswith(("+", "MG")):
            raise ValueError("?from= must be a number such as +4930123456 or the id of a messaging service (MG…)")
        host = parts.netloc.rpartition("@")[2] or TWILIO
        name = options.get("name") or ("twilio" if number == 1 else f"twilio-{number}")
        found.append(
            PhoneProvider(
                name=name[:40],
                account=unquote(parts.username),
                token=unquote(parts.password),
                sender=options["from"],
                base_url=f"{SCHEMES[parts.scheme]}://{host}",
            )
        )
    if len({provider.name for provider in found}) < len(found):
        raise ValueError("two providers have the same name")
    return found
