import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { portNumbers } from "get-port";
import { OperationError } from "../core/operation-error.ts";

/** Ports to choose from. They are below the range that Linux and macOS use for outgoing connections. */
const ports = [...portNumbers(20_000, 29_999)];

/**
 * Returns the ports in the order in which a server tries them. Each server begins at a different one, which depends on
 * its name (a folder or a URN). So a new server does not take the port of a stopped one.
 */
export function portsFor(name: string): number[] {
  const first = createHash("sha256").update(name).digest().readUInt32BE() % ports.length;
  return [...ports.slice(first), ...ports.slice(0, first)];
}

/** Returns the error of listening on a TCP port of this machine. Returns undefined if it is possible. */
export function listenFailure(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * Requires that a server can listen on a TCP port.
 *
 * @throws OperationError if another program listens on it, or if this user may not open it
 */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const failure = await listenFailure(host, port);
  if (failure === undefined) return;
  const reason = {
    EADDRINUSE: "is in use by another program",
    EACCES: "cannot be opened by this user (no permission)",
  }[failure.code ?? ""];
  throw new OperationError(`Port ${port} of ${host} ${reason ?? `cannot be listened on: ${failure.message}`}.`, {
    hint: "Choose another port with `pulumi config set port N`, or free this one. The server was not changed.",
    cause: failure,
  });
}
