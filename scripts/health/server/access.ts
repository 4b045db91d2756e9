import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { exitCode, OperationError } from "../../core/operation-error.ts";

/** Shortest token in characters. */
const shortestToken = 16;

const loopback = ["127.0.0.1", "::1", "localhost"];

/**
 * Checks that a server which other machines can reach has a token.
 *
 * @throws OperationError (wrong usage)
 */
export function requireSafe(host: string, token: string | undefined): void {
  if (token !== undefined && token.length < shortestToken)
    throw new OperationError(
      `PGW_HEALTH_TOKEN has ${token.length} characters: at least ${shortestToken} are necessary.`,
      {
        hint: "Make one: openssl rand -hex 32",
        exitCode: exitCode.usage,
      },
    );
  if (loopback.includes(host) || token !== undefined) return;
  throw new OperationError(`Other machines can reach ${host}, so a token is necessary.`, {
    hint: "Set PGW_HEALTH_TOKEN (openssl rand -hex 32), or leave out --host to listen on this machine only.",
    exitCode: exitCode.usage,
  });
}

/**
 * Returns the reason for refusing a request with its HTTP status; undefined if it is allowed.
 *
 * A web page on another site can make a browser send requests to this machine under a name of its own (DNS rebinding),
 * so the names in Host and Origin are checked.
 */
export function refusal(
  request: IncomingMessage,
  { hosts, token, path }: { hosts: readonly string[]; token: string | undefined; path: string },
): { status: number; message: string } | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, message: "Only GET is supported." };
  const host = hostName(request.headers.host);
  if (host === undefined || !hosts.includes(host))
    return { status: 421, message: "The Host header names another server." };
  const { origin } = request.headers;
  if (origin !== undefined && hostName(origin.replace(/^https?:\/\//, "")) !== host)
    return { status: 403, message: "Requests from other sites are refused." };
  if (token === undefined || path === "/health" || isToken(request.headers.authorization, token)) return undefined;
  return { status: 401, message: "A token is necessary: Authorization: Bearer <token>." };
}

/** Returns the names by which a server that listens on a host can be addressed. */
export function namesOf(host: string, others: readonly string[]): string[] {
  return [...loopback, host, ...others].map((name) => name.toLowerCase());
}

function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d+)?$/i.exec(header ?? "");
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** Accepts the token as Bearer, or as the password of Basic with any user. */
function isToken(header: string | undefined, token: string): boolean {
  const [, scheme = "", value = ""] = /^(\w+) (.+)$/.exec(header ?? "") ?? [];
  if (/^bearer$/i.test(scheme)) return isEqual(value, token);
  if (!/^basic$/i.test(scheme)) return false;
  return isEqual(
    Buffer.from(value, "base64")
      .toString("utf8")
      .replace(/^[^:]*:/, ""),
    token,
  );
}

/** Compares in a time that does not depend on the content. */
function isEqual(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
