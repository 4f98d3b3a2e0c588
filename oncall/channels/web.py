"""Pages in the browser: the page itself is the message, every open screen of the person shows it."""

from oncall.channels import Message, Result, sends
from oncall.models import ContactMethod


@sends(ContactMethod.Kind.WEB)
def send(method: ContactMethod, message: Message) -> Result:
    """Nothing leaves the house: the banner and the list of open pages read the page's row."""
    return Result("accepted", "shown in Sitrep")
