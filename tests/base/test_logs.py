"""Lines of the log: a JSON object each, with named fields only, and nothing of a person whoever writes what."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from saas.base import logs
from saas.base.settings import Environment
from tenants.tokens import TokenKind

log = logging.getLogger("banyan.tests")
PHONE = "13812345678"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written() -> Iterator[Lines]:
    """What production writes, line by line."""
    before, level, stream = logging.root.handlers[:], logging.root.level, io.StringIO()
    logs.configure(Environment.PRODUCTION, stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.root.handlers[:] = before
    logging.root.setLevel(level)


def test_a_line_says_when_who_and_what_with_the_fields_that_are_named(written: Lines) -> None:
    with logs.about(request_id="abc", tenant=7):
        log.warning("jobs of brand %d", 7, extra={"duration_ms": 1.5, "address": "10.0.0.1", "phone": PHONE})
    log.info("afterwards")
    first, second = written()
    assert first.pop("at") <= second.pop("at")
    assert first == {
        "event": "jobs of brand 7",
        "level": "warning",
        "logger": "banyan.tests",
        "request_id": "abc",
        "tenant": 7,
        "duration_ms": 1.5,
    }
    assert second == {"event": "afterwards", "level": "info", "logger": "banyan.tests"}


def test_one_of_many_lines_is_written_as_the_logger_writes_it(written: Lines) -> None:
    fields = {"status": 200, "operation_name": f"of {PHONE}", "phone": PHONE}
    with logs.about(request_id="abc"):
        log.info("request", extra=fields)
        logs.tell(log, "request", fields)
    first, second = written()
    assert first.pop("at") <= second.pop("at")
    assert first == second
    assert PHONE not in str(first)
    logging.root.setLevel(logging.WARNING)
    logs.tell(log, "request", fields)
    assert len(written()) == 2


@pytest.mark.parametrize(
    "told",
    [
        *(f"{kind}_z_8Rp-80WSMGgLqxcfKOJ7-hvaGlNs7EWKeroPeT21mME" for kind in TokenKind),
        PHONE,
        "+8613812345678",
        "138 1234 5678",
        "11010519491231002X",
        "6222 0202 0001 2345 678",
        "mei@example.com",
    ],
)
def test_what_looks_like_somebodys_is_masked_wherever_it_stands(written: Lines, told: str) -> None:
    log.info("asked by %s.", told)
    log.info("x", extra={"kind": f"({told})"})
    first, second = written()
    assert (first["event"], second["kind"]) == ("asked by ***.", "(***)")


@pytest.mark.parametrize(
    "told", ["019336f5-2d6e-7a3f-8c11-123456789012", "019336f52d6e7a3f8c11123456789012", "2026-11-28", "19 of 20,000"]
)
def test_ids_days_and_counts_are_told_as_they_are(written: Lines, told: str) -> None:
    log.info("job %s", told)
    assert written()[0]["event"] == f"job {told}"


def test_an_exception_is_told_by_its_kind_and_place_and_so_are_those_behind_it(written: Lines) -> None:
    try:
        try:
            raise KeyError(f"Mei {PHONE}")
        except KeyError as cause:
            raise ExceptionGroup("Mei", [ValueError("Mei"), TypeError("Mei")]) from cause
    except ExceptionGroup:
        log.exception("a chore failed\nDETAIL: Key (name)=(Mei) exists")
    (line,) = written()
    assert "Mei" not in str(line)
    outer, inner = line["fault"]
    assert outer.startswith("ExceptionGroup at tests/base/test_logs.py:")
    assert "ValueError" in outer
    assert "TypeError" in outer
    assert inner.startswith("KeyError at tests/base/test_logs.py:")
    assert line["event"] == "a chore failed"


def test_in_development_a_line_is_for_people() -> None:
    before, stream = logging.root.handlers[:], io.StringIO()
    logs.configure(Environment.DEVELOPMENT, stream)
    try:
        log.info("asked by %s", PHONE, extra={"status": 200})
    finally:
        logging.root.handlers[:] = before
    assert "asked by ***" in stream.getvalue()
    assert "status=200" in stream.getvalue()
