"""What the demo refuses."""

from saas.base.errors import DomainError


class NotInProduction(DomainError):
    """The demo's passwords are known to everybody."""

    code = "NOT_IN_PRODUCTION"
    en = "The demo's passwords are known to everybody. Make it where ENVIRONMENT is development."
    zh = "演示账号的密码是公开的。请在 ENVIRONMENT 为 development 的环境中创建演示。"


class NotASandbox(DomainError):
    """Brands that are no sandboxes are never put aside for a new one."""

    code = "NOT_A_SANDBOX"
    en = "{slug} is not a sandbox; its data stay. Name a brand that was made as one."
    zh = "{slug} 不是沙盒品牌，其数据不会被重置。请指定一个沙盒品牌。"
