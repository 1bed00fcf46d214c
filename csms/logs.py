"""What a line of the log carries, and what it must not: JSON in production, for people's eyes elsewhere.

A line written while a message is handled says whose it is: operator, station, message id and action. Nothing is bound for a
message; a line asks the batch, which knows its frame anyway.
"""

import re
import sys
from contextvars import ContextVar, Token
from typing import Any

import structlog

from csms.ocpp.masking import MASK, masked

SECRET = re.compile(r"passw|secret|token(?!_type)|authorization|api_?key|cookie|credential", re.IGNORECASE)
#: Credentials in a URL and in a header, as they stand in the errors of libraries.
IN_TEXT = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)|(?<=Basic |earer )[\w+/=.~-]{8,}|(?<=Api-Key )[\w.~-]{8,}")

_batch: ContextVar[Any] = ContextVar("batch", default=None)


class About:
    """`with About(batch):` lines written inside are about the message the batch is handling."""

    __slots__ = ("batch", "token")

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __enter__(self) -> None:
        self.token: Token[Any] = _batch.set(self.batch)

    def __exit__(self, *_: object) -> None:
        _batch.reset(self.token)


def add_message(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Whose message is being handled, if any is."""
    batch = _batch.get()
    frame = batch.frame if batch is not None else None
    if frame is not None:
        event.setdefault("operator", frame.station.operator_id)
        event["station"] = frame.station.identity
        event.setdefault("message_id", frame.message_id)
        event.setdefault("action", frame.action)
    return event


def hide_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """By the name of the field, by the look of a text, and in a station's frame as the message log does."""
    for name, value in event.items():
        if name.startswith("_"):
            continue
        if SECRET.search(name) and value is not None:
            event[name] = MASK
        elif isinstance(value, str):
            event[name] = IN_TEXT.sub(MASK, masked(value) if value.startswith(("{", "[")) else value)
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_message,
]


def configuration(*, production: bool, level: str) -> dict[str, Any]:
    """Django's LOGGING."""
    show: Any = structlog.processors.JSONRenderer()
    if not production:
        show = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    lines = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            hide_secrets,
            show,
        ],
    }
    quiet = ["django.channels.server", "daphne", "uvicorn", "uvicorn.error"]
    if not production:
        # Somebody who tries the system wants to see what stations do, not each job that went well.
        quiet += ["celery.worker.strategy", "celery.app.trace", "celery.beat", "celery.worker.consumer.connection"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": lines},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in quiet} | {"celery": {"level": level}},
    }


def configure() -> None:
    """structlog's own part: what our loggers do before the standard ones take over."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
