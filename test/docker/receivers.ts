import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

/** A request that an HTTP receiver got. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

/** A server that receives alerts. Its port stays the same while it is stopped. */
export interface Receiver<Message> {
  port: number;
  /** Accepted messages, oldest first. */
  messages: Message[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts an HTTP server that accepts JSON, or refuses with a status. */
export async function httpReceiver(address = "127.0.0.1"): Promise<Receiver<Received> & { answer: number }> {
  const make = () =>
    createServer((request, response) => {
      void text(request).then((body) => {
        const { url = "", headers } = request;
        if (receiver.answer === 200) receiver.messages.push({ path: url, headers, body: JSON.parse(body) });
        // Slack answers so, and Alertmanager takes every other text for an error.
        response.writeHead(receiver.answer).end(receiver.answer === 200 ? "ok" : "");
      });
    });
  let server = make();
  const listen = async (port: number) => {
    server.listen(port, address);
    await once(server, "listening");
  };
  await listen(0);
  const receiver = {
    port: (server.address() as AddressInfo).port,
    messages: [] as Received[],
    answer: 200,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
    async start() {
      server = make();
      await listen(receiver.port);
    },
  };
  return receiver;
}

/** An email with the address that it was delivered to. */
export type Delivered = Email & { recipients: string[] };

/** Starts a mail server that requires a login. */
export async function mailReceiver(login: { user: string; password: string }): Promise<Receiver<Delivered>> {
  const make = () =>
    new SMTPServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === login.user && password === login.password
          ? done(null, { user: username })
          : done(new Error("5.7.8 wrong user or password")),
      onData: (stream, { envelope }, done) => {
        void text(stream)
          .then((raw) => PostalMime.parse(raw))
          .then((email) => {
            receiver.messages.push({ ...email, recipients: envelope.rcptTo.map(({ address }) => address) });
            done();
          });
      },
    });
  let server = make();
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server.server, "listening");
  };
  await listen(0);
  const receiver = {
    port: (server.server.address() as AddressInfo).port,
    messages: [] as Delivered[],
    stop: () => new Promise<void>((closed) => server.close(() => closed())),
    async start() {
      server = make();
      await listen(receiver.port);
    },
  };
  return receiver;
}
