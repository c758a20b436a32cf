"""Every commission line explains itself, to people in two languages and to machines."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from saas.commissions.explain import as_data, explain
from saas.commissions.rules import Line, Member, Reason, Share, commission_for_line
from saas.commissions.shares import SPLIT
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
    details = dict.fromkeys(SPLIT, (3000, 1250)) | {Reason.NOT_QUALIFIED: (1, 2), Reason.NO_DIFFERENCE: (1000, 1500)}
    sentences = {
        other: said(language, reason=other, amount_minor=1000, detail=details.get(other, ())) for other in Reason
    }
    others = [sentence for other, sentence in sentences.items() if other is not reason]
    if reason not in (Reason.IN_FULL, Reason.CAPPED):  # the reduction shows in the amount
        assert sentences[reason] not in others
    assert ("第" in sentences[reason]) == (language == "zh-CN")


VOLUME = {
    "component": "pieces",
    "level": 0,
    "rate_bps": None,
    "per_piece_minor": 2000,
    "base_minor": 100_000,
    "quantity": 5,
    "amount_minor": 10_600,
    "detail": (28, 3, 200),
}
GAP = {"component": "gap", "rate_bps": 700, "base_minor": 100_000, "amount_minor": 7000, "detail": (2200, 1500)}
LEAD = {"component": "levels/lead", "level": 0, "rate_bps": None, "amount_minor": 875, "detail": (7000, 1250)}


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        (
            VOLUME,
            "The seller (level 0) earned CN¥106.00: 5 × CN¥20.00 + 3 × CN¥2.00 = CN¥106.00, "
            "after 28 pieces in the period (program 3, component pieces, tier gold).",
            "销售者（第 0 层）获得佣金 ¥106.00：5 × ¥20.00 + 3 × ¥2.00 = ¥106.00，此前本期已售 28 件"
            "（分销政策第 3 版，规则 pieces，级别 gold）。",
        ),
        (
            VOLUME | {"amount_minor": 15_500, "detail": (40, 45, 300, -40, 200)},
            "The seller (level 0) earned CN¥155.00: 5 × CN¥20.00 + 45 × CN¥3.00 − 40 × CN¥2.00 = CN¥155.00, "
            "after 40 pieces in the period (program 3, component pieces, tier gold).",
            "销售者（第 0 层）获得佣金 ¥155.00：5 × ¥20.00 + 45 × ¥3.00 − 40 × ¥2.00 = ¥155.00，此前本期已售 40 件"
            "（分销政策第 3 版，规则 pieces，级别 gold）。",
        ),
        (
            VOLUME | {"amount_minor": 10_000, "detail": (0,)},
            "The seller (level 0) earned CN¥100.00: 5 × CN¥20.00, after 0 pieces in the period "
            "(program 3, component pieces, tier gold).",
            "销售者（第 0 层）获得佣金 ¥100.00：5 × ¥20.00，此前本期已售 0 件"
            "（分销政策第 3 版，规则 pieces，级别 gold）。",
        ),
        (
            GAP,
            "Upline level 1 earned CN¥70.00: 22 % − 15 % = 7 % × CN¥1,000.00 (program 3, component gap, tier gold).",
            "第 1 层上级获得佣金 ¥70.00：22 % − 15 % = 7 % × ¥1,000.00（分销政策第 3 版，规则 gap，级别 gold）。",
        ),
        (
            GAP | {"rate_bps": 2200, "amount_minor": 22_000, "detail": (2200, 0)},
            "Upline level 1 earned CN¥220.00: 22 % × CN¥1,000.00 (program 3, component gap, tier gold).",
            "第 1 层上级获得佣金 ¥220.00：22 % × ¥1,000.00（分销政策第 3 版，规则 gap，级别 gold）。",
        ),
        (
            GAP | {"rate_bps": 0, "amount_minor": 0, "detail": (1000, 1500), "reason": Reason.NO_DIFFERENCE},
            "Upline level 1 earned nothing: its rate of 10 % is not above the 15 % reached below it "
            "(program 3, component gap, tier gold).",
            "第 1 层上级未获佣金：其级别比例 10 % 不高于下方已达到的 15 %（分销政策第 3 版，规则 gap，级别 gold）。",
        ),
        (
            GAP
            | {"base_minor": 5, "amount_minor": 0, "rate_bps": 1000, "detail": (2000, 1000)}
            | {"reason": Reason.SUSPENDED},
            "Upline level 1 earned nothing: this distributor was suspended at the sale "
            "(program 3, component gap, tier gold); CN¥0.01 stay with the company.",
            "第 1 层上级未获佣金：该分销商在成交时已被暂停（分销政策第 3 版，规则 gap，级别 gold）；¥0.01 留存公司。",
        ),
        (
            GAP | {"base_minor": 50, "amount_minor": 3, "reason": Reason.WITHIN_TOP_RATE},
            "Upline level 1 earned CN¥0.03: 22 % − 15 % = 7 % × CN¥0.50 (program 3, component gap, tier gold), "
            "reduced from CN¥0.04 so that the shares of all tiers together stay within the highest rate.",
            "第 1 层上级获得佣金 ¥0.03：22 % − 15 % = 7 % × ¥0.50（分销政策第 3 版，规则 gap，级别 gold）；"
            "各级别合计不超过最高比例，故由 ¥0.04 缩减。",
        ),
        (
            GAP | {"component": "gap/same_tier", "rate_bps": 250, "amount_minor": 2500, "detail": ()},
            "Upline level 1 earned CN¥25.00: same-tier bonus, 2.5 % × CN¥1,000.00 "
            "(program 3, component gap/same_tier, tier gold).",
            "第 1 层上级获得佣金 ¥25.00：平级奖，2.5 % × ¥1,000.00（分销政策第 3 版，规则 gap/same_tier，级别 gold）。",
        ),
        (
            {"amount_minor": 0, "reason": Reason.NOT_QUALIFIED, "detail": (49_999, 50_000)},
            "Upline level 1 earned nothing: its own sales of CN¥499.99 in the period are below the CN¥500.00 that the "
            "program asks of an upline (program 3, component levels, tier gold); CN¥12.50 stay with the company.",
            "第 1 层上级未获佣金：其本期自身销售额 ¥499.99 未达到分销政策对上级要求的 ¥500.00"
            "（分销政策第 3 版，规则 levels，级别 gold）；¥12.50 留存公司。",
        ),
        (
            {"level": 0, "amount_minor": 375, "reason": Reason.LEAD_SHARED, "detail": (3000, 1250)},
            "The seller (level 0) earned CN¥3.75: 12.5 % × CN¥100.00 (program 3, component levels, tier gold), "
            "30 % of the CN¥12.50 shared with the distributor of the customer's region.",
            "销售者（第 0 层）获得佣金 ¥3.75：12.5 % × ¥100.00（分销政策第 3 版，规则 levels，级别 gold）；"
            "与客户所在区域的分销商分享 ¥12.50，销售者得 30 %。",
        ),
        (
            VOLUME | {"amount_minor": 3000, "reason": Reason.LEAD_SHARED, "detail": (28, 3, 200, 3000, 10_000)},
            "The seller (level 0) earned CN¥30.00: 5 × CN¥20.00 + 3 × CN¥2.00 = CN¥106.00, after 28 pieces in the "
            "period (program 3, component pieces, tier gold), reduced from CN¥106.00 by the limit on the line's "
            "payout, 30 % of the CN¥100.00 shared with the distributor of the customer's region.",
            "销售者（第 0 层）获得佣金 ¥30.00：5 × ¥20.00 + 3 × ¥2.00 = ¥106.00，此前本期已售 28 件"
            "（分销政策第 3 版，规则 pieces，级别 gold）；因该行支付上限由 ¥106.00 按比例缩减；"
            "与客户所在区域的分销商分享 ¥100.00，销售者得 30 %。",
        ),
        (
            {"level": 0, "amount_minor": 0, "reason": Reason.LEAD_TO_PARTNER, "detail": (0, 1250)},
            "The seller (level 0) earned nothing: the whole CN¥12.50 goes to the distributor of the customer's region "
            "(program 3, component levels, tier gold).",
            "销售者（第 0 层）未获佣金：全部 ¥12.50 归客户所在区域的分销商"
            "（分销政策第 3 版，规则 levels，级别 gold）。",
        ),
        (
            LEAD,
            "The distributor of the customer's region earned CN¥8.75: 70 % of the seller's CN¥12.50 "
            "(program 3, component levels/lead, tier gold).",
            "客户所在区域的分销商获得佣金 ¥8.75：销售者佣金 ¥12.50 的 70 %"
            "（分销政策第 3 版，规则 levels/lead，级别 gold）。",
        ),
        (
            LEAD | {"amount_minor": 0, "reason": Reason.EXITED},
            "The distributor of the customer's region earned nothing: this distributor had left at the sale "
            "(program 3, component levels/lead, tier gold); CN¥8.75 stay with the company.",
            "客户所在区域的分销商未获佣金：该分销商在成交时已退出"
            "（分销政策第 3 版，规则 levels/lead，级别 gold）；¥8.75 留存公司。",
        ),
    ],
)
def test_every_kind_of_share_writes_its_arithmetic_out(changes: dict[str, Any], en: str, zh: str) -> None:
    assert said("en", **changes) == en
    assert said("zh-CN", **changes) == zh


def numbers(**changes: Any) -> dict[str, object]:
    told = as_data(Share(**BASE | changes), program_number=3, currency="CNY")
    return {key: told[key] for key in list(told)[-9:] if told[key] not in (None, [])}


def test_as_data_tells_the_numbers_of_each_kind_of_share() -> None:
    assert numbers(**VOLUME) == {"piecesBefore": 28, "lifts": [{"pieces": 3, "extraMinor": 200}]}
    assert numbers(**VOLUME | {"detail": (0,)}) == {"piecesBefore": 0}
    assert numbers(**GAP) == {"ownRateBps": 2200, "rateBelowBps": 1500}
    assert numbers(**LEAD) == {"splitBps": 7000, "wholeMinor": 1250}
    assert numbers(reason=Reason.NOT_QUALIFIED, detail=(1, 2)) == {"ownSalesMinor": 1, "neededSalesMinor": 2}
    split = GAP | {"reason": Reason.LEAD_SHARED, "detail": (2200, 1500, 3000, 7000)}
    assert numbers(**split) == {"ownRateBps": 2200, "rateBelowBps": 1500, "splitBps": 3000, "wholeMinor": 7000}


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
        "piecesBefore": None,
        "madeUpMinor": None,
        "lifts": [],
        "ownRateBps": None,
        "rateBelowBps": None,
        "ownSalesMinor": None,
        "neededSalesMinor": None,
        "splitBps": None,
        "wholeMinor": None,
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
