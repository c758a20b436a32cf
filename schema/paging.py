"""Relay connections over keyset pages."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from saas.base.paging import PAGE_DEFAULT, Page, PageRequest, check_rows
from saas.base.settings import get_settings
from schema.execution.rows import made_of

Node = TypeVar("Node")
Row = TypeVar("Row")

First = Annotated[int, strawberry.argument(description="How many rows, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor after which to go on.")]


@strawberry.type(description="Where a page stands.")
class PageInfo:
    """Relay's page information, forwards only."""

    has_next_page: bool = strawberry.field(description="Whether more rows follow.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for after a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row; pass it as `after`.")


@strawberry.type(description="A row and its cursor.")
class Edge(Generic[Node]):
    """Relay's edge."""

    node: Node = strawberry.field(description="The row.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    """Relay's connection; ``nodes`` saves a level where no cursor of a single row is needed."""

    page: strawberry.Private[Page[Any]]
    make: strawberry.Private[Callable[[Any], Any]]
    after: strawberry.Private[str | None]

    @strawberry.field(description="The rows with their cursors.")
    def edges(self) -> list[Edge[Node]]:
        """Made when asked for, like all below."""
        rows = zip(self.page.items, self.page.cursors, strict=True)
        return [Edge(node=self.make(row), cursor=cursor) for row, cursor in rows]

    @strawberry.field(description="The rows alone.")
    @made_of(rows="page.items", make="make")
    def nodes(self) -> list[Node]:
        """Without their cursors."""
        return [self.make(row) for row in self.page.items]

    @strawberry.field(description="Where this page stands.")
    def page_info(self) -> PageInfo:
        """The first and the last row's cursors."""
        cursors = self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


def request(first: int, after: str | None) -> PageRequest:
    """The page asked for. Raises ``InvalidInput`` for a size out of bounds."""
    check_rows(first, get_settings().page_max)
    return PageRequest(first=first, after=after)


def connection(page: Page[Row], make: Callable[[Row], Any], after: str | None) -> Connection[Any]:
    """A page for the API."""
    return Connection(page=page, make=make, after=after)


__all__ = ["PAGE_DEFAULT", "After", "Connection", "Edge", "First", "PageInfo", "connection", "request"]
