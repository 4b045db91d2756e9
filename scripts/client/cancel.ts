import pg from "pg";
import { isLocalHost } from "../connection/connection.ts";
import type { ServerClient } from "./server-client.ts";

/** Time that a server has to take a cancel request, and then to end the statement. */
const cancelTimeoutMs = 3_000;

/** The driver's connection, with what its types do not declare. */
interface CancelConnection {
  connect(port: number | string, host?: string): void;
  on(event: "connect" | "sslconnect" | "error" | "end", listener: () => void): void;
  requestSsl(): void;
  cancel(pid: number, secretKey: unknown): void;
  readonly stream: { destroy(): void; remoteAddress?: string };
}

/**
 * Asks the server over a second connection to cancel what runs on the client's session. Returns when the server has
 * closed that connection: it has sent the signal to the session then.
 */
async function requestCancel(client: ServerClient): Promise<void> {
  const { pid, host, port } = client;
  if (pid === undefined) return;
  const { secretKey, ssl } = client as unknown as { secretKey: unknown; ssl: unknown };
  const connection = new pg.Connection({ ssl } as pg.ConnectionConfig) as unknown as CancelConnection;
  const address = (client.driver.stream as { remoteAddress?: string }).remoteAddress;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => connection.stream.destroy(), cancelTimeoutMs);
    const send = () => connection.cancel(pid, secretKey);
    connection.on("connect", ssl ? () => connection.requestSsl() : send);
    connection.on("sslconnect", send);
    // The statement then ends by its own limit.
    connection.on("error", () => {});
    connection.on("end", () => {
      clearTimeout(timer);
      resolve();
    });
    if (host.startsWith("/")) connection.connect(`${host}/.s.PGSQL.${port}`);
    // The same server, even if its name has several addresses.
    else connection.connect(port, ssl && !isLocalHost(host) ? host : (address ?? host));
  });
}

/**
 * Runs statements on a client, and cancels them when the signal aborts. Resolves only when the client is safe for other
 * statements: a cancel request that arrives late could otherwise cancel the next borrower's statement.
 *
 * @throws the error of the statements; the signal's reason if they were cancelled
 */
export async function cancellable<T>(client: ServerClient, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let cancelling: Promise<void> | undefined;
  const cancel = () => {
    cancelling = cancelRunning(client);
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await run();
  } catch (error) {
    if (signal.aborted && (error as { code?: string }).code === "57014") throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
    await cancelling;
  }
}

/** Closes a client, and cancels what runs on it: the server would go on without its client. */
export async function closeBusy(client: ServerClient, reason?: Error): Promise<void> {
  if (client.busy) {
    // A statement that follows would miss the request, and the server would go on with it.
    client.refuseStatements();
    await requestCancel(client);
  }
  client.destroy(reason);
}

/** Cancels, and takes up a signal that arrives after the statement ended. */
async function cancelRunning(client: ServerClient): Promise<void> {
  if (!client.busy) return;
  const timer = setTimeout(
    () => client.destroy(new Error("The server did not answer a cancel request.")),
    cancelTimeoutMs,
  );
  try {
    await requestCancel(client);
    // The session answers this after the statement. A late signal cancels it, and nothing else.
    await client.query("select 1");
  } catch {
    // Cancelled, or lost, or in a failed transaction: in each case the signal was taken up.
  } finally {
    clearTimeout(timer);
  }
}
