"""Log lines are JSON and hold no secrets."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Generator

import pytest
import structlog

from config.logs import logging_config, without_secrets


@pytest.fixture
def logged() -> Generator[Callable[[], list[dict[str, object]]]]:
    """What went through the configured handler, parsed."""
    config = logging_config(level="info", log_format="json")
    formatter = config["formatters"]["structured"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_both_kinds_of_logger_write_the_same_fields(logged: Callable[[], list[dict[str, object]]]) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("tests.logs").info("page_sent", page=7)
    logging.getLogger("tests.logs").warning("disk %s", "full")
    structlog.contextvars.clear_contextvars()
    first, second = logged()
    assert (first["event"], first["level"], first["page"], first["request_id"]) == ("page_sent", "info", 7, "r-1")
    assert (second["event"], second["level"], second["request_id"]) == ("disk full", "warning", "r-1")
    assert {"timestamp", "logger"} <= first.keys() & second.keys()


def test_values_under_telling_names_are_hidden(logged: Callable[[], list[dict[str, object]]]) -> None:
    structlog.get_logger("tests.logs").info(
        "x", password="p", api_key="k", headers={"Authorization": "Bearer b", "Host": "h"}
    )
    (entry,) = logged()
    assert (entry["password"], entry["api_key"]) == ("[hidden]", "[hidden]")
    assert entry["headers"] == {"Authorization": "[hidden]", "Host": "h"}


def test_a_traceback_shows_no_local_variables(logged: Callable[[], list[dict[str, object]]]) -> None:
    hidden_local = "s3cr3t-in-a-local"
    try:
        raise RuntimeError("bad")
    except RuntimeError:
        logging.getLogger("tests.logs").exception("failed")
    (entry,) = logged()
    assert "RuntimeError: bad" in str(entry["exception"])
    assert hidden_local not in json.dumps(entry)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("POST /alerts/in/Zk3vQ9xT7bYw2LmN8pRs4UaC/", "POST /alerts/in/Zk3v…/"),
        ("GET /acknowledge/12:1abcDE:Zk3vQ9xT7bYw2LmN8pRs4UaC/", "GET /acknowledge/12:1…/"),
        ("GET /incidents/?search=ada%40example.com&page=2", "GET /incidents/?search=…&page=…"),
        ("GET /incidents/INC-142/", "GET /incidents/INC-142/"),
        ("GET /status/a-quite-long-name-of-a-page/", "GET /status/a-quite-long-name-of-a-page/"),
    ],
)
def test_tokens_in_addresses_are_cut_short(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


def test_a_chore_that_expired_says_nothing_but_a_page_or_a_revocation_does(
    logged: Callable[[], list[dict[str, object]]],
) -> None:
    log = structlog.get_logger("tests.logs")
    log.warning("task_revoked", task="workflows.advance", expired=True, terminated=False)
    log.warning("task_revoked", task="workflows.advance", expired=False, terminated=True)
    log.warning("task_revoked", task="oncall.tick", expired=True, terminated=False)
    said = [(each["task"], each["expired"]) for each in logged()]
    assert said == [("workflows.advance", False), ("oncall.tick", True)]
