"""Why a proof fails."""

from saas.base.errors import DomainError


class BooksBroken(DomainError):
    """Checks found something: ``checks`` names them, ``count`` says how many findings there are."""

    code = "BOOKS_BROKEN"
    en = "{count} findings of {checks}. Stop payouts and run python main.py check to see them."
    zh = "检查 {checks} 发现 {count} 处不符。请停止打款，并运行 python main.py check 查看。"
