"""What an exit refuses, and how to go on."""

from saas.base.errors import DomainError


class ExitAlreadyOpen(DomainError):
    """The distributor has an exit that is neither withdrawn nor rejected."""

    code = "EXIT_ALREADY_OPEN"
    en = "This distributor has an exit already. Continue that one, or withdraw it first."
    zh = "该分销商已有退出申请。请继续处理该申请，或先行撤回。"


class ExitNeedsSecondPerson(DomainError):
    """Who asked for the exit may not approve it."""

    code = "EXIT_NEEDS_SECOND_PERSON"
    en = "You asked for this exit, so somebody else must approve it. Ask another person of the brand."
    zh = "该退出申请由您提出，须由他人审批。请联系品牌方的另一位同事。"


class ExitNotVoluntary(DomainError):
    """Only a voluntary exit is the distributor's own to ask for and to take back."""

    code = "EXIT_NOT_VOLUNTARY"
    en = "Only a voluntary exit can be asked for or withdrawn here. Ask the brand to reject the exit instead."
    zh = "此处只能申请或撤回自愿退出。请联系品牌方驳回该退出。"


class ExitNotSettled(DomainError):
    """Money of the distributor is still on its way."""

    code = "EXIT_NOT_SETTLED"
    en = "There is still money to settle: {amounts}. Settle and pay it out, then close the exit."
    zh = "仍有未结清的款项：{amounts}。请完成结算和打款后再关闭该退出。"


class ExitAwaits(DomainError):
    """Nothing is on the accounts, and something is still under way that may bring or take money."""

    code = "EXIT_AWAITS"
    en = "Money may still come or go: {what}. Finish that first, then close the exit."
    zh = "仍可能有款项往来：{what}。请先处理完毕，再关闭该退出。"


class HeirNotAsked(DomainError):
    """The program says itself who takes the downline."""

    code = "HEIR_NOT_ASKED"
    en = "The program gives the downline to the {to}. Leave out heirId, or set downline_to to heir in the program."
    zh = "分销政策规定下线归{to}。请不填写 heirId，或在分销政策中将 downline_to 设为 heir。"


class StockNotBought(DomainError):
    """More is declared as gone than was bought in the window of the buy-back."""

    code = "STOCK_NOT_BOUGHT"
    en = "{bought} pieces of {sku} can be bought back. Declare 0 to {bought} of them as gone."
    zh = "商品 {sku} 可回购 {bought} 件。请申报已售出 0 至 {bought} 件。"


class StockTwice(DomainError):
    """One product is declared twice."""

    code = "STOCK_TWICE"
    en = "The product {sku} is declared twice. Keep one of the entries."
    zh = "商品 {sku} 重复申报。请只保留一项。"


class ExitStockChanged(DomainError):
    """Goods were bought, shipped or returned since the quote, and another buy-back would be due than was approved."""

    code = "EXIT_STOCK_CHANGED"
    en = (
        "The stock to buy back came to {quoted} when the exit was quoted and comes to {now} by now. Reject or withdraw "
        "this exit and quote it again."
    )
    zh = "报价时应回购库存为 {quoted}，现为 {now}。请驳回或撤回该退出申请，并重新报价。"


class NotInactive(DomainError):
    """A distributor of the list sold something, is not active, or has an exit already."""

    code = "NOT_INACTIVE"
    en = "The distributor {value} is not on the list of those inactive for {days} days. Take it off your list."
    zh = "分销商 {value} 不在 {days} 天未经营名单中。请将其从列表中移除。"
