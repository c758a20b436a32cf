"""The schema: every feature's queries and mutations, the extensions of each operation."""

import strawberry
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, ParserCache, QueryDepthLimiter, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.brands import BrandMutation, BrandQuery
from schema.catalog import CatalogMutation, CatalogQuery
from schema.commissions import CommissionQuery
from schema.failures import Failures
from schema.gate import Gate
from schema.network import NetworkQuery
from schema.network_changes import NetworkMutation, OrangeQuery
from schema.order_changes import OrderMutation
from schema.orders import OrderQuery
from schema.people import PeopleMutation, PeopleQuery
from schema.programs import ProgramMutation, ProgramQuery
from schema.scalars import SCALARS

DEPTH_MAX = 12
TOKENS_MAX = 2_000
ALIASES_MAX = 30

Query = merge_types(
    "Query",
    (BrandQuery, PeopleQuery, ProgramQuery, NetworkQuery, OrangeQuery, CatalogQuery, OrderQuery, CommissionQuery),
)
Mutation = merge_types(
    "Mutation",
    (BrandMutation, PeopleMutation, ProgramMutation, NetworkMutation, CatalogMutation, OrderMutation),
)

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    extensions=[
        Failures,
        lambda: ParserCache(maxsize=512),
        lambda: ValidationCache(maxsize=512),
        Gate,
        lambda: MaxTokensLimiter(max_token_count=TOKENS_MAX),
        lambda: MaxAliasesLimiter(max_alias_count=ALIASES_MAX),
        lambda: QueryDepthLimiter(max_depth=DEPTH_MAX),
    ],
    config=StrawberryConfig(scalar_map=SCALARS, sort_schema=True),
)
