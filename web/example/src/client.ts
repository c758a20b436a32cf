// A small client: typed documents in, data out, refusals as what they are.
import type { ResultOf, TadaDocumentNode, VariablesOf } from "gql.tada";
import { print } from "graphql";

/** What an answer says outside of `data`; docs/errors.md lists the codes. */
export interface ApiError {
  message: string;
  extensions: { code: string; field?: string; requestId?: string };
}

/** An operation that was refused, with the request's id to quote. */
export class Refused extends Error {
  constructor(
    readonly errors: readonly ApiError[],
    readonly requestId: string | null,
    /** Seconds to wait, when there were too many requests. */
    readonly retryAfter: number | null,
  ) {
    super(errors.map((error) => error.message).join("\n"));
  }
}

/** A caller at a brand's site. Without a token the browser's cookie counts. */
export class Client {
  constructor(
    private readonly url: string,
    private readonly options: { token?: string; language?: "en" | "zh-CN" } = {},
  ) {}

  async ask<Document extends TadaDocumentNode<any, any, any>>(
    document: Document,
    variables: VariablesOf<Document>,
  ): Promise<ResultOf<Document>> {
    const answer = await fetch(this.url, {
      method: "POST",
      credentials: "include",
      headers: {
        accept: "application/graphql-response+json",
        "content-type": "application/json",
        ...(this.options.language && { "accept-language": this.options.language }),
        ...(this.options.token && { authorization: `Bearer ${this.options.token}` }),
      },
      body: JSON.stringify({ query: print(document), variables }),
    });
    const { data, errors } = (await answer.json()) as { data?: ResultOf<Document>; errors?: ApiError[] };
    if (errors || data === undefined) {
      const wait = answer.headers.get("retry-after");
      throw new Refused(errors ?? [], answer.headers.get("x-request-id"), wait === null ? null : Number(wait));
    }
    return data;
  }
}
