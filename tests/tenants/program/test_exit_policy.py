"""The exit policy of a program: what older documents mean, which numbers are allowed, and what is worth a look."""

from typing import Any

import pytest

from tenants.program import Program, as_data, parse, validate
from tenants.program.document import BuyBack, ExitPolicy, ExitTerms
from tenants.program.findings import Severity
from tenants.program.presets import preset
from tenants.program.wording import in_words


def with_exit(**policy: Any) -> dict[str, Any]:
    data = as_data(preset("lotus"))
    return {**data, "exit": {**data["exit"], **policy}}


def program(**policy: Any) -> Program:
    parsed = parse(with_exit(**policy))
    assert isinstance(parsed, Program), parsed
    return parsed


def test_an_older_document_buys_nothing_back_and_erases_nobody() -> None:
    data = with_exit()
    data["exit"] = {kind: data["exit"][kind] for kind in ("voluntary", "breach")}
    parsed = parse(data)
    assert isinstance(parsed, Program)
    assert parsed.exit == ExitPolicy(
        voluntary=ExitTerms(downline_to="sponsor", pending="keep"),
        breach=ExitTerms(downline_to="sponsor", pending="forfeit"),
        inactivity=ExitTerms(downline_to="sponsor", pending="keep"),
        brand_decision=ExitTerms(downline_to="sponsor", pending="keep"),
        buy_back=None,
        retention_days=None,
    )


def test_every_setting_is_kept() -> None:
    heir = {"downline_to": "heir", "pending": "forfeit"}
    made = program(inactivity=heir, brand_decision=heir, buy_back={"rate_bps": 9000, "months": 12}, retention_days=1095)
    assert made.exit.buy_back == BuyBack(rate_bps=9000, months=12)
    assert (made.exit.inactivity.downline_to, made.exit.retention_days) == ("heir", 1095)
    assert parse(as_data(made)) == made


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        ({"buy_back": {"rate_bps": 0, "months": 12}}, "exit.buy_back.rate_bps"),
        ({"buy_back": {"rate_bps": 10_001, "months": 12}}, "exit.buy_back.rate_bps"),
        ({"buy_back": {"rate_bps": 9000, "months": 0}}, "exit.buy_back.months"),
        ({"buy_back": {"rate_bps": 9000, "months": 121}}, "exit.buy_back.months"),
        ({"retention_days": 0}, "exit.retention_days"),
        ({"breach": {"downline_to": "friend", "pending": "keep"}}, "exit.breach.downline_to"),
    ],
)
def test_numbers_and_choices_have_bounds(policy: dict[str, Any], path: str) -> None:
    found = parse(with_exit(**policy))
    assert not isinstance(found, Program)
    assert [one.path for one in found] == [path]


def test_data_is_kept_while_goods_come_back() -> None:
    hold = program().settlement.hold_days
    known = validate(program())
    assert validate(program(retention_days=hold)) == known
    (short,) = [one for one in validate(program(retention_days=hold - 1)) if one not in known]
    assert (short.path, short.code, short.severity) == ("exit.retention_days", "RETENTION_SHORT", Severity.WARNING)


def test_changes_are_told_in_both_languages() -> None:
    after = program(
        inactivity={"downline_to": "heir", "pending": "keep"},
        buy_back={"rate_bps": 9000, "months": 12},
        retention_days=1095,
    )
    english, chinese = in_words(program(), after), in_words(program(), after, "zh-CN")
    assert english == [
        "Exit, inactivity: downline goes to the sponsor → a named heir",
        "Exit: stock bought back not set → rate 90 %; months 12",
        "Exit: days until personal data is erased not set → 1095",
    ]
    assert chinese == [
        "清退，长期未经营清退：下线归属 上级 → 指定承接人",
        "清退：库存回购 未设置 → 比例 90 %；月数 12",
        "清退：个人信息保留天数 未设置 → 1095",
    ]
