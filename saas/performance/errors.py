"""What closing periods refuses."""

from saas.base.errors import DomainError


class PeriodNotOver(DomainError):
    """The period still runs."""

    code = "PERIOD_NOT_OVER"
    en = "The period {label} ends at {until}. Close it after that."
    zh = "周期 {label} 于 {until} 结束。请在此之后再结账。"


class NothingInPeriod(DomainError):
    """The program pays nothing for such a period and reviews no tiers by it, so there is nothing to close."""

    code = "NOTHING_IN_PERIOD"
    en = (
        "Program {number}, in force at the end of {label}, pays nothing for a period of this length and reviews no "
        "tiers by it. Choose another length, or give the program a component or tier rules for it."
    )
    zh = (
        "{label} 结束时生效的分销政策第 {number} 版没有按该周期计算的奖励，也不按该周期考核级别。"
        "请选择其他周期，或在政策中增加相应规则。"
    )
