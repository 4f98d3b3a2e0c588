"""How Sitrep logs: one JSON object a line, with the request's or task's id on each, and never a secret."""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_KEYS = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|signature|credential|database_url|redis_url", re.IGNORECASE
)
# Source tokens, acknowledgement links and invitations stand in paths; their first characters tell them apart.
SECRET_IN_PATH = re.compile(r"(?<=/)(?=[^/?\s]*[\d:])([\w.~:=-]{4})[\w.~:=-]{18,}")
SECRET_IN_QUERY = re.compile(r"(?<=[?&])([\w.-]+)=[^&\s]+")
HIDDEN = "[hidden]"
PAGING_TASKS = ("oncall.", "alerts.")


def hide_secrets(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces what must not be read in a log: values under a telling name, tokens in addresses, query values."""
    for key, value in entry.items():
        if SECRET_KEYS.search(key):
            entry[key] = HIDDEN
        elif key == "request" and isinstance(value, str):
            entry[key] = without_secrets(value)
        elif isinstance(value, dict):
            entry[key] = dict(hide_secrets(_logger, _method, dict(value)))
    return entry


def without_secrets(address: str) -> str:
    """Returns a path or URL whose token-like path segments are cut short and whose query values are hidden."""
    return SECRET_IN_QUERY.sub(r"\1=…", SECRET_IN_PATH.sub(r"\1…", address))


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.UnicodeDecoder(),
]


def leave_out_late_chores(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops the line for a sweep that expired in its queue: the one before it has done its work, or the next one will.

    Those of paging stay: that they come late is worth a warning. So does all that somebody has revoked.
    """
    is_late = entry.get("event") == "task_revoked" and entry.get("expired") and not entry.get("terminated")
    if is_late and not str(entry.get("task")).startswith(PAGING_TASKS):
        raise structlog.DropEvent
    return entry


def logging_config(*, level: str, log_format: str) -> dict[str, Any]:
    """Returns Django's LOGGING for `level` (DEBUG … CRITICAL) and `log_format` (`json` or `console`).

    Also points structlog at the standard library, so that both kinds of logger end in the same stream with the same
    fields. Repeating the call is harmless.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            leave_out_late_chores,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    rendering: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    passed_on = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    hide_secrets,
                    *rendering,
                ],
                "foreign_pre_chain": [*SHARED_PROCESSORS, structlog.stdlib.ExtraAdder()],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # Requests are logged once, by django_structlog, with their id, their person and any traceback.
            "django.server": {**passed_on, "level": "CRITICAL"},
            "django.request": {**passed_on, "level": "CRITICAL"},
            "django": passed_on,
            "uvicorn": passed_on,
            "uvicorn.error": {**passed_on, "level": "WARNING"},
            "uvicorn.access": {**passed_on, "level": "WARNING"},
            # One line for each sweep of each second says nothing; django_structlog logs those that fail.
            "celery.beat": {**passed_on, "level": "WARNING"},
            "celery.app.trace": {**passed_on, "level": "CRITICAL"},
            "celery.worker.strategy": {**passed_on, "level": "WARNING"},
            # aiosmtpd writes down all that is said, and with it the addresses of sources, which are secrets.
            "mail.log": {**passed_on, "level": "WARNING"},
            "httpx": {**passed_on, "level": "WARNING"},
            "httpcore": {**passed_on, "level": "WARNING"},
        },
    }
