"""Every commission line explains itself, to people in two languages and to machines."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from saas.commissions.explain import as_data, explain
from saas.commissions.rules import Line, Member, Reason, Share, commission_for_line
from tenants.program import Program, compile_program, parse
from tests.commissions.cases import lines, members
from tests.tenants.program.documents import documents

BASE: dict[str, Any] = {
    "component": "levels",
    "level": 1,
    "beneficiary_id": UUID(int=7),
    "tier": "gold",
    "rate_bps": 1250,
    "per_piece_minor": None,
    "base_minor": 10_000,
    "quantity": 2,
    "amount_minor": 1250,
    "reason": Reason.IN_FULL,
}


def said(language: str, **changes: Any) -> str:
    return explain(Share(**BASE | changes), language, program_number=3, currency="CNY")


def test_a_share_earned_in_full_tells_level_arithmetic_tier_and_source() -> None:
    assert said("en") == (
        "Upline level 1 earned CN¥12.50: 12.5 % × CN¥100.00 (program 3, component levels, tier gold)."
    )
    assert said("zh-CN") == "第 1 层上级获得佣金 ¥12.50：12.5 % × ¥100.00（分销政策第 3 版，规则 levels，级别 gold）。"


def test_a_share_by_the_piece_tells_the_quantity() -> None:
    piece = {"level": 0, "tier": None, "rate_bps": None, "per_piece_minor": 800, "quantity": 3, "amount_minor": 2400}
    assert said("en", **piece) == "The seller (level 0) earned CN¥24.00: 3 × CN¥8.00 (program 3, component levels)."
    assert said("zh-CN", **piece) == "销售者（第 0 层）获得佣金 ¥24.00：3 × ¥8.00（分销政策第 3 版，规则 levels）。"


@pytest.mark.parametrize("bps", [1, 10, 100, 1000, 10_000, 1234])
def test_rates_are_written_exactly(bps: int) -> None:
    percent = {1: "0.01", 10: "0.1", 100: "1", 1000: "10", 10_000: "100", 1234: "12.34"}[bps]
    assert f": {percent} % ×" in said("en", rate_bps=bps, amount_minor=bps)


def test_a_share_that_was_limited_tells_what_it_was() -> None:
    limited = said("en", reason=Reason.CAPPED, amount_minor=1000)
    assert "earned CN¥10.00: 12.5 % × CN¥100.00" in limited
    assert "reduced from CN¥12.50 by the limit on the line's payout" in limited
    both = said("zh-CN", reason=Reason.MOVED_UP, amount_minor=1000)
    assert "递补" in both
    assert "由 ¥12.50 按比例缩减" in both


def test_a_share_kept_tells_why_and_how_much_stays_with_the_company() -> None:
    kept = said("en", reason=Reason.SUSPENDED, amount_minor=0)
    assert "earned nothing: this distributor was suspended at the sale" in kept
    assert "CN¥12.50 stay with the company" in kept
    assert "stay" not in said("en", reason=Reason.RATE_ZERO, rate_bps=0, amount_minor=0)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_reason_has_its_own_sentence_in_each_language(reason: Reason, language: str) -> None:
    sentences = {other: said(language, reason=other, amount_minor=1000) for other in Reason}
    others = [sentence for other, sentence in sentences.items() if other is not reason]
    if reason not in (Reason.IN_FULL, Reason.CAPPED):  # the reduction shows in the amount
        assert sentences[reason] not in others
    assert ("第" in sentences[reason]) == (language == "zh-CN")


def test_as_data_tells_every_number() -> None:
    assert as_data(Share(**BASE), program_number=3, currency="CNY") == {
        "component": "levels",
        "programNumber": 3,
        "level": 1,
        "beneficiaryId": "00000000-0000-0000-0000-000000000007",
        "tier": "gold",
        "rateBps": 1250,
        "perPieceMinor": None,
        "baseMinor": 10_000,
        "quantity": 2,
        "fullMinor": 1250,
        "amountMinor": 1250,
        "currency": "CNY",
        "outcome": "earned",
        "reason": "in_full",
    }


@given(documents(), lines, members)
@settings(deadline=None, max_examples=100)
def test_whatever_is_computed_can_be_explained(data: dict[str, Any], on: Line, to: tuple[Member, ...]) -> None:
    of = parse(data)
    assert isinstance(of, Program)
    for share in commission_for_line(compile_program(of), on, to).shares:
        for language, end in (("en", "."), ("zh-CN", "。")):
            assert explain(share, language, program_number=1, currency="CNY").endswith(end)
        assert as_data(share, program_number=1, currency="CNY")["amountMinor"] == share.amount_minor


def test_amounts_follow_the_currency() -> None:
    yen = explain(Share(**BASE), "en", program_number=1, currency="JPY")
    assert "¥1,250" in yen
