"""Every award says in one sentence, in both languages, and as data, what it is and why."""

from typing import Any

import pytest

from saas.performance.explain import arithmetic, explain
from saas.performance.rules import Award, AwardReason, PeriodBook
from tests.performance.cases import BRAND_BANDS, MILLION, component, holder, path, program, sale, seat, sold


def awards(kind: str, amount_minor: int, status: str = "active", **settings: Any) -> list[Award]:
    """What A and B earn who sold the same."""
    wanted = component(kind, **settings)
    book = PeriodBook(program(wanted.model_dump(mode="json")), "month")
    for no in (1, 2):
        book.add(sale(no, path(no), sold(amount_minor, pieces=3), channel="douyin"))
    return book.awards({seat(1): holder("A", 1, status=status), seat(2): holder("B", 2)})


def said(award: Award) -> tuple[str, str]:
    """Both languages."""
    told = [explain(award, tongue, program_number=3, currency="CNY", period="2026-03") for tongue in ("en", "zh-CN")]
    return told[0].replace("\xa0", " "), told[1]


def test_a_rebate_shows_its_arithmetic() -> None:
    award = awards("tiered_rebate", 6 * MILLION, bands=BRAND_BANDS, applies="MARGINAL")[0]
    en, zh = said(award)
    assert en == (
        "Rebate of CN¥330,000.00 for 2026-03: 5 % × CN¥5,000,000.00 + 8 % × CN¥1,000,000.00, as own sales of "
        "CN¥6,000,000.00 reached CN¥5,000,000.00 (program 3, component it, tier silver)."
    )
    assert zh == (
        "2026-03 返点 ¥330,000.00：5 % × ¥5,000,000.00 + 8 % × ¥1,000,000.00，"
        "因个人业绩 ¥6,000,000.00 达到 ¥5,000,000.00"
        "（分销政策第 3 版，规则 it，级别 silver）。"
    )
    assert arithmetic(award) == (
        "own_sales",
        6 * MILLION,
        5 * MILLION,
        None,
        [(5 * MILLION, 500), (MILLION, 800)],
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("kind", "settings", "en", "zh"),
    [
        ("target_bonus", {"measure": "pieces", "targets": [{"at_least": 3, "bonus_minor": 500}]},
         "Target bonus of CN¥5.00 for 2026-03: pieces of 3 reached 3", "2026-03 目标奖励 ¥5.00：销售件数 3 达到 3"),
        ("target_bonus", {"targets": [{"at_least": 20_000, "bonus_minor": 500}]},
         "No target bonus for 2026-03: own sales of CN¥100.00 are below CN¥200.00",
         "2026-03 未获目标奖励：个人业绩 ¥100.00，未达到 ¥200.00"),
        ("event_bonus", {"bonus_minor": 500},
         "Event bonus of CN¥5.00 for 2026-03: the first order in channel douyin, of CN¥100.00",
         "2026-03 首单奖励 ¥5.00：渠道「douyin」首单，金额 ¥100.00"),
        ("event_bonus", {"bonus_minor": 500, "minimum_minor": 20_000},
         "No event bonus for 2026-03: the largest order in channel douyin, CN¥100.00, is below CN¥200.00",
         "2026-03 未获首单奖励：渠道「douyin」最大一单 ¥100.00，未达到 ¥200.00"),
        ("ranking_award", {"awards_minor": [500]},
         "Ranking award of CN¥5.00 for 2026-03: place 1 of 1 with own sales of CN¥100.00",
         "2026-03 排名奖励 ¥5.00：个人业绩 ¥100.00，排名第 1（奖励前 1 名）"),
    ],
)  # fmt: skip
def test_each_kind_has_its_sentence(kind: str, settings: dict[str, Any], en: str, zh: str) -> None:
    told = said(awards(kind, 10_000, **settings)[0])
    assert told == (f"{en} (program 3, component it, tier silver).", f"{zh}（分销政策第 3 版，规则 it，级别 silver）。")


def test_those_behind_are_told_their_place() -> None:
    en, zh = said(awards("ranking_award", 10_000, awards_minor=[500])[1])
    assert "place 2 with own sales of CN¥100.00, and 1 places are paid" in en
    assert "排名第 2，仅奖励前 1 名" in zh
    en, zh = said(awards("event_bonus", 10_000, bonus_minor=500, once="brand")[1])
    assert "another distributor had the first order in channel douyin" in en
    assert "渠道「douyin」的首单由其他分销商完成" in zh


def test_what_a_suspended_one_would_have_earned_stays_with_the_company() -> None:
    en, zh = said(awards("tiered_rebate", 6 * MILLION, status="suspended", bands=BRAND_BANDS)[0])
    assert "was suspended at the close" in en and "CN¥480,000.00 stay with the company" in en
    assert "处于暂停状态" in zh and "¥480,000.00 留存公司" in zh


@pytest.mark.parametrize("reason", AwardReason)
def test_every_reason_has_both_languages(reason: AwardReason) -> None:
    award = awards("event_bonus", 10_000, bonus_minor=500)[0]._replace(amount_minor=0, reason=reason)
    en, zh = said(award)
    assert en.isascii() or "¥" in en
    assert any("\u4e00" <= sign <= "\u9fff" for sign in zh)
    assert "{" not in en + zh
