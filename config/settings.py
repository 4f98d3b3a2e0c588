"""Every setting of Sitrep: read from the environment, typed, refused with one clear line when it makes no sense.

Any variable can come from a file instead: `SECRET_KEY_FILE=/run/secrets/key`. deploy/env.example explains each one.
"""

import hashlib
import logging
import os
import re
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_email_url
import django_stubs_ext
from csp.constants import NONE, SELF
from environs import Env, EnvError

from config.logs import logging_config
from config.providers import PhoneProvider, phone_providers

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent


def refuse(reason: str) -> None:
    """Ends the process with one line that says which setting is wrong and what to do."""
    sys.exit(f"Sitrep can't start: {reason} (see deploy/env.example)")


FROM_FILES = {
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "EMAIL_URL",
    "EMAIL_FALLBACK_URLS",
    "SMS_PROVIDERS",
    "VOICE_PROVIDERS",
    "VAPID_PRIVATE_KEY",
    "METRICS_TOKEN",
    "ENCRYPTION_KEYS",
    "SENTRY_DSN",
}


def read_secret_files() -> None:
    """Fills NAME from the file that NAME_FILE points at (Docker and Kubernetes secrets)."""
    for name, filename in list(os.environ.items()):
        if name.endswith("_FILE") and name.removesuffix("_FILE") in FROM_FILES:
            try:
                os.environ.setdefault(name.removesuffix("_FILE"), Path(filename).read_text().strip())
            except OSError as error:
                refuse(f"{name} points at {filename}, which can't be read: {error.strerror}")


read_secret_files()
env = Env()

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var"))).resolve()

# `make run` leaves the addresses of the engines that it started here, so that every command finds them.
if (VAR_DIR / "engines.env").is_file():
    for line in (VAR_DIR / "engines.env").read_text().splitlines():
        key, _, value = line.partition("=")
        os.environ.setdefault(key, value)

try:
    DEBUG = env.bool("DEBUG", False)
    SECRET_KEY = env.str("SECRET_KEY", "")
    HOST = env.str("HOST", "127.0.0.1")
    PORT = env.int("PORT", 8000)
    PUBLIC_URL = env.str("PUBLIC_URL", f"http://{'localhost' if HOST in {'0.0.0.0', '127.0.0.1'} else HOST}:{PORT}")  # noqa: S104
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [urlsplit(PUBLIC_URL).hostname or "", "localhost", "127.0.0.1", HOST])
    DATABASE_URL = env.str("DATABASE_URL", f"postgresql://postgres@/sitrep?host={VAR_DIR / 'postgres'}")
    REDIS_URL = env.str("REDIS_URL", f"unix://{VAR_DIR / 'valkey' / 'valkey.sock'}?db=0")
    CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
    DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 20)
    EMAIL_URL = env.str("EMAIL_URL", "")
    EMAIL_FALLBACK_URLS: list[str] = env.list("EMAIL_FALLBACK_URLS", [])
    SMS_PROVIDER_URLS: list[str] = env.list("SMS_PROVIDERS", [])
    VOICE_PROVIDER_URLS: list[str] = env.list("VOICE_PROVIDERS", [])
    VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", "")
    PROVE_EVERY_DAYS = env.int("PROVE_EVERY_DAYS", 30)
    BOARD_FRAME_ANCESTORS: list[str] = [SELF, *env.list("BOARD_FRAME_ANCESTORS", [])]
    DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Sitrep <sitrep@localhost>")
    ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEYS", [])
    METRICS_TOKEN = env.str("METRICS_TOKEN", "")
    SENTRY_DSN = env.str("SENTRY_DSN", "")
    LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
    LOG_FORMAT = env.str("LOG_FORMAT", "json")
    SIGN_UP_OPEN = env.bool("SIGN_UP_OPEN", False)
    TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
    OUTBOUND_PRIVATE_ADDRESSES = env.bool("OUTBOUND_PRIVATE_ADDRESSES", False)
    MAX_EVENT_BYTES = env.int("MAX_EVENT_BYTES", 512 * 1024)
    MAX_FILE_BYTES = env.int("MAX_FILE_BYTES", 20 * 1024 * 1024)
    ALERT_MAIL_HOST = env.str("ALERT_MAIL_HOST", HOST)
    ALERT_MAIL_PORT = env.int("ALERT_MAIL_PORT", 0)
    ALERT_MAIL_DOMAIN = env.str("ALERT_MAIL_DOMAIN", "").lower()
    ALERT_MAIL_CERTIFICATE = env.str("ALERT_MAIL_CERTIFICATE", "")
    ALERT_MAIL_KEY = env.str("ALERT_MAIL_KEY", "")
except EnvError as error:
    refuse(str(error))

if not SECRET_KEY and (VAR_DIR / "secret-key").is_file():
    SECRET_KEY = (VAR_DIR / "secret-key").read_text().strip()
# Commands that need no secret (check, makemigrations) run without one; serving and encrypting are refused.
SECRET_KEY_IS_MISSING = not SECRET_KEY
SECRET_KEY = SECRET_KEY or secrets.token_urlsafe(60)
if urlsplit(PUBLIC_URL).scheme not in {"http", "https"} or not urlsplit(PUBLIC_URL).hostname:
    refuse(f"PUBLIC_URL must be an address such as https://sitrep.example.com, not {PUBLIC_URL!r}")
if urlsplit(DATABASE_URL).scheme not in {"postgres", "postgresql"}:
    refuse("DATABASE_URL must start with postgresql:// (Sitrep runs on PostgreSQL only)")
if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    refuse("REDIS_URL must start with redis://, rediss:// or unix://")
if not 0 <= ALERT_MAIL_PORT <= 65535:
    refuse(f"ALERT_MAIL_PORT must be a port from 1 to 65535, or 0 to hear no mail, not {ALERT_MAIL_PORT}")
if bool(ALERT_MAIL_CERTIFICATE) != bool(ALERT_MAIL_KEY):
    refuse("ALERT_MAIL_CERTIFICATE and ALERT_MAIL_KEY belong together: set both or neither")
if not 0 < MAX_FILE_BYTES <= 1024**3:
    refuse(f"MAX_FILE_BYTES must be a number of bytes up to 1073741824 (1 GB), not {MAX_FILE_BYTES}")
if LOG_FORMAT not in {"json", "console"}:
    refuse(f"LOG_FORMAT must be json or console, not {LOG_FORMAT!r}")

PUBLIC_URL = PUBLIC_URL.rstrip("/")
SERVED_OVER_TLS = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_linear_migrations",
    "django_structlog",
    "events",
    "accounts",
    "oncall",
    "catalog",
    "incidents",
    "alerts",
    "postmortems",
    "statuspage",
    "workflows",
    "config",
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "config.request_id.RequestIdMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "statuspage.middleware.PublicPagesMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LocalTimeMiddleware",
    "config.errors.DomainErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.frame.frame",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"


def database_from_url(url: str) -> dict[str, Any]:
    """Returns Django's database settings for a libpq address, whose query parts are passed on to the driver."""
    parts = urlsplit(url)
    options: dict[str, Any] = {}
    for pair in filter(None, parts.query.split("&")):
        key, _, value = pair.partition("=")
        options[key] = value
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or options.pop("port", "")),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**options, "pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 10}},
        "TEST": {"NAME": None},
    }


DATABASES = {"default": database_from_url(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 2},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"sitrep-{hashlib.sha256(REDIS_URL.encode()).hexdigest()[:8]}"},
    }
}

# --- Celery ---------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = CELERY_BROKER_URL or REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_TIMEZONE = "UTC"

# --- People and sessions --------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SERVED_OVER_TLS
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())

# --- Safety ---------------------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
SESSION_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SECURE_SSL_REDIRECT = SERVED_OVER_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SERVED_OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SERVED_OVER_TLS
SECURE_HSTS_PRELOAD = SERVED_OVER_TLS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "config.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Language, time, files ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 60  # names are not hashed: an upgrade shows within a minute
MEDIA_ROOT = VAR_DIR / "media"

# --- Mail -----------------------------------------------------------------------------------------------------------

# Without EMAIL_URL mail is kept under var/mail/, where /settings/mail/ shows it.
MAIL_IS_KEPT = not EMAIL_URL
if EMAIL_URL:
    try:
        mail = env.dj_email_url("EMAIL_URL")
    except (EnvError, ValueError) as error:
        refuse(f"EMAIL_URL must look like smtp://user:password@host:587/?tls=True ({error})")
    EMAIL_BACKEND = mail["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = mail["EMAIL_HOST"], mail["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = mail["EMAIL_USE_TLS"], mail["EMAIL_USE_SSL"]
else:
    EMAIL_BACKEND = "oncall.mailbox.KeptMailBackend"
# Servers that are tried in order when the first one fails.
MAIL_FALLBACKS: list[dict[str, Any]] = []
for address in EMAIL_FALLBACK_URLS:
    if urlsplit(address).scheme not in {"smtp", "smtps", "smtp+tls", "smtp+ssl"} or not urlsplit(address).hostname:
        refuse("EMAIL_FALLBACK_URLS must be addresses such as smtp://user:password@host:587/?tls=True")
    fallback = dj_email_url.parse(address)
    MAIL_FALLBACKS.append(
        {
            "host": fallback["EMAIL_HOST"],
            "port": fallback["EMAIL_PORT"],
            "username": fallback["EMAIL_HOST_USER"],
            "password": fallback["EMAIL_HOST_PASSWORD"],
            "use_tls": fallback["EMAIL_USE_TLS"],
            "use_ssl": fallback["EMAIL_USE_SSL"],
        }
    )
EMAIL_TIMEOUT = 10
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Phones and browsers ----------------------------------------------------------------------------------------------

SMS_PROVIDERS: list[PhoneProvider] = []
VOICE_PROVIDERS: list[PhoneProvider] = []
try:
    SMS_PROVIDERS = phone_providers(SMS_PROVIDER_URLS)
    VOICE_PROVIDERS = phone_providers(VOICE_PROVIDER_URLS)
except ValueError as error:
    refuse(f"SMS_PROVIDERS and VOICE_PROVIDERS can't be read: {error}")
if PROVE_EVERY_DAYS < 2:
    refuse("PROVE_EVERY_DAYS must be at least 2: people are reminded a day before a proof is too old")
for origin in BOARD_FRAME_ANCESTORS[1:]:
    if origin != "*" and not re.fullmatch(r"https?://[\w.*:\[\]-]+", origin):
        refuse(f"BOARD_FRAME_ANCESTORS must be sites such as https://intranet.example.com, not {origin!r}")

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasScope"],
    "DEFAULT_PAGINATION_CLASS": "accounts.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "accounts.lists.SortFilter",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsing.TextParser"],
    "DEFAULT_SCHEMA_CLASS": "accounts.openapi.ErrorsToo",
    "EXCEPTION_HANDLER": "accounts.rest.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "PAGE_SIZE": 25,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sitrep API",
    "DESCRIPTION": "Everything that is on a screen of Sitrep, as JSON. Send `Authorization: Bearer <API key>`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Fields of one name with different choices: each gets the name of what it is about.
    "ENUM_NAME_OVERRIDES": {
        "AlertStatusEnum": "alerts.models.Alert.Status",
        "EscalationStatusEnum": "oncall.models.Escalation.Status",
        "EscalationOutcomeEnum": "oncall.models.Escalation.Outcome",
        "PageAttemptOutcomeEnum": "oncall.models.PageAttempt.Outcome",
        "PublicIncidentStatusEnum": "statuspage.models.PublicIncident.Status",
        "PublicImpactEnum": "statuspage.models.PublicIncident.Impact",
        "ServiceImpactEnum": "incidents.models.IncidentService.Impact",
        "ComponentStatusEnum": "statuspage.models.ComponentStatus",
        "PostmortemStatusEnum": "postmortems.models.Postmortem.Status",
        "ActionItemStatusEnum": "postmortems.models.ActionItem.Status",
        "PageStateEnum": "oncall.models.Page.State",
        "RawEventStateEnum": "alerts.models.RawEvent.State",
        "DeliveryStateEnum": "events.models.Delivery.State",
        "ContactMethodKindEnum": "oncall.models.ContactMethod.Kind",
        "TimelineEntryKindEnum": "incidents.models.TimelineEntry.Kind",
        "IncidentLinkKindEnum": "incidents.models.IncidentLink.Kind",
        "WrittenKindEnum": "incidents.entries.SPOKEN_CHOICES",
        "ServiceLinkKindEnum": "catalog.models.ServiceLink.Kind",
        "UrgencyEnum": "oncall.models.Urgency",
        "WorkflowRunStateEnum": "workflows.models.WorkflowRun.State",
        "StepRunStateEnum": "workflows.models.StepRun.State",
        "TriedStepFateEnum": "workflows.trial.Fate",
        "RoleEnum": "accounts.models.Role",
    },
}

# --- What the operator sees -----------------------------------------------------------------------------------------

LOGGING = logging_config(level=LOG_LEVEL, log_format=LOG_FORMAT)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# The sweeps run every second or two: what they start is told only when somebody debugs.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
SILENCED_SYSTEM_CHECKS: list[str] = []
TEST_RUNNER = "django.test.runner.DiscoverRunner"

if SENTRY_DSN:
    import sentry_sdk  # (most sites have none, and every process would wait for it)

    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False)
