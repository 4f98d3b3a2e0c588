"""Pages by e-mail, plain and HTML, with a link to acknowledge."""

from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from oncall.channels import Message, Result, sends
from oncall.models import ContactMethod


@sends(ContactMethod.Kind.EMAIL)
def send(method: ContactMethod, message: Message) -> Result:
    """Hands the mail to the configured server. A recipient refused for good (5xx) marks the address as broken."""
    context = {"message": message}
    subject = f"[{'Test' if message.is_test else 'Page'}] {message.title}".replace("\n", " ").replace("\r", " ")[:200]
    mail = EmailMultiAlternatives(
        subject,
        render_to_string("oncall/mail/page.txt", context),
        to=[method.address],
        headers={
            "X-Sitrep-Page": str(message.page_id),
            "Auto-Submitted": "auto-generated",
            "X-Priority": "1",
            "Importance": "high",
        },
    )
    mail.attach_alternative(render_to_string("oncall/mail/page.html", context), "text/html")
    try:
        mail.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Result("refused" if all(code >= 500 for code in codes) else "failed", f"recipient refused ({codes})")
    except SMTPResponseException as error:
        return Result("failed", f"the mail server answered {error.smtp_code}")
    except OSError as error:
        return Result("failed", f"the mail server could not be reached: {error}")
    return Result("accepted", "accepted by the mail server")
