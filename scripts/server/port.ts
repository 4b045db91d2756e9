import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { portNumbers } from "get-port";
import { OperationError } from "../errors/operation-error.ts";

/** Ports to choose from: below what Linux and macOS hand out for outgoing connections. */
const ports = [...portNumbers(20_000, 29_999)];

/**
 * The ports in the order in which a server tries them. Each server begins elsewhere, so that nobody else's new server takes the port of one that is down.
 */
export function portsFor(folder: string): number[] {
  const first = createHash("sha256").update(folder).digest().readUInt32BE() % ports.length;
  return [...ports.slice(first), ...ports.slice(0, first)];
}

/** Why a TCP port of this machine cannot be listened on; undefined: it can. */
export function listenFailure(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** @throws OperationError for a TCP port of this machine's loopback that another program listens on, or that this user may not open */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const failure = await listenFailure(host, port);
  if (failure === undefined) return;
  const reason = { EADDRINUSE: "is taken by another program", EACCES: "may not be opened by this user" }[
    failure.code ?? ""
  ];
  throw new OperationError(`Port ${port} of ${host} ${reason ?? `cannot be listened on: ${failure.message}`}.`, {
    remedy: "Choose another port with `pulumi config set port N`, or free this one. The server was left as it was.",
    cause: failure,
  });
}
