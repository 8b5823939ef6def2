"""Logs on standard error: a short sentence and key=value, coloured on a terminal or one JSON object a line."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


def configure(format: Literal["auto", "text", "json"], least: int = logging.INFO) -> None:
    """Set up structlog, and the standard library's logging behind it, for the whole process.

    `auto` is text on a terminal and JSON elsewhere. Libraries speak from WARNING on, so their lines never
    carry URLs of requests. `least` is the lowest level of ours that is shown.
    """
    terminal = sys.stderr.isatty()
    as_json = format == "json" or (format == "auto" and not terminal)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=terminal, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            )
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("seatcast").setLevel(least)
    # What the broker's library says of each lost connection, our supervisor says better and without URLs.
    for library in ("aio_pika", "aiormq"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Modules take their logger at import, before this runs.
        cache_logger_on_first_use=False,
    )
