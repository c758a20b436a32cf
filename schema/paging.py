"""Relay connections over keyset pages."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from saas.base.paging import PAGE_DEFAULT, PAGE_MAX, Page, PageRequest

Node = TypeVar("Node")
Row = TypeVar("Row")

First = Annotated[int, strawberry.argument(description=f"How many rows, 1 to {PAGE_MAX}.")]
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

    edges: list[Edge[Node]] = strawberry.field(description="The rows with their cursors.")
    nodes: list[Node] = strawberry.field(description="The rows alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")


def request(first: int, after: str | None) -> PageRequest:
    """The page asked for. Raises ``InvalidInput`` for a size out of bounds."""
    return PageRequest(first=first, after=after)


def connection(page: Page[Row], make: Callable[[Row], Any], after: str | None) -> Connection[Any]:
    """A page for the API."""
    nodes = [make(row) for row in page.items]
    return Connection(
        edges=[Edge(node=node, cursor=cursor) for node, cursor in zip(nodes, page.cursors, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=after is not None,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    )


__all__ = ["PAGE_DEFAULT", "After", "Connection", "Edge", "First", "PageInfo", "connection", "request"]
