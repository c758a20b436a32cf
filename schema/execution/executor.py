"""The executor: a plan where there is one and nothing unexpected happens, the ordinary way everywhere else."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, cast

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_nullable_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution.plans import Plan, Plans, Root, plans_of
from schema.execution.rows import FOR_ALL
from schema.execution.writing import Bare, Unexpected


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

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Any]:
        """A query of one field whose answer a plan reads entirely goes straight there; any other the ordinary way."""
        root = self._plans.root if self._plans is not None else None
        return super().execute_operation(serially) if root is None else self._answered(root)

    async def _answered(self, root: Root) -> Any:
        try:
            data = {str(root.path.key): await self._root_value(root)}
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self.build_response(None)
        return self.build_response(data)

    async def _root_value(self, root: Root) -> Any:
        """What ``execute_field`` answers. Raises ``GraphQLError`` where null may not be."""
        info = self.build_resolve_info(root.field, [one.node for one in root.details], root.parent, root.path)
        try:
            first = root.details[0]
            given = get_argument_values(root.field, first.node, self.variable_values, first.fragment_variable_values)
            value = await root.resolve(self.root_value, info, **given)
            try:
                return root.plan.read(value, self._bare)
            except Exception:  # noqa: BLE001, S110  # the ordinary executor completes it, and tells
                pass
            completed = self.complete_value(root.field.type, root.details, info, root.path, value, None)
            return await completed if self.is_awaitable(completed) else completed
        except Exception as error:  # noqa: BLE001  # told as any other field's
            self.handle_field_error(error, root.field.type, root.details, root.path)
            return None

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
            if path.prev is None and self._plans is not None:
                self._plans.note_root(path, field_details_list, plan)
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
        ordinary = super().complete_iterable_value
        if is_object_type(object_type) and type(items) in {list, tuple}:
            plan = self._plan(object_type, field_details_list, position_context)
            if plan is not None and items:
                try:
                    values = [plan.read(item, self._bare) for item in items]
                except Exception:  # noqa: BLE001, S110  # as above
                    pass
                else:
                    if not plan.resolved:
                        return values
                    if all(self._together(object_type, details) for details in plan.resolved.values()):
                        each = partial(ordinary, item_type, field_details_list, info, path, items, position_context)
                        return self._resolved_together(plan, values, object_type, items, path, each)
        return ordinary(item_type, field_details_list, info, path, items, position_context)

    def _together(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Callable[..., Awaitable[Any]] | None:
        """How a field is resolved for all objects of a list at once, when what it answers can be read by plan."""
        field = self.schema.get_field(type_, details[0].node.name.value)
        inner = get_nullable_type(field.type) if field else None
        if field is None or FOR_ALL not in field.extensions or not is_object_type(inner):
            return None
        below = self._plan(inner, details, None)
        plain = below is not None and not below.resolved and all(one.defer_usage is None for one in details)
        return field.extensions[FOR_ALL] if plain else None

    async def _resolved_together(
        self,
        plan: Plan,
        values: list[dict[str, Any]],
        type_: GraphQLObjectType,
        items: Iterable[Any],
        path: Path,
        each: Callable[[], AwaitableOrValue[list[Any]]],
    ) -> list[Any]:
        """The fields that ``values`` hold places for, each for all objects at once; else ``each`` by itself."""
        try:
            for key, details in plan.resolved.items():
                completed = await self._completed_together(type_, items, details, Path(path, key, type_.name))
                for value, one in zip(values, completed, strict=True):
                    value[key] = one
        except Exception:  # noqa: BLE001  # as above
            done = each()
            return await done if self.is_awaitable(done) else cast(list[Any], done)
        return values

    async def _completed_together(
        self, type_: GraphQLObjectType, items: Iterable[Any], details: FieldDetailsList, path: Path
    ) -> list[dict[str, Any] | None]:
        field, first = self.schema.get_field(type_, details[0].node.name.value), details[0]
        together = self._together(type_, details)
        if field is None or together is None:
            raise Unexpected
        inner = cast(GraphQLObjectType, get_nullable_type(field.type))
        below = self._plan(inner, details, None)
        info = self.build_resolve_info(field, [one.node for one in details], type_, path)
        given = get_argument_values(field, first.node, self.variable_values, first.fragment_variable_values)
        results = await together(items, info, **given)
        if below is None or (is_non_null_type(field.type) and any(one is None for one in results)):
            raise Unexpected
        return [None if one is None else below.read(one, self._bare) for one in results]

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
