"""What can be refused to tenants and people."""

from saas.base.errors import DomainError


class Forbidden(DomainError):
    """The actor's role does not allow the step."""

    code = "FORBIDDEN"
    en = "Your role {role} may not do this. Ask somebody whose role may: {needed}."
    zh = "您的角色 {role} 无权执行此操作。请联系具有相应角色的人员：{needed}。"


class LoginFailed(DomainError):
    """The log-in was refused; nobody is told whether name, password or account was at fault."""

    code = "LOGIN_FAILED"
    en = "Login or password is wrong. Check both and try again."
    zh = "登录名或密码错误。请检查后重试。"


class LoginNotFresh(DomainError):
    """The step asks for a log-in of a short while ago, so that a session left open cannot take it."""

    code = "LOGIN_NOT_FRESH"
    en = "Your log-in is older than {minutes} minutes. Log in again, then repeat the step."
    zh = "您的登录已超过 {minutes} 分钟。请重新登录后再操作。"


class SecondFactorNeeded(DomainError):
    """The password was right; this account also asks for a code of its second factor."""

    code = "SECOND_FACTOR_NEEDED"
    en = "This account has a second factor. Send the 6 digits it shows now, or one of its recovery codes, too."
    zh = "该账号已启用二次验证。请同时提交验证器当前显示的 6 位数字，或一个恢复码。"


class SecondFactorFailed(DomainError):
    """The code was wrong, or was used before."""

    code = "SECOND_FACTOR_FAILED"
    en = "The code is wrong or was used before. Wait for the next one, check the device's clock, and try again."
    zh = "验证码错误或已被使用。请等待下一个验证码，检查设备时间后重试。"


class SecondFactorExists(DomainError):
    """An account has one second factor at a time."""

    code = "SECOND_FACTOR_EXISTS"
    en = "This account has a second factor already. Remove it first."
    zh = "该账号已启用二次验证。请先将其移除。"


class NoSecondFactor(DomainError):
    """There is no second factor, or none that was begun, to do this with."""

    code = "NO_SECOND_FACTOR"
    en = "This account has no second factor to do this with. Begin with beginSecondFactor."
    zh = "该账号没有可用于此操作的二次验证。请先调用 beginSecondFactor。"


class LinkNotValid(DomainError):
    """A link that was used, replaced, has expired or never was; the four are not told apart."""

    code = "LINK_NOT_VALID"
    en = "This link is not valid, or not any more. Ask whoever sent it for a new one."
    zh = "该链接无效或已失效。请向发送者索取新的链接。"


class LoginThrottled(DomainError):
    """Too many failed log-ins of this name or from this address."""

    code = "LOGIN_THROTTLED"
    en = "Too many failed log-ins. Try again in {seconds} seconds."
    zh = "登录失败次数过多。请在 {seconds} 秒后重试。"


class LoginTaken(DomainError):
    """Another member of the brand has this login."""

    code = "LOGIN_TAKEN"
    en = "The login {login} is taken. Choose another."
    zh = "登录名 {login} 已被使用。请更换。"


class DistributorHasLeft(DomainError):
    """Who left the network logs in no more."""

    code = "DISTRIBUTOR_HAS_LEFT"
    en = "This distributor has left and cannot log in again. Enrol the person anew, if the brand wants it back."
    zh = "该分销商已退出，不能再登录。如需恢复合作，请重新登记该人员。"


class DistributorHasLogin(DomainError):
    """A distributor has at most one member."""

    code = "DISTRIBUTOR_HAS_LOGIN"
    en = "This distributor has a login already. Set a new password for it instead."
    zh = "该分销商已有登录账号。请改为重设其密码。"


class PasswordRefused(DomainError):
    """The new password does not meet the policy."""

    code = "PASSWORD_REFUSED"
    en = "This password is not accepted. Use {shortest} to {longest} characters that do not contain the login."
    zh = "密码不符合要求。请使用 {shortest} 至 {longest} 个字符，且不得包含登录名。"


class PasswordBroken(DomainError):
    """The new password stands in a list of those that were stolen and published."""

    code = "PASSWORD_BROKEN"
    en = "This password stands in published lists of broken passwords, which are tried first. Choose another."
    zh = "该密码出现在已公开的泄露密码名单中，最容易被猜中。请更换。"


class LastOfRole(DomainError):
    """Without this member nobody could administer the brand, or the platform."""

    code = "LAST_OF_ROLE"
    en = "This is the last active {role}. Give the role to somebody else first."
    zh = "这是最后一位有效的 {role}。请先将该角色授予他人。"


class SlugTaken(DomainError):
    """Another brand has this slug."""

    code = "SLUG_TAKEN"
    en = "The short name {slug} is taken. Choose another."
    zh = "短名称 {slug} 已被使用。请更换。"


class HostTaken(DomainError):
    """The host belongs to a brand already."""

    code = "HOST_TAKEN"
    en = "The domain {host} belongs to a brand already. Use another domain."
    zh = "域名 {host} 已归属某品牌。请使用其他域名。"


class ReasonRequired(DomainError):
    """Entering brands needs a reason that their audit logs can show."""

    code = "REASON_REQUIRED"
    en = "A reason is required here; it is shown in the brand's audit log. State it in a few words."
    zh = "此处必须填写原因，原因会显示在品牌方的审计日志中。请简要说明。"


class ProgramUnreadable(DomainError):
    """The document is no program; ``params["findings"]`` lists everything that is wrong with it."""

    code = "PROGRAM_UNREADABLE"
    en = "The program document has errors ({count}). Mend every finding, then send it again."
    zh = "分销政策文档有 {count} 处错误。请逐项修正后重新提交。"


class ProgramHasErrors(DomainError):
    """The draft has error findings; ``params["findings"]`` lists all findings."""

    code = "PROGRAM_HAS_ERRORS"
    en = "The program has errors ({count}) and cannot be activated. Mend every error finding first."
    zh = "分销政策有 {count} 处错误，无法启用。请先修正所有错误项。"


class NoActiveProgram(DomainError):
    """The brand has not activated a program yet."""

    code = "NO_ACTIVE_PROGRAM"
    en = "No program is active. Save a draft and activate it first."
    zh = "尚无生效的分销政策。请先保存草稿并启用。"


class MomentNotAhead(DomainError):
    """A program is scheduled for the future; the past keeps what it had."""

    code = "MOMENT_NOT_AHEAD"
    en = "{at} is not at least {seconds} seconds ahead. Give a later moment, or activate the program at once."
    zh = "{at} 未晚于当前时间至少 {seconds} 秒。请填写更晚的时间，或立即启用该分销政策。"


class MomentTaken(DomainError):
    """Two versions cannot come into force at the same moment."""

    code = "MOMENT_TAKEN"
    en = "Version {number} is scheduled for the same moment. Choose another moment, or unschedule that version first."
    zh = "版本 {number} 已排定在同一时间生效。请选择其他时间，或先取消该版本的排期。"


class ProgramAboutToStart(DomainError):
    """The version is in force within seconds; orders may be decided by it already."""

    code = "PROGRAM_ABOUT_TO_START"
    en = "Version {number} comes into force within {seconds} seconds and stays scheduled. Roll back afterwards instead."
    zh = "版本 {number} 将在 {seconds} 秒内生效，无法再取消排期。请在其生效后回滚。"


class FindingNotThere(DomainError):
    """Only an objection that a version has can be let pass."""

    code = "FINDING_NOT_THERE"
    en = "Version {number} has no error of the rule {rule} at {path}. Copy rule and path from its findings."
    zh = "版本 {number} 在 {path} 处没有规则 {rule} 的错误。请从检查结果中复制规则和路径。"


class NotOverridable(DomainError):
    """What the law forbids outright nobody can let pass."""

    code = "NOT_OVERRIDABLE"
    en = "Nobody can override the rule {rule}. Change the program at {path} instead."
    zh = "规则 {rule} 不可豁免。请修改分销政策的 {path}。"


class AlreadyOverridden(DomainError):
    """One decision about a finding is enough."""

    code = "ALREADY_OVERRIDDEN"
    en = "The rule {rule} at {path} is overridden for this content already. Nothing remains to be done."
    zh = "该内容在 {path} 处的规则 {rule} 已被豁免，无需重复操作。"


class NothingTrusted(DomainError):
    """A brand that takes trusted documents only has some, or it could not be used at all."""

    code = "NOTHING_TRUSTED"
    en = "No operation is registered yet, so every one would be refused. Register those of your apps first."
    zh = "尚未登记任何操作，开启后所有请求都会被拒绝。请先登记各应用的操作。"


class DocumentNotTrusted(DomainError):
    """The brand takes registered operations only, and this is none."""

    code = "DOCUMENT_NOT_TRUSTED"
    en = "This brand takes registered operations only. Register this one (registerDocuments), or send one that is."
    zh = "该品牌仅接受已登记的操作。请先登记此操作（registerDocuments），或发送已登记的操作。"


class RateLimited(DomainError):
    """More requests than a user, a key, an address or a whole brand may send in a while."""

    code = "RATE_LIMITED"
    en = "Too many requests: {most} of {whom}. Try again in {seconds} seconds."
    zh = "请求过多：{whom}的上限为 {most}。请在 {seconds} 秒后重试。"


class TimedOut(DomainError):
    """The request took longer than one may; what it had not yet committed was undone."""

    code = "TIMED_OUT"
    en = "The request took longer than {seconds} seconds and was stopped. Ask for less, or send it again with its key."
    zh = "请求超过 {seconds} 秒，已被中止。请减少请求内容，或使用原幂等键重新发送。"
