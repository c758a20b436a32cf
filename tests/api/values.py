"""What the arguments of generated calls are given, by coordinate or by name (``tests.api.generated``)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from saas.events.queries import cursor_of
from tests.api.client import PASSWORD


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the arguments of calls name: things of one brand, or things that are nowhere.

    ``ids`` are by kind, ``fixed`` values by coordinate, before anything else.
    """

    ids: Mapping[str, str]
    slug: str
    login: str
    code: str
    sku: str
    number: int
    key: str
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def spelled(self) -> dict[str, str]:
        """Every way in which an answer may repeat what it was asked, and what it stands for."""
        words = {getattr(self, name): f"<{name}>" for name in ("slug", "login", "code", "sku", "key")}
        text = registered(self.slug)
        words |= {text: "<text>", sha256(text.encode()).hexdigest(): "<hash>", f"{self.slug}-app": "<app>"}
        ids = {spelling: kind for kind, id_ in self.ids.items() for spelling in spellings(id_)}
        return {**ids, **words, str(self.number): "<number>"}


def registered(slug: str) -> str:
    """The operation that a brand's app has registered."""
    return f"query App {{ me {{ id }} }} # {slug}"


def spellings(id_: str) -> tuple[str, str, str]:
    """A global id, its digits, and its digits as UUIDs are written."""
    digits = id_.partition("_")[2]
    return id_, digits, "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


IDS = {
    "beneficiary": "Distributor",
    "of": "Distributor",
    "seller": "Distributor",
    "teamOf": "Distributor",
    "sellerId": "Distributor",
    "sponsorId": "Distributor",
    "servedById": "Distributor",
    "distributorId": "Distributor",
    "distributorIds": "Distributor",
    "heirId": "Distributor",
    "orderId": "Order",
    "jobId": "Job",
    "simulation": "Simulation",
    "order": "Order",
    "Query.job(id)": "Job",
    "Query.simulation(id)": "Simulation",
    "Query.compareSimulations(other)": "Simulation",
    "memberId": "Member",
    "MarkNotificationsReadInput.ids": "Notification",
    "Query.distributor(id)": "Distributor",
    "Query.order(id)": "Order",
    "RevokeApiKeyInput.id": "ApiKey",
    "RotateApiKeyInput.id": "ApiKey",
    "RevokeSessionInput.id": "Session",
    "LiftBarInput.id": "OrangeEntry",
    "ClosePriceCaseInput.caseId": "PriceCase",
    "listingId": "Listing",
    "Query.importFile(id)": "ImportFile",
    "payoutId": "Payout",
    "restPaidOf": "PayoutBatch",
    "Query.exit(id)": "ExitCase",
    "ExitInput.id": "ExitCase",
    "ExecuteExitInput.id": "ExitCase",
    "RejectExitInput.id": "ExitCase",
    "ApproveExitsInput.ids": "ExitCase",
    "ExecuteExitsInput.ids": "ExitCase",
    "Query.payout(id)": "Payout",
    "Query.payoutBatch(id)": "PayoutBatch",
    "BatchInput.id": "PayoutBatch",
    "DestinationInput.id": "PayoutDestination",
    "Query.awards(close)": "PeriodClose",
    "Query.tierReviews(close)": "PeriodClose",
    "Query.statement(id)": "Statement",
    "lineId": "OrderLine",
    "Query.returnCase(id)": "ReturnCase",
    "ReturnInput.id": "ReturnCase",
    "RejectReturnInput.id": "ReturnCase",
    "ReceiveReturnInput.id": "ReturnCase",
    "ExchangeReturnInput.id": "ReturnCase",
    "RefundReturnInput.id": "ReturnCase",
    "WriteOffInput.id": "WriteOff",
    "ids": "Adjustment",
    "LiftInput.id": "Adjustment",
    "Query.statementDocument(id)": "Statement",
    "Query.settlementDocument(id)": "Settlement",
    "Query.reconciliation(settlement)": "Settlement",
    "Query.moneyTrail(of)": "Order",
    "Query.statements(settlement)": "Settlement",
    "Query.event(id)": "Event",
    "subjectId": "Order",
    "webhookId": "Webhook",
    "Query.webhook(id)": "Webhook",
    "WebhookInput.id": "Webhook",
    "ChangeWebhookInput.id": "Webhook",
    "RotateWebhookSecretInput.id": "Webhook",
    "ReplayWebhookDeliveriesInput.ids": "WebhookDelivery",
}
"""The kind of thing that an id names."""

NAMED: Mapping[str, Callable[[Names], Any]] = {
    "code": lambda n: n.code,
    "sponsorCode": lambda n: n.code,
    "sku": lambda n: n.sku,
    "skus": lambda n: n.sku,
    "login": lambda n: n.login,
    "subject": lambda n: n.code,
    "actor": lambda n: n.login,
    "search": lambda n: n.code,
    "slug": lambda n: n.slug,
    "tenant": lambda n: n.slug,
    "idempotencyKey": lambda n: n.key,
    "Query.program(number)": lambda n: n.number,
    "Query.belowFloor(number)": lambda n: n.number,
    "Query.belowFloorCount(number)": lambda n: n.number,
    "Query.programDiff(from)": lambda n: n.number,
    "Query.programDiff(to)": lambda n: n.number,
    "ActivateProgramInput.number": lambda n: n.number,
    "SimulateProgramInput.number": lambda n: n.number,
    "ScheduleProgramInput.number": lambda n: n.number,
    "UnscheduleProgramInput.number": lambda n: n.number,
    "RollBackProgramInput.number": lambda n: n.number,
    "OverrideFindingInput.number": lambda n: n.number,
    "tenantSlug": lambda n: n.slug,
    "SaveProgramDraftInput.number": lambda n: n.number,
    "PlaceOrderInput.number": lambda n: f"N-{n.code}",
    "app": lambda n: f"{n.slug}-app",
    "DocumentInput.text": lambda n: registered(n.slug),
    "hashes": lambda n: sha256(registered(n.slug).encode()).hexdigest(),
}
"""Arguments that name a thing otherwise than by its id."""

VALUES: Mapping[str, Any] = {
    "account": "6222020200012345678",
    "action": "order.",
    "amountMinor": 20_000,
    "bank": "Bank",
    "quantity": 1,
    "freightMinor": 0,
    "taxMinor": 0,
    "unitPriceMinor": 20_000,
    "first": 5,
    "maxDepth": 3,
    "BarNumberInput.number": "13912345678",
    "LookUpPersonInput.number": "13912345678",
    "channel": "shop",
    "traceCode": "no such code",
    "OrderLineInput.traceCodes": [],
    "ReceiveReturnInput.traceCodes": [],
    "category": "tea",
    "components": "levels",
    "currency": "CNY",
    "currentPassword": PASSWORD,
    "customer": "customer",
    "day": None,
    "days": 30,
    "document": "not: a program",
    "ImportFileInput.content": "c2VsbGVyLHNrdSxxdWFudGl0eQpBLEIsMQo=",
    "expiresAt": None,
    "holder": "Holder",
    "host": "partners.example.com",
    "idNumber": None,
    "label": "label",
    "locale": "en",
    "name": "Name",
    "ownerLogin": "owner",
    "ownerName": "Owner",
    "ownerPassword": PASSWORD,
    "password": PASSWORD,
    "phone": None,
    "priceMinor": 20_000,
    "provider": "manual",
    "reason": "a reason",
    "overrideReason": "a reason",
    "reference": "bank-1",
    "region": "310000",
    "regions": "310000",
    "resolution": "settled",
    "tier": "silver",
    "effectiveFrom": "2198-01-01T00:00:00Z",
    "pinUntil": "2199-01-01",
    "tiers": "silver",
    "timeZone": "Asia/Shanghai",
    "after": None,
    "asOf": None,
    "at": None,
    "since": None,
    "until": None,
    "placedAt": None,
    "paidAt": None,
    "shippedAt": None,
    "deliveredAt": None,
    "path": "commission",
    "SetScheduleInput.at": "03:00:00",
    "weekday": None,
    "monthDay": None,
    "preset": "two_level_referral",
    "rule": "CN.upline_levels",
    "ScheduleProgramInput.at": "2199-01-01T00:00:00Z",
    "StartFromPresetInput.name": "two_level_referral",
    "ClosePeriodInput.day": "2026-03-15",
    "Query.periodPreview(day)": "2026-03-15",
    "SalesPeriodInput.first": "2026-01-01",
    "SimulateProgramInput.since": "2026-01-01",
    "SimulateProgramInput.until": "2026-02-01",
    "kinds": "simulation",
    "Query.findMoney(kinds)": "MOVEMENT",
    "Query.events(kinds)": "ORDER_PAID",
    "Subscription.events(kinds)": "ORDER_PAID",
    "Subscription.events(after)": cursor_of(0),
    "CreateWebhookInput.kinds": "ORDER_PAID",
    "ChangeWebhookInput.kinds": "ORDER_PAID",
    "url": "https://hooks.example.com/banyan",
    "payload": "{ id kind at }",
    "SalesPeriodInput.until": "2027-01-01",
    "CreateMemberInput.role": "AUDITOR",
    "ChangeRoleInput.role": "AUDITOR",
    "LogInInput.kind": "BEARER",
    "bic": "ICBKCNBJ",
    "mchId": "1900000001",
    "appId": "wx0000000000000001",
    "serial": "5157F09EFDC096DE",
    "privateKey": "not a key",
    "platformSerial": "PUB_KEY_ID_0000000000",
    "platformKey": "not a key",
    "apiV3Key": "not a key either",
    "position": "distributor",
    "remark": "commission",
    "oneTimeCode": "000000",
    "overlapHours": 24,
    "FollowLinkInput.token": "bynl_1_nothing",
    "SecurityPolicyInput.secondFactorRoles": ["OPERATOR", "OWNER"],
    "origins": "https://app.lotus.example",
    "CostLimitInput.most": 20_000,
}
"""Everything else. Enums and flags take their default, or their first value, unless they stand here."""

ALWAYS = {"OrderLineInput.amountMinor", "Subscription.events(after)"}
"""Optional in the schema, needed in truth: a subscription is told what there is from the beginning."""
