"""What settlement refuses."""

from saas.base.errors import DomainError


class NothingToSettle(DomainError):
    """Nothing was ever settled and no hold has an end yet, so there is no first period to close."""

    code = "NOTHING_TO_SETTLE"
    en = "No commission falls due yet, so there is no first period to close. Close it once an order was delivered."
    zh = "尚无到期的佣金，没有可结账的首个结算期。请在有订单签收后再结账。"


class PeriodOutOfOrder(DomainError):
    """An earlier period is still open, or this one lies before the first that was settled."""

    code = "PERIOD_OUT_OF_ORDER"
    en = "The next period to close is {label}. Close it first, with a day that lies in it."
    zh = "下一个应结账的结算期为 {label}。请先以其中的某一天结账该期。"
