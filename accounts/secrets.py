"""Secrets at rest: a text column that is encrypted in the database."""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@lru_cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])


def _current_box() -> MultiFernet:
    """The first key encrypts, all decrypt: put a new key in front to rotate."""
    if settings.SECRET_KEY_IS_MISSING and not settings.ENCRYPTION_KEYS:
        raise ImproperlyConfigured("Set SECRET_KEY (or ENCRYPTION_KEYS): stored secrets are encrypted with it.")
    return _box(tuple(settings.ENCRYPTION_KEYS or [settings.SECRET_KEY]))


def seal(text: str) -> str:
    """The text encrypted, for a secret that stands within a larger value."""
    return _current_box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed; raises ImproperlyConfigured if the key is gone."""
    try:
        return _current_box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A stored secret can't be decrypted. Put the key that encrypted it back into ENCRYPTION_KEYS "
            "(or SECRET_KEY, if ENCRYPTION_KEYS was not set then)."
        ) from error


class SecretField(models.TextField[str, str]):
    """Text that the database only ever sees encrypted (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def get_prep_value(self, value: str | None) -> Any:
        return seal(value) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return unseal(value) if value else value
