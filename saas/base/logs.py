"""Log lines: a JSON object each in production, readable in development; nothing of a person in either.

Three fences, since any line may be read by many (docs/adr/0035-what-is-told-of-a-request.md): lines carry named fields
only, those of ``FIELDS``; in production an exception is told by its kind and its place, never by its message, which may
quote a row; and whatever still looks like a token, a phone, an identity number or a bank card is masked.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from saas.base.settings import Environment

FIELDS = (
    *(
        "request_id",
        "tenant",
        "role",
        "method",
        "route",
        "status",
        "outcome",
        "codes",
        "operation",
        "operation_name",
        "cost",
    ),
    *("duration_ms", "job", "kind", "attempt", "checks", "port"),
)
"""All that a line may carry beside its words."""

FRAMES_MOST = 12
"""Places of a traceback that are told, the innermost last."""

MASK = "***"
_TELLING = re.compile(
    r"\bbyn[a-z]?_[0-9a-z]+_[A-Za-z0-9_-]+"  # a token
    r"|(?<![0-9A-Za-z-])\+?[0-9][0-9 ]{9,22}[0-9Xx](?![0-9A-Za-z-])"  # a phone, an identity number, a bank card
    r"|[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"  # an address of e-mail
)
_OURS = frozenset({"at", "level", "logger", "request_id", "role", "method", "route", "outcome", "operation"})
"""Fields with words of our own only, in which nobody can stand."""
_NAMED = frozenset(FIELDS)
_quick: list[structlog.BoundLogger] = []
"""What writes around the standard library, once it is known where and how."""
_HOUSE = Path(__file__).parents[2]
_QUIET = ("httpx", "httpcore", "urllib3", "opentelemetry")
"""Libraries that tell addresses they ask."""


def configure(environment: Environment, stream: TextIO | None = None) -> None:
    """Send every line of this process to ``stream`` (standard error by default) in the form of ``environment``."""
    production, stream = environment is Environment.PRODUCTION, stream or sys.stderr
    ending = [*([_without_faults] if production else []), masked, _renderer(production)]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[merge_contextvars, add_log_level, add_logger_name, ExtraAdder(allow=FIELDS), _at],
            processors=[ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    quick: list[Processor] = [merge_contextvars, add_log_level, _at, *ending]
    _quick[:] = [structlog.wrap_logger(structlog.WriteLogger(stream), quick, structlog.BoundLogger).bind()]
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.INFO)
    for name in (*_QUIET, *(("uvicorn.error",) if production else ())):
        logging.getLogger(name).setLevel(logging.WARNING)


def about(**fields: object) -> AbstractContextManager[None]:
    """Have every line within the block carry these fields, whoever writes it."""
    return bound_contextvars(**fields)


def tell(logger: logging.Logger, event: str, fields: Mapping[str, object]) -> None:
    """A line of information of which there are many, as the logger would write it, in half the time."""
    if not logger.isEnabledFor(logging.INFO):
        return
    if not _quick:
        logger.info(event, extra=fields)
    for quick in _quick:
        quick.info(event, logger=logger.name, **{name: value for name, value in fields.items() if name in _NAMED})


def _renderer(production: bool) -> Processor:
    if not production:
        plain = structlog.dev.plain_traceback
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=plain)
    return structlog.processors.JSONRenderer(serializer=lambda data, **_: orjson.dumps(data, default=str).decode())


_at = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")


def _without_faults(_: Any, __: str, line: EventDict) -> EventDict:
    """An exception as its kind and the places it went through, with those behind it."""
    found = line.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        line["fault"] = [_told(one) for one in _chain(error)]
    return line


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _told(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    words = [type(error).__name__, *([state] if isinstance(state, str) else []), "at", *_places(error.__traceback__)]
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return "; ".join([" ".join(words), *map(_told, parts)])


def _places(traceback: TracebackType | None) -> list[str]:
    frames = [(frame.f_code, line) for frame, line in walk_tb(traceback)]
    return [f"{_short(code.co_filename)}:{line}:{code.co_name}" for code, line in frames[-FRAMES_MOST:]]


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(_HOUSE)) if path.is_relative_to(_HOUSE) else "/".join(path.parts[-2:])


def masked(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line without whatever looks like somebody's: only the first line of words, since libraries go on quoting."""
    line["event"] = str(line.get("event", "")).partition("\n")[0]
    for name, value in line.items():
        if isinstance(value, str) and name not in _OURS:
            line[name] = _TELLING.sub(MASK, value)
    return line
