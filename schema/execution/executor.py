"""The executor: a plan where there is one and nothing unexpected happens, the ordinary way everywhere else."""

from collections.abc import Awaitable, Iterable
from typing import Any, cast

from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo, get_nullable_type, is_object_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution.plans import Plan, Plans, plans_of
from schema.execution.writing import Bare


class CompilingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes objects and lists of objects by plan.

    A plan only reads, so whatever goes wrong in one (a null where none may be, a value of another type, an exception)
    is forgotten, and the same value completed again by the ordinary executor, which tells the error as it always does.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bare = Bare(self.context_value)
        if self.middleware_manager is not None and not self.middleware_manager.middlewares:
            self.middleware_manager = None  # Strawberry passes an empty one, which would be asked at every field
        ordinary = self.middleware_manager is None and self.abort_signal is None and self.error_propagation
        self._plans: Plans | None = plans_of(self) if ordinary else None

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """One object: what its plan reads, then the fields that have to be resolved."""
        plan = self._plan(return_type, field_details_list, position_context)
        if plan is not None:
            try:
                values = plan.read(result, self._bare)
            except Exception:  # noqa: BLE001, S110  # whatever it is, the ordinary executor meets it again and tells it
                pass
            else:
                return self._resolved(plan, values, return_type, result, path) if plan.resolved else values
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """A list of objects that a plan reads entirely; with one that it cannot read, each is done by itself."""
        object_type = get_nullable_type(item_type)
        if is_object_type(object_type) and type(items) in {list, tuple}:
            plan = self._plan(object_type, field_details_list, position_context)
            if plan is not None and not plan.resolved:
                read, bare = plan.read, self._bare
                try:
                    return [read(item, bare) for item in items]
                except Exception:  # noqa: BLE001, S110  # as above
                    pass
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _plan(
        self, type_: GraphQLObjectType, field_details_list: FieldDetailsList, position_context: Any
    ) -> Plan | None:
        if self._plans is None or position_context is not None:
            return None
        return self._plans.plan(self, type_, field_details_list)

    def _resolved(
        self, plan: Plan, values: dict[str, Any], type_: GraphQLObjectType, source: Any, path: Path
    ) -> AwaitableOrValue[dict[str, Any]]:
        """The fields that ``values`` holds a place for, by the ordinary executor."""
        resolved = self.execute_fields(type_, source, path, plan.resolved, None)
        if self.is_awaitable(resolved):
            return _filled(values, resolved)
        values.update(cast(dict[str, Any], resolved))
        return values


async def _filled(values: dict[str, Any], resolved: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    values.update(await resolved)
    return values
