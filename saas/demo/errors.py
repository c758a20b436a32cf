"""What the demo refuses."""

from saas.base.errors import DomainError


class NotInProduction(DomainError):
    """The demo's passwords are known to everybody."""

    code = "NOT_IN_PRODUCTION"
    en = "The demo's passwords are known to everybody. Make it where ENVIRONMENT is development."
    zh = "演示账号的密码是公开的。请在 ENVIRONMENT 为 development 的环境中创建演示。"
