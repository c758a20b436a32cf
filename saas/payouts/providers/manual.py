"""``manual``: a file in CSV that a person uploads to the bank, or pays from by hand."""

from saas.base.sheets import amount, csv_text
from saas.payouts.providers.parts import Account, Sheet, Submission
from saas.payouts.rules import DestinationKind

HEADER = ("no", "holder", "bank", "account", "amount", "currency", "payout_id")
PLACES = {DestinationKind.WECHAT: "微信", DestinationKind.ALIPAY: "支付宝"}
"""What stands in the column of the bank where there is none."""


class Manual:
    """One payout a row, in the order of their requests, amounts as plain decimals."""

    kinds = frozenset(DestinationKind)
    needs_account = False

    def write(self, sheet: Sheet, account: Account) -> Submission:
        """The file."""
        rows = [
            (
                number,
                item.to.holder,
                item.to.bank or PLACES[item.to.kind],
                item.to.account,
                amount(item.net_minor, item.currency),
                item.currency,
                item.payout_id.hex,
            )
            for number, item in enumerate(sorted(sheet.items, key=lambda item: item.payout_id), start=1)
        ]
        content = csv_text([HEADER, *rows])
        return Submission(file_name=f"{sheet.number}.csv", media_type="text/csv; charset=utf-8", content=content)
