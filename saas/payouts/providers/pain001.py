"""``pain001``: a customer credit transfer of ISO 20022, version pain.001.001.09, which banks take as a file."""

from datetime import UTC
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from saas.base.money import plain_amount
from saas.payouts.providers.parts import Account, Item, Sheet, Submission
from saas.payouts.rules import DestinationKind

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


class Pain001:
    """One payment information with a transfer for each payout, whose end-to-end id is the payout's own."""

    kinds = frozenset({DestinationKind.BANK_CARD})
    needs_account = True

    def write(self, sheet: Sheet, account: Account) -> Submission:
        """The file; the message's moment is the batch's, so that the same batch gives the same bytes."""
        items = sorted(sheet.items, key=lambda item: item.payout_id)
        currency = items[0].currency
        total = plain_amount(sum(item.net_minor for item in items), currency)
        document = Element("Document", xmlns=NAMESPACE)
        message = SubElement(document, "CstmrCdtTrfInitn")
        head = SubElement(message, "GrpHdr")
        _put(head, "MsgId", sheet.number)
        _put(head, "CreDtTm", f"{sheet.submitted_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        _put(head, "NbOfTxs", str(len(items)))
        _put(head, "CtrlSum", total)
        _put(SubElement(head, "InitgPty"), "Nm", account["name"])
        payment = SubElement(message, "PmtInf")
        _put(payment, "PmtInfId", sheet.number)
        _put(payment, "PmtMtd", "TRF")
        _put(payment, "NbOfTxs", str(len(items)))
        _put(payment, "CtrlSum", total)
        _put(SubElement(payment, "ReqdExctnDt"), "Dt", f"{sheet.submitted_at.astimezone(UTC):%Y-%m-%d}")
        _put(SubElement(payment, "Dbtr"), "Nm", account["name"])
        _account(SubElement(payment, "DbtrAcct"), account["account"])
        _put(SubElement(SubElement(payment, "DbtrAgt"), "FinInstnId"), "BICFI", account["bic"])
        for item in items:
            _transfer(SubElement(payment, "CdtTrfTxInf"), item)
        indent(document)
        content = tostring(document, encoding="unicode", xml_declaration=False)
        return Submission(
            file_name=f"{sheet.number}.xml",
            media_type="application/xml; charset=utf-8",
            content=f'<?xml version="1.0" encoding="UTF-8"?>\n{content}\n',
        )


def _transfer(place: Element, item: Item) -> None:
    _put(SubElement(place, "PmtId"), "EndToEndId", item.payout_id.hex)
    amount = SubElement(SubElement(place, "Amt"), "InstdAmt", Ccy=item.currency)
    amount.text = plain_amount(item.net_minor, item.currency)
    _put(SubElement(SubElement(place, "CdtrAgt"), "FinInstnId"), "Nm", item.to.bank or "")
    _put(SubElement(place, "Cdtr"), "Nm", item.to.holder)
    _account(SubElement(place, "CdtrAcct"), item.to.account)


def _account(place: Element, number: str) -> None:
    _put(SubElement(SubElement(place, "Id"), "Othr"), "Id", number)


def _put(place: Element, name: str, text: str) -> None:
    SubElement(place, name).text = text
