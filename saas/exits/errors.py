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
