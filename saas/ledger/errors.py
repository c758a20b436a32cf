"""What the ledger refuses."""

from saas.base.errors import DomainError


class UnsoundPosting(ValueError):
    """A programming error: the movement is not double entry."""

    def __init__(self, idempotency_key: str, why: str) -> None:
        super().__init__(f"posting {idempotency_key} is unsound: {why}")


class InsufficientBalance(DomainError):
    """A movement would leave less than nothing where that is not allowed.

    ``owner`` is the distributor's id, ``balance`` what is there, ``needed`` what was asked, both plain decimals.
    """

    code = "INSUFFICIENT_BALANCE"
    en = "The balance is {balance} {currency}, less than the {needed} needed. Ask for at most the balance."
    zh = "余额为 {balance} {currency}，不足所需的 {needed}。请申请不超过余额的金额。"
