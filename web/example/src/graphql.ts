// The one place that knows the schema: `npm run generate` writes its types from the committed SDL.
import { initGraphQLTada } from "gql.tada";
import type { introspection } from "./graphql-env.d.ts";

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; Date: string; BigInt: number };
}>();
