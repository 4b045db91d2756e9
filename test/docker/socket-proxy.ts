import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Connects a client to the machine's own engine. Both sockets are in `open` until they close. */
export function passToEngine(client: Socket, open: Set<Socket>): void {
  const engine = connect({ path: "/var/run/docker.sock", allowHalfOpen: true });
  for (const socket of [client, engine]) {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => open.delete(socket));
  }
  client.pipe(engine).pipe(client);
}

/** A Docker engine that can become unreachable: a proxy for the real engine's socket. */
export class SocketProxy {
  readonly #path = join(tmpdir(), `pgw-proxy-${randomBytes(4).toString("hex")}.sock`);
  readonly #open = new Set<Socket>();
  #server: Server | undefined;

  /** Value for DOCKER_HOST. */
  get host(): string {
    return `unix://${this.#path}`;
  }

  async come(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => passToEngine(client, this.#open));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#path, resolve));
  }

  /** Cuts all connections and refuses new ones. */
  async goAway(): Promise<void> {
    this.#server?.close();
    for (const socket of this.#open) socket.destroy();
    await rm(this.#path, { force: true });
  }
}
