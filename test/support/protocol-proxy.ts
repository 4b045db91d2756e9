import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";

/** One message of PostgreSQL's protocol. */
export interface ProtocolMessage {
  from: "client" | "server";
  /** Type byte, such as `Q` or `C`; empty for the startup packet. */
  type: string;
  /** Text of the message's body, for statements and command tags. */
  text: string;
}

/**
 * Decision about a message: forward it, cut both connections before, inside or after it, or keep it and forward nothing
 * more in this direction.
 */
export type Verdict = "pass" | "cut-before" | "cut-inside" | "cut-after" | "hold";

/** A TCP proxy in front of a server that reads the protocol. */
export interface ProtocolProxy {
  readonly port: number;
  /** Connections that clients opened so far. */
  readonly accepted: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Decides about each message from now on. Default: every message passes. */
  decide(rule: (message: ProtocolMessage) => Verdict): void;
  /** Forwards nothing, and keeps all connections open. */
  freeze(): void;
  thaw(): void;
  /** Closes all connections, and refuses new ones. */
  close(): Promise<void>;
  /** Accepts connections again, on the same port. */
  reopen(): Promise<void>;
  /** Connects new clients to another server. */
  redirect(port: number): void;
  cutAll(): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. Connections through it use no TLS. */
export async function startProtocolProxy(target: { host: string; port: number }): Promise<ProtocolProxy> {
  let rule: (message: ProtocolMessage) => Verdict = () => "pass";
  let frozen = false;
  let accepted = 0;
  let { port: targetPort } = target;
  const pairs = new Set<{ cut(): void; flush(): void }>();

  const serve = (client: Socket) => {
    accepted += 1;
    const server = tcpConnect(targetPort, target.host);
    const pair = {
      cut: () => {
        client.resetAndDestroy();
        server.destroy();
      },
      flush: () => {
        toServer.flush();
        toClient.flush();
      },
    };
    pairs.add(pair);
    const toServer = forward(
      "client",
      server,
      () => rule,
      () => frozen,
      pair.cut,
    );
    const toClient = forward(
      "server",
      client,
      () => rule,
      () => frozen,
      pair.cut,
    );
    client.on("data", toServer.receive);
    server.on("data", toClient.receive);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => {});
      // A frozen network also hides the end of a connection.
      one.on("close", () => {
        if (frozen && one === server) return;
        other.destroy();
        pairs.delete(pair);
      });
    }
  };

  let listener = await listen(serve, 0);
  const { port } = listener.address() as AddressInfo;
  const cutAll = () => {
    for (const { cut } of [...pairs]) cut();
  };
  return {
    port,
    get accepted() {
      return accepted;
    },
    get open() {
      return pairs.size;
    },
    decide: (decision) => {
      rule = decision;
    },
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
      for (const { flush } of pairs) flush();
    },
    close: async () => {
      const closed = once(listener, "close");
      listener.close();
      cutAll();
      await closed;
    },
    reopen: async () => {
      listener = await listen(serve, port);
    },
    redirect: (to) => {
      targetPort = to;
    },
    cutAll,
    stop: async () => {
      frozen = false;
      cutAll();
      listener.close();
    },
  };
}

async function listen(serve: (client: Socket) => void, port: number): Promise<Server> {
  const server = createServer({ noDelay: true }, serve);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Splits a stream into messages, and forwards each as the rule says. */
function forward(
  from: ProtocolMessage["from"],
  to: Socket,
  rule: () => (message: ProtocolMessage) => Verdict,
  isFrozen: () => boolean,
  cut: () => void,
): { receive(data: Buffer): void; flush(): void } {
  let pending = Buffer.alloc(0);
  let held = false;
  // The first message of a client has no type.
  let started = from === "server";
  const flush = () => {
    while (!held && !isFrozen()) {
      const header = started ? 1 : 0;
      if (pending.length < header + 4) return;
      const length = header + pending.readUInt32BE(header);
      if (pending.length < length) return;
      const bytes = pending.subarray(0, length);
      const type = started ? String.fromCharCode(bytes[0] ?? 0) : "";
      const verdict = rule()({ from, type, text: bytes.subarray(header + 4).toString("latin1") });
      started = true;
      if (verdict === "hold") {
        held = true;
        return;
      }
      if (verdict === "cut-before") return cut();
      if (verdict === "cut-inside") {
        to.write(bytes.subarray(0, Math.ceil(length / 2)), () => cut());
        held = true;
        return;
      }
      pending = pending.subarray(length);
      if (verdict === "cut-after") {
        held = true;
        to.write(bytes, () => setTimeout(cut, 5));
        return;
      }
      to.write(bytes);
    }
  };
  return {
    receive: (data) => {
      pending = Buffer.concat([pending, data]);
      flush();
    },
    flush,
  };
}
