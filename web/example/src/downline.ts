// A distributor's team, page by page. Rename a field here and the compiler says so before any user does.
import { Client } from "./client.ts";
import { graphql } from "./graphql.ts";

const Member = graphql(`
  fragment Member on Distributor {
    id
    code
    name
    level
    totals { headCount groupSales { amountMinor formatted } }
  }
`);

const Downline = graphql(
  `
    query Downline($of: ID, $first: Int!, $after: String) {
      downline(of: $of, maxDepth: 2, first: $first, after: $after) {
        nodes { ...Member }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [Member],
);

const PlaceOrder = graphql(`
  mutation PlaceOrder($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      order { id number status goods { formatted } }
      userErrors { code field message }
    }
  }
`);

/** Everybody of a team, two generations down, however many pages that takes. */
export async function* team(client: Client, of: string | null) {
  let after: string | null = null;
  do {
    const data: Awaited<ReturnType<typeof page>> = await page(client, of, after);
    yield* data.downline.nodes;
    after = data.downline.pageInfo.hasNextPage ? data.downline.pageInfo.endCursor : null;
  } while (after !== null);
}

function page(client: Client, of: string | null, after: string | null) {
  return client.ask(Downline, { of, first: 50, after });
}

/** Places an order; the key makes sending it again harmless. */
export async function sell(client: Client, sellerId: string, sku: string, quantity: number, idempotencyKey: string) {
  const { placeOrder } = await client.ask(PlaceOrder, {
    input: { idempotencyKey, sellerId, lines: [{ sku, quantity }] },
  });
  if (placeOrder.userErrors.length > 0) {
    throw new Error(placeOrder.userErrors.map((error) => `${error.field}: ${error.message}`).join("\n"));
  }
  return placeOrder.order;
}
