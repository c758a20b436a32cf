"""The refusals of simulations."""

from saas.base.errors import DomainError


class SimulationSpanRefused(DomainError):
    """The days to replay are none, or more than a simulation takes."""

    code = "SIMULATION_SPAN_REFUSED"
    en = "{since} to {until} cannot be replayed. Give a first day and a later day, at most {years} years apart."
    zh = "无法重放 {since} 至 {until}。请填写起始日和更晚的截止日，间隔不超过 {years} 年。"


class SimulationCurrency(DomainError):
    """The program is written in a currency that the brand's orders are not in."""

    code = "SIMULATION_CURRENCY"
    en = "The program is in {value}, this brand's orders are in {needed}. Change the program's currency."
    zh = "该分销政策使用 {value}，而品牌订单使用 {needed}。请修改分销政策的货币。"


class SimulationUnfinished(DomainError):
    """The simulation has no result yet."""

    code = "SIMULATION_UNFINISHED"
    en = "This simulation has no result yet. Wait for its job to end, or start it again."
    zh = "该模拟尚无结果。请等待任务结束，或重新开始。"


class OrderNotReplayed(DomainError):
    """The order is not among those that the simulation replayed."""

    code = "ORDER_NOT_REPLAYED"
    en = "This simulation did not replay order {value}. Choose one that was paid in its days and not cancelled."
    zh = "该模拟未重放订单 {value}。请选择在其日期内支付且未取消的订单。"
