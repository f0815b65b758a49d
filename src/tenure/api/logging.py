"""Structured logs, one JSON object a line, and what must never stand in one.

A logger is made and passed on; nothing of structlog is configured globally. Redaction is the last step before a line
is written, by the name of a field and by the shape of a value, and holds for lines of libraries too.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor, WrappedLogger

REDACTED = "[redacted]"
_NAMES = re.compile(
    r"authori[sz]ation|cookie|passw|passphrase|secret|token$|^token|api_?key|private_?key|claim_?code|credential_?value|^dsn$|"
    r"idempotency", re.IGNORECASE,
)  # fmt: skip
_HARMLESS = frozenset({"token_id", "tokens"})
_SHAPES = (
    re.compile(r"tenure_[A-Za-z0-9_-]{8,}"),
    re.compile(r"(?i)\b(?:bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user and password in a URL
    re.compile(r"(?i)(?<=[?&])(?:token|code|secret|password|key)=[^&\s]+"),
)


def redacted(value: Any, name: str = "") -> Any:
    """The value without secrets: gone whole under a telling name, else cut out of texts at any depth."""
    if name and name not in _HARMLESS and _NAMES.search(name) and value is not None:
        return REDACTED
    match value:
        case bytes():
            return f"{len(value)} bytes"
        case str():
            for shape in _SHAPES:
                value = shape.sub(REDACTED, value)
            return value
        case Mapping():
            return {key: redacted(inner, str(key)) for key, inner in value.items()}
        case Sequence():
            return [redacted(inner) for inner in value]
        case _:
            return value


def redact(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: ``redacted`` over each field."""
    return {name: redacted(value, name) for name, value in event.items()}


def make_logger(out: TextIO, level: str = "info") -> FilteringBoundLogger:
    """A logger that writes to ``out``. Its lines carry what is bound in the context of the request."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(out),
        processors=[*_chain(), structlog.processors.JSONRenderer(serializer=_line)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return logger


def library_handler(out: TextIO) -> logging.Handler:
    """A handler that writes lines of libraries (uvicorn, SQLAlchemy) in the same form, redacted too."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_chain(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,  # once more: the formatter adds the message after the chain
                structlog.processors.JSONRenderer(serializer=_line),
            ],
        )
    )
    return handler


def _chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]


def _line(event: Any, **_options: Any) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str)
