"""What the network refuses, and how to mend it."""

from saas.base.errors import DomainError


class CodeInvalid(DomainError):
    """A distributor code that could not be read back or typed."""

    code = "DISTRIBUTOR_CODE_INVALID"
    en = "The code {value} is not usable. Use 1 to 40 printable characters without spaces."
    zh = "分销商编码 {value} 不可用。请使用 1 至 40 个不含空格的可见字符。"


class CodeTaken(DomainError):
    """The code belongs to another distributor of the brand, or came twice."""

    code = "DISTRIBUTOR_CODE_TAKEN"
    en = "The code {value} is taken. Choose another one."
    zh = "分销商编码 {value} 已被占用。请换一个编码。"


class NameInvalid(DomainError):
    """A name nobody could read."""

    code = "NAME_INVALID"
    en = "A name has 1 to 100 printable characters. Correct the name."
    zh = "名称须为 1 至 100 个可见字符。请修改名称。"


class RegionInvalid(DomainError):
    """Not a division code of GB/T 2260."""

    code = "REGION_INVALID"
    en = "The region {value} is not a GB/T 2260 code. Use its six digits, such as 310100."
    zh = "地区 {value} 不是 GB/T 2260 行政区划代码。请使用六位数字，例如 310100。"


class RegionFull(DomainError):
    """The region has as many distributors as the program allows."""

    code = "REGION_FULL"
    en = (
        "The region {region} may have {limit} distributors and has them. Choose another region, let one of them leave, "
        "or raise territory.agents in the program."
    )
    zh = (
        "地区 {region} 最多 {limit} 名分销商，名额已满。请选择其他地区，待现有分销商退出，"
        "或在分销政策中提高 territory.agents。"
    )


class TierTwice(DomainError):
    """One list gives a distributor two tiers."""

    code = "TIER_TWICE"
    en = "The distributor {value} is in the list twice. Keep one of the entries."
    zh = "分销商 {value} 在列表中重复出现。请只保留一项。"


class TierPinInPast(DomainError):
    """A pin that would have ended already."""

    code = "TIER_PIN_IN_PAST"
    en = "A tier can be pinned until a later day than {today}. Give a later day or leave it out."
    zh = "级别锁定的截止日须晚于 {today}。请填写更晚的日期或留空。"


class TierMomentInPast(DomainError):
    """Tiers hold for sales to come."""

    code = "TIER_MOMENT_IN_PAST"
    en = "A tier holds for sales from now on, not from {value}. Give a later moment or leave it out."
    zh = "级别自现在起对新订单生效，不能自 {value} 起生效。请填写更晚的时间或留空。"


class TiersChanged(DomainError):
    """Somebody changed a tier while a period was being closed."""

    code = "TIERS_CHANGED"
    en = "Tiers or standings changed while they were reviewed. Try again."
    zh = "审核期间级别或状态发生了变化。请重试。"


class PhoneInvalid(DomainError):
    """Not a phone number; the number is not repeated."""

    code = "PHONE_INVALID"
    en = "This is not a phone number. Use eleven digits, or + with country code."
    zh = "电话号码格式不正确。请填写 11 位号码，或以 + 和国家代码开头。"


class IdNumberInvalid(DomainError):
    """Not an identity or registration number; the number is not repeated."""

    code = "ID_NUMBER_INVALID"
    en = "This is not an ID number. Use the 6 to 32 letters and digits on the document."
    zh = "证件号码格式不正确。请填写证件上的 6 至 32 位字母和数字。"


class TierUnknown(DomainError):
    """The program has no such tier."""

    code = "TIER_UNKNOWN"
    en = "The program has no tier {value}. Use one of: {known}."
    zh = "分销政策中没有级别 {value}。可用级别：{known}。"


class SponsorNotActive(DomainError):
    """Only an active distributor can take people under itself."""

    code = "SPONSOR_NOT_ACTIVE"
    en = "The sponsor {value} is {state}. Name an active distributor as sponsor."
    zh = "上级 {value} 当前状态为 {state}。请指定状态为有效的分销商作为上级。"


class SponsorLoop(DomainError):
    """Applicants of one list who are each other's upline."""

    code = "SPONSOR_LOOP"
    en = "The sponsors of {value} lead back to it. Correct the sponsor."
    zh = "{value} 的上级链形成循环。请修改上级。"


class DepthExceeded(DomainError):
    """The tree would grow deeper than the program allows."""

    code = "DEPTH_EXCEEDED"
    en = "The tree would be {depth} generations deep; the program allows {limit}. Choose a sponsor higher up."
    zh = "层级将达到 {depth} 层，分销政策最多允许 {limit} 层。请选择更高层级的上级。"


class RecruitingNotAllowed(DomainError):
    """The program lets others recruit, not this distributor."""

    code = "RECRUITING_NOT_ALLOWED"
    en = "The program does not let this distributor recruit. Ask the brand to enrol the applicant."
    zh = "分销政策不允许该分销商发展下级。请联系品牌方办理加入。"


class SponsorNotSelf(DomainError):
    """A distributor enrols under itself, never under somebody else."""

    code = "SPONSOR_NOT_SELF"
    en = "A distributor enrols applicants under itself. Name yourself as sponsor."
    zh = "分销商只能将申请人发展为自己的直接下级。请将上级设为本人。"


class ReviewNotYours(DomainError):
    """An applicant is approved by the brand."""

    code = "REVIEW_NOT_YOURS"
    en = "Only the brand can enrol without review. Leave out the approval."
    zh = "只有品牌方可以免审加入。请取消免审选项。"


class Barred(DomainError):
    """The brand does not take this person again; the number is not repeated."""

    code = "ENROLMENT_BARRED"
    en = "The brand does not accept an enrolment with this number. Ask the brand to review the case."
    zh = "品牌方不接受使用该号码加入。如有疑问，请联系品牌方复核。"


class AlreadyBarred(DomainError):
    """The number is on the orange list."""

    code = "ALREADY_BARRED"
    en = "This number is on the orange list. Nothing needs to be added."
    zh = "该号码已在橙色名单中，无需重复添加。"


class MoveMakesCycle(DomainError):
    """A distributor cannot come to stand under itself."""

    code = "MOVE_MAKES_CYCLE"
    en = "{sponsor} is {subject} or in its downline. Choose a sponsor outside of it."
    zh = "{sponsor} 是 {subject} 本人或其下线。请选择其团队之外的上级。"


class SponsorBound(DomainError):
    """The program binds a distributor to its sponsor."""

    code = "SPONSOR_BOUND"
    en = "The program binds you to your sponsor. Ask the brand to move you."
    zh = "分销政策规定与上级的绑定关系仍然有效。请联系品牌方办理调整。"


class HeirNeeded(DomainError):
    """The program lets an heir take the downline, and there is one to take."""

    code = "HEIR_NEEDED"
    en = "The program gives the downline to a named heir. Ask for the exit with an heirId."
    zh = "分销政策规定下线由指定承接人接管。请在申请退出时填写 heirId。"


class HeirNotActive(DomainError):
    """Only an active distributor can take a downline."""

    code = "HEIR_NOT_ACTIVE"
    en = "The heir {value} is {state}. Ask for the exit with an active distributor as heir."
    zh = "承接人 {value} 当前状态为 {state}。请指定状态为有效的分销商作为承接人并重新申请退出。"


class HeirBelow(DomainError):
    """An heir stands directly below who leaves, or elsewhere in the tree."""

    code = "HEIR_BELOW"
    en = "{heir} is {subject} or too deep in its downline. Name one directly below it, or one outside of its downline."
    zh = "{heir} 是 {subject} 本人或其较深层的下线。请指定其直接下级，或其团队之外的分销商。"
