"""Mail, plain and HTML, with links that do one thing each; through the configured servers in order."""

from dataclasses import dataclass
from email.utils import make_msgid
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import DNS_NAME, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from oncall.channels import Message, Result, first_that_works, sends
from oncall.channels.wording import CODE_MINUTES, headline_of
from oncall.models import ContactMethod

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@dataclass(frozen=True)
class MailServer:
    """A way for mail to leave; without options it is the one that Django knows as its own."""

    name: str
    options: dict[str, Any]


def mail_servers() -> list[MailServer]:
    """EMAIL_URL's server first, then those of EMAIL_FALLBACK_URLS."""
    first = MailServer("kept on disk" if settings.MAIL_IS_KEPT else settings.EMAIL_HOST, {})
    return [first, *(MailServer(str(each["host"]), {"backend": SMTP, **each}) for each in settings.MAIL_FALLBACKS)]


def _subject(message: Message) -> str:
    if message.purpose == "code":
        return _("%(code)s is your Sitrep code") % {"code": message.code}
    if message.purpose == "notice":
        return headline_of(message)
    return f"[{'Page' if message.is_page else 'Test'}] {headline_of(message)}"


@sends(ContactMethod.Kind.EMAIL)
def send(method: ContactMethod, message: Message) -> Result:
    """Hands the mail to the first server that takes it. A recipient refused for good (5xx) is a broken address."""
    context = {"message": message, "headline": headline_of(message), "minutes": CODE_MINUTES}
    text = render_to_string("oncall/mail/page.txt", context)
    html = render_to_string("oncall/mail/page.html", context)

    def try_one(server: MailServer) -> Result:
        mail = EmailMultiAlternatives(
            _subject(message).replace("\n", " ").replace("\r", " ")[:200],
            text,
            to=[method.address],
            headers=_headers(message),
            connection=get_connection(**server.options),
        )
        mail.attach_alternative(html, "text/html")
        outcome, detail = _hand_over(mail)
        return Result(outcome, detail, server.name[:40], str(mail.extra_headers["Message-ID"])[:100])

    return first_that_works(mail_servers(), try_one, missing="no mail server is set up (EMAIL_URL)")


def _headers(message: Message) -> dict[str, str]:
    headers = {"Auto-Submitted": "auto-generated", "Message-ID": make_msgid(domain=str(DNS_NAME))}
    if message.is_page:
        headers |= {"X-Sitrep-Page": str(message.page_id), "X-Priority": "1", "Importance": "high"}
    return headers


def _hand_over(mail: EmailMultiAlternatives) -> tuple[Any, str]:
    try:
        mail.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        return ("refused" if all(code >= 500 for code in codes) else "failed"), f"recipient refused ({codes})"
    except SMTPResponseException as error:
        return "failed", f"the mail server answered {error.smtp_code}"
    except (OSError, SMTPException) as error:
        return "failed", f"the mail server could not be reached: {error}"
    return "accepted", "accepted by the mail server"
