// PostGraphile on the database of the product, for the rows that compare the two: the same role, the same row-level
// security, and every request authenticated by the statement the product uses. DATABASE_URL and PORT say where.

import { createHash } from "node:crypto";
import { createServer } from "node:http";

import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const ROLE = "banyan_app";
const AUTHENTICATE = `
SELECT m.id, m.role FROM session s JOIN member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id
JOIN tenant t ON t.id = s.tenant_id WHERE s.tenant_id = $1 AND s.token_hash = $2 AND s.revoked_at IS NULL
AND s.expires_at > now() AND m.status = 'active' AND t.status = 'active'`;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

async function authenticated(token) {
  const tenant = parseInt(token.split("_")[1], 36);
  const hash = createHash("sha256").update(token).digest("hex");
  const client = await pool.connect();
  try {
    await client.query(`BEGIN READ ONLY; SET LOCAL ROLE ${ROLE}; SET LOCAL app.tenant = '${tenant}'`);
    const { rows } = await client.query({ name: "authenticate", text: AUTHENTICATE, values: [tenant, hash] });
    await client.query("COMMIT");
    if (rows.length !== 1) throw new Error("the token is not valid here");
    return tenant;
  } finally {
    client.release();
  }
}

const server = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ["bench_api"] })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false, maxRequestLength: 1_000_000 },
  grafast: {
    explain: false,
    context: async ({ node }) => {
      const tenant = await authenticated(node.req.headers.authorization.split(" ")[1]);
      return { pgSettings: { role: ROLE, "app.tenant": String(tenant) } };
    },
  },
}).createServ(grafserv);

const http = createServer();
await server.addTo(http);
http.listen(Number(process.env.PORT), "127.0.0.1");
