"""What a running node logs: JSON lines, or text on a terminal; ids, codes and places, never what a record says."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, WrappedLogger

__all__ = ["fault", "start_logs"]

_FRAMES = 4


def start_logs(node: str, *, as_json: bool) -> None:
    """From now on all that is logged goes to stderr, each line with the node's name."""

    def name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"node": node, **event}

    structlog.configure(
        processors=[
            name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)


def fault(error: BaseException) -> dict[str, str]:
    """What may be logged of a fault of this program: its kind and place; its message may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)[: -_FRAMES - 1 : -1]
    return {
        "error": type(error).__name__,
        "place": " < ".join(f"{frame.filename}:{frame.lineno}" for frame in frames),
    }


class _Libraries(logging.Handler):
    """What libraries have to say, without their words."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        found = fault(error) if error else {"place": f"{record.pathname}:{record.lineno}"}
        structlog.get_logger().log(record.levelno, "a library warns", library=record.name, **found)
