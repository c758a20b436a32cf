"""The schema: every feature's queries and mutations, the extensions of each operation."""

import strawberry
from graphql import GraphQLError, build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.adjustments import AdjustmentMutation, AdjustmentQuery
from schema.api_policy import ApiPolicyMutation, ApiPolicyQuery
from schema.audit import AuditQuery
from schema.brands import BrandMutation, BrandQuery
from schema.catalog import CatalogMutation, CatalogQuery
from schema.commissions import CommissionQuery
from schema.downloads import DocumentQuery
from schema.events import EventQuery, Subscription
from schema.execution import CompilingExecutor
from schema.execution.calling import call_directly
from schema.exit_changes import ExitMutation
from schema.exits import ExitQuery
from schema.gate import Gate
from schema.imports import ImportMutation, ImportQuery
from schema.jobs import JobMutation, JobQuery
from schema.keys import KeyMutation, KeyQuery
from schema.listings import ListingMutation, ListingQuery
from schema.lookup import LookUpMutation
from schema.network import NetworkQuery
from schema.network_changes import NetworkMutation, OrangeQuery
from schema.notifications import NotificationMutation, NotificationQuery
from schema.order_changes import OrderMutation
from schema.orders import OrderQuery
from schema.payout_changes import PayoutMutation
from schema.payout_results import PayoutResultMutation
from schema.payouts import PayoutQuery
from schema.people import PeopleMutation, PeopleQuery
from schema.periods import PeriodMutation, PeriodQuery
from schema.prices import PriceQuery
from schema.program_changes import ProgramMutation
from schema.programs import ProgramQuery
from schema.provider_accounts import ProviderAccountMutation, ProviderAccountQuery
from schema.reconciliation import ReconciliationQuery
from schema.return_changes import ReturnMutation
from schema.returns import ReturnQuery
from schema.sandboxes import SandboxMutation
from schema.scalars import SCALARS
from schema.schedules import ScheduleMutation, ScheduleQuery
from schema.security import SecurityMutation, SecurityQuery
from schema.settlement import SettlementMutation, SettlementQuery
from schema.settlement_preview import SettlementPreviewQuery
from schema.simulations import SimulationMutation, SimulationQuery
from schema.tiers import TierMutation
from schema.webhook_changes import WebhookMutation
from schema.webhooks import WebhookQuery


@strawberry.type(description="Everything that can be read.")
class Query(
    BrandQuery,
    PeopleQuery,
    SecurityQuery,
    KeyQuery,
    ApiPolicyQuery,
    ProgramQuery,
    NetworkQuery,
    OrangeQuery,
    CatalogQuery,
    OrderQuery,
    ReturnQuery,
    PriceQuery,
    ListingQuery,
    CommissionQuery,
    PeriodQuery,
    SettlementQuery,
    SettlementPreviewQuery,
    AdjustmentQuery,
    DocumentQuery,
    ReconciliationQuery,
    PayoutQuery,
    ProviderAccountQuery,
    ExitQuery,
    SimulationQuery,
    JobQuery,
    ScheduleQuery,
    ImportQuery,
    NotificationQuery,
    EventQuery,
    WebhookQuery,
    AuditQuery,
):
    """The root of reads."""


@strawberry.type(description="Everything that can be done.")
class Mutation(
    BrandMutation,
    PeopleMutation,
    SecurityMutation,
    KeyMutation,
    ApiPolicyMutation,
    ProgramMutation,
    NetworkMutation,
    TierMutation,
    CatalogMutation,
    OrderMutation,
    ReturnMutation,
    ListingMutation,
    PeriodMutation,
    SettlementMutation,
    AdjustmentMutation,
    PayoutMutation,
    PayoutResultMutation,
    ProviderAccountMutation,
    ExitMutation,
    SimulationMutation,
    JobMutation,
    ScheduleMutation,
    ImportMutation,
    NotificationMutation,
    LookUpMutation,
    WebhookMutation,
    SandboxMutation,
):
    """The root of writes."""


class Schema(strawberry.Schema):
    """Leaves the logging of errors to ``schema.failures``, which knows what is a fault and what a refusal."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing here."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Gate],
    execution_context_class=CompilingExecutor,
    config=StrawberryConfig(scalar_map=SCALARS),
)
call_directly(schema._schema, schema.config)


def sdl() -> str:
    """The schema's text, sorted.

    Sorting the schema itself (``sort_schema``) would replace Strawberry's enums by plain ones, which parse to text.
    """
    return print_schema(lexicographic_sort_schema(build_schema(schema.as_str()))) + "\n"
