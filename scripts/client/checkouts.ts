import { AsyncLocalStorage } from "node:async_hooks";
import { type CallSite, describeCallSite } from "./call-site.ts";
import { type RequestContext, requestContext } from "./context.ts";
import { endWrite, type RequestWrites } from "./request-session.ts";
import type { ServerClient } from "./server-client.ts";

/** Use of a client by one statement of the pool, by a transaction, or by code that took the client. */
export type CheckoutKind = "statement" | "transaction" | "client";

/** A client that is in use. */
export interface Checkout {
  client: ServerClient;
  kind: CheckoutKind;
  /** On the clock of `performance.now()`. */
  since: number;
  site: CallSite | undefined;
  /** Requests of its scope that wait for a second client. */
  waiting: number;
  reported: boolean;
  /** A running statement is ended from outside after this time; 0: never. */
  statementLimitMs: number;
  /** A report said that the client was busy. */
  busyReported: boolean;
  /** The pool closed the client while it was held. */
  reclaimed: boolean;
  /** Its user changes nothing. */
  readOnly: boolean;
  /** Context of the request that took the client. */
  context: RequestContext | undefined;
  /** Writes of the request to which it belongs. */
  writes: RequestWrites | undefined;
}

/** Result of {@link describeCheckout}, for reports and events. */
export interface HeldClient {
  kind: CheckoutKind;
  /** `busy` if a statement is running on the client. */
  state: "held" | "busy";
  heldMs: number;
  /** File, line and column that took the client. */
  takenAt: string;
  /** Text of the running or last statement, without its values. */
  statement: string | undefined;
  pid: number | undefined;
  /** Context of the request that took the client. */
  context: Readonly<RequestContext> | undefined;
}

/** A request that holds clients: the checkouts of one pool in the current asynchronous context. */
interface Scope {
  owner: object;
  checkout: Checkout;
  outer: Scope | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();

/** The clients of one pool that are in use. */
export class Checkouts {
  readonly all = new Set<Checkout>();

  /** Records a check-out. */
  add(
    client: ServerClient,
    kind: CheckoutKind,
    site: CallSite | undefined,
    writes: RequestWrites | undefined,
  ): Checkout {
    const checkout = {
      client,
      kind,
      since: performance.now(),
      site,
      waiting: 0,
      reported: false,
      statementLimitMs: 0,
      busyReported: false,
      reclaimed: false,
      readOnly: false,
      context: requestContext(),
      writes,
    };
    this.all.add(checkout);
    return checkout;
  }

  /** Removes a check-out. Returns false if it has ended before. */
  remove(checkout: Checkout): boolean {
    if (!this.all.delete(checkout)) return false;
    if (checkout.writes !== undefined) endWrite(checkout.writes, !checkout.readOnly);
    return true;
  }

  /** Runs a function whose further requests belong to this check-out. */
  within<T>(checkout: Checkout, run: () => T): T {
    return scopes.run({ owner: this, checkout, outer: scopes.getStore() }, run);
  }

  /** Returns the check-outs of the current request. */
  ofRequest(): Checkout[] {
    const found: Checkout[] = [];
    for (let scope = scopes.getStore(); scope !== undefined; scope = scope.outer)
      if (scope.owner === this && this.all.has(scope.checkout)) found.push(scope.checkout);
    return found;
  }

  /** Returns true if each of the pool's clients is held by a request that waits for another one. */
  starved(max: number): boolean {
    return this.all.size >= max && [...this.all].every(({ waiting }) => waiting > 0);
  }

  /** Lists the longest check-outs, for messages. */
  describe(limit = 10): string[] {
    const oldest = [...this.all].sort((one, other) => one.since - other.since);
    const lines = oldest.slice(0, limit).map((each) => {
      const { kind, state, heldMs, takenAt, statement } = describeCheckout(each);
      const running =
        statement === undefined ? "" : `, ${state === "busy" ? "running" : "last"}: ${shortened(statement)}`;
      const by = kind === "statement" ? "by pool.query()" : `taken at ${takenAt}`;
      return `${state} for ${Math.round(heldMs)} ms, ${by}${running}`;
    });
    return oldest.length > limit ? [...lines, `and ${oldest.length - limit} more`] : lines;
  }
}

/** Describes a check-out at this moment. */
export function describeCheckout(checkout: Checkout): HeldClient {
  const { client, kind, since, site, context } = checkout;
  return {
    kind,
    state: client.busy ? "busy" : "held",
    heldMs: performance.now() - since,
    takenAt: describeCallSite(site),
    statement: client.lastText,
    pid: client.pid,
    context,
  };
}

/** Returns the beginning of a statement in one line, for messages. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
