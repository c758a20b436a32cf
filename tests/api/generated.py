"""Calls made from the schema: every root field with every argument, and as much of the answer as a caller may ask for.

What an argument is given stands in ``IDS`` and ``VALUES``, by coordinate or by name. One that is in neither is an
error, so a new field cannot be left out of the tests that use this.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from schema.ids import PREFIXES
from schema.schema import sdl
from tests.api.client import PASSWORD

SCHEMA = build_schema(sdl())
Given: TypeAlias = GraphQLArgument | GraphQLInputField


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
    "Query.exit(id)": "ExitCase",
    "ExitInput.id": "ExitCase",
    "ExecuteExitInput.id": "ExitCase",
    "RejectExitInput.id": "ExitCase",
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
    "Query.statementDocument(id)": "Statement",
    "Query.settlementDocument(id)": "Settlement",
    "Query.reconciliation(settlement)": "Settlement",
    "Query.moneyTrail(of)": "Order",
    "Query.statements(settlement)": "Settlement",
}
"""The kind of thing that an id names."""

NAMED: Mapping[str, Callable[[Names], Any]] = {
    "code": lambda n: n.code,
    "sponsorCode": lambda n: n.code,
    "sku": lambda n: n.sku,
    "skus": lambda n: n.sku,
    "login": lambda n: n.login,
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
    "channel": "shop",
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

ALWAYS = {"OrderLineInput.amountMinor"}
"""Optional in the schema, needed in truth."""


class MissingEntry(AssertionError):
    """A new field of the schema: say in ``IDS``, ``NAMED`` or ``VALUES`` what to give for it."""


@dataclass(frozen=True)
class Root:
    """A field of ``Query`` or ``Mutation``."""

    operation: str
    name: str
    field: GraphQLField

    @property
    def coordinate(self) -> str:
        return f"{self.operation.capitalize()}.{self.name}"

    def variants(self) -> list[frozenset[str]]:
        """Nothing optional, then each optional argument alone that names a thing."""
        named = [frozenset(way) for way in self._ways() if way]
        return [frozenset(), *dict.fromkeys(named)]

    def _ways(self) -> Iterator[tuple[str, ...]]:
        for name, argument in self.field.args.items():
            yield from _ways(argument, f"{self.coordinate}({name})", name, ())

    def variables(self, names: Names, chosen: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Values for the required arguments and the chosen ones."""
        return {
            name: _value(argument.type, f"{self.coordinate}({name})", name, names, chosen)
            for name, argument in self.field.args.items()
            if _wanted(argument, f"{self.coordinate}({name})", chosen)
        }

    def document(self, variables: Mapping[str, Any], selection: str) -> str:
        """The operation's text."""
        declared = ", ".join(f"${name}: {self.field.args[name].type}" for name in variables)
        passed = ", ".join(f"{name}: ${name}" for name in variables)
        return (
            f"{self.operation}{f'({declared})' if declared else ''} "
            f"{{ {self.name}{f'({passed})' if passed else ''} {selection} }}"
        )


def roots(operation: str | None = None) -> list[Root]:
    """Every root field, queries first."""
    kinds = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}
    return [
        Root(kind, name, found)
        for kind, type_ in kinds.items()
        if type_ is not None and operation in {None, kind}
        for name, found in type_.fields.items()
    ]


def selection(of: GraphQLField, allowed: Callable[[str], bool], page: str = "") -> str:
    """All of an answer that ``allowed`` admits, two levels into the same type at most; ``{ __typename }`` at least.

    ``page`` stands at lists of lists, which in full would cost more than anybody may ask.
    """
    named = get_named_type(of.type)
    return _selection(named, allowed, {}, page) if isinstance(named, GraphQLObjectType) else ""


def _selection(type_: GraphQLObjectType, allowed: Callable[[str], bool], seen: Mapping[str, int], page: str) -> str:
    again = {**seen, type_.name: seen.get(type_.name, 0) + 1}
    parts = ["__typename"]
    for name, found in type_.fields.items():
        if not allowed(f"{type_.name}.{name}") or any(map(_required, found.args.values())):
            continue
        below = get_named_type(found.type)
        if not isinstance(below, GraphQLObjectType):
            parts.append(name)
        elif again[type_.name] < 2 and again.get(below.name, 0) < 2:
            paged = page if "first" in found.args else ""
            parts.append(f"{name}{paged} {_selection(below, allowed, again, page)}")
    return f"{{ {' '.join(parts)} }}"


def _required(given: Given) -> bool:
    return is_required_argument(given) if isinstance(given, GraphQLArgument) else is_required_input_field(given)


def _wanted(given: Given, coordinate: str, chosen: frozenset[str]) -> bool:
    return _required(given) or coordinate in chosen or coordinate in ALWAYS or coordinate.endswith("(first)")


def _ways(given: Given, coordinate: str, name: str, outer: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The optional coordinates, with those around them, that lead to an argument that names a thing."""
    way = outer if _required(given) else (*outer, coordinate)
    named = get_named_type(given.type)
    if isinstance(named, GraphQLInputObjectType):
        for inner, found in named.fields.items():
            yield from _ways(found, f"{named.name}.{inner}", inner, way)
    elif any(key in IDS or key in NAMED for key in (coordinate, name)):
        yield way


def _value(type_: GraphQLInputType, coordinate: str, name: str, names: Names, chosen: frozenset[str]) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _value(type_.of_type, coordinate, name, names, chosen)
    if isinstance(type_, GraphQLList):
        if isinstance(whole := VALUES.get(coordinate), list):
            return whole
        return [_value(type_.of_type, coordinate, name, names, chosen)]
    if not isinstance(type_, GraphQLInputObjectType):
        return _plain(type_, coordinate, name, names)
    return {
        inner: _value(found.type, f"{type_.name}.{inner}", inner, names, chosen)
        for inner, found in type_.fields.items()
        if _wanted(found, f"{type_.name}.{inner}", chosen)
    }


def _plain(type_: GraphQLInputType, coordinate: str, name: str, names: Names) -> Any:
    for key in (coordinate, name):
        if key in names.fixed or key in IDS:
            return names.fixed[key] if key in names.fixed else names.ids[IDS[key]]
        if key in NAMED or key in VALUES:
            return NAMED[key](names) if key in NAMED else VALUES[key]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if str(type_) != "Boolean":
        raise MissingEntry(coordinate)
    return False


def without_value() -> list[str]:
    """Every argument and input field, wanted or not, that has no entry above."""
    kinds = dict.fromkeys(PREFIXES, "id")
    names = Names(ids=kinds, slug="", login="", code="", sku="", number=1, key="")
    given = [(f"{r.coordinate}({name})", name, arg) for r in roots() for name, arg in r.field.args.items()]
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            given += [(f"{type_.name}.{name}", name, found) for name, found in type_.fields.items()]
    missing = []
    for coordinate, name, one in given:
        try:
            _value(one.type, coordinate, name, names, frozenset())
        except MissingEntry:
            missing.append(coordinate)
    return missing
