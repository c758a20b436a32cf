"""The schema: every feature's queries and mutations, the extensions of each operation."""

from collections.abc import Iterable
from functools import cache
from inspect import isawaitable
from typing import Any, cast

import strawberry
from graphql import DocumentNode, GraphQLError, build_schema, execute, lexicographic_sort_schema, print_schema
from strawberry.exceptions import MissingQueryError
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

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

    async def execute(  # the arguments are Strawberry's
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """What Strawberry does with the gate as its only extension, without hooks around each step.

        They take a tenth of the time of a page of a hundred. Raises as Strawberry's own does;
        tests/schema/test_execute.py compares the two.
        """
        running = self._create_execution_context(
            query=query,
            allowed_operation_types=(
                DEFAULT_ALLOWED_OPERATION_TYPES if allowed_operation_types is None else allowed_operation_types
            ),
            variable_values=variable_values,
            context_value=context_value,
            root_value=root_value,
            operation_name=operation_name,
            operation_extensions=operation_extensions,
        )
        gate = Gate()
        gate.execution_context = running
        data: dict[str, Any] | None = None
        errors: list[GraphQLError] | None
        try:
            errors = _prepared(gate, running)
            if not errors:
                data, errors = await self._run(running)
        except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError):
            raise
        except GraphQLError as error:
            errors = [error]
        except Exception as fault:  # noqa: BLE001  # told by ``schema.failures`` like that of any resolver
            errors = [GraphQLError(str(fault), original_error=fault)]
        return ExecutionResult(data=data, errors=errors, extensions=gate.get_results())

    async def _run(self, running: ExecutionContext) -> tuple[dict[str, Any] | None, list[GraphQLError] | None]:
        """The data of an operation that may be run, and what went wrong on the way."""
        result = execute(
            self._schema,
            cast(DocumentNode, running.graphql_document),
            root_value=running.root_value,
            variable_values=running.variables,
            operation_name=running.operation_name,
            context_value=running.context,
            is_awaitable=cast(Any, optimized_is_awaitable),
            executor_class=CompilingExecutor,
            operation_extensions=running.operation_extensions,
        )
        if isawaitable(result):
            result = await result
        return result.data, result.errors

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing here."""


def _prepared(gate: Gate, running: ExecutionContext) -> list[GraphQLError]:
    """Why the operation is not run; the document is at hand afterwards. Raises as ``Schema.execute`` does."""
    if not running.query:
        raise MissingQueryError
    gate.parse()
    try:
        kind = running.operation_type
    except RuntimeError as unknown:
        raise CannotGetOperationTypeError(running.operation_name) from unknown
    if kind not in running.allowed_operations:
        raise InvalidOperationTypeError(kind)
    return gate.decide()


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Gate],
    execution_context_class=CompilingExecutor,
    config=StrawberryConfig(scalar_map=SCALARS),
)
call_directly(schema._schema, schema.config)


@cache
def sdl() -> str:
    """The schema's text, sorted.

    Sorting the schema itself (``sort_schema``) would replace Strawberry's enums by plain ones, which parse to text.
    """
    return print_schema(lexicographic_sort_schema(build_schema(schema.as_str()))) + "\n"
