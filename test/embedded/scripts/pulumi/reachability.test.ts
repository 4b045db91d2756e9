import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { whyNoDownload } from "../../../../scripts/pulumi/official-download.ts";
import { throughProxies, whyUnreachable } from "../../../../scripts/pulumi/reachability.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return `127.0.0.1:${port}`;
}

const answering = (status: number) => createHttpServer((_, response) => response.writeHead(status).end());
const below400 = (status: number) => status < 400;

test("a host that accepts the connection and never answers is unreachable", async () => {
  const host = await listen(createServer((socket) => socket.on("error", () => undefined).unref()));
  expect(await whyUnreachable(`http://${host}/file`, below400, 200)).toBe(`${host} does not answer within 0.2 s`);
});

test("a host where nothing listens is unreachable", async () => {
  const server = createServer();
  const host = await listen(server);
  await new Promise((done) => server.close(done));
  expect(await whyUnreachable(`http://${host}/`, below400)).toBe(`${host} is not reachable (ECONNREFUSED)`);
});

test("an answer other than the file is reported with its status", async () => {
  const host = await listen(answering(403));
  expect(await whyNoDownload({ env: {}, host: `http://${host}` })).toBe(`${host} answers 403`);
});

test("a host that has the file is reachable", async () => {
  const host = await listen(answering(200));
  expect(await whyNoDownload({ env: {}, host: `http://${host}` })).toBeUndefined();
});

test("no host is contacted if PGW_OFFLINE is set", async () => {
  expect(await whyNoDownload({ env: { PGW_OFFLINE: "1" }, host: "http://127.0.0.1:1" })).toBe("PGW_OFFLINE is set");
});

test("a password in the URL is neither sent nor shown", async () => {
  const host = await listen(answering(401));
  expect(await whyUnreachable(`http://me:secret@${host}/`, below400)).toBe(`${host} answers 401`);
});

test("the proxy in the environment is contacted instead of the host", async () => {
  const target = await listen(answering(204));
  const proxy = createHttpServer().on("connect", (_, client) => {
    const upstream = connect(Number(target.split(":")[1]), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
  });
  const env = { http_proxy: `http://${await listen(proxy)}` };
  const ask = () => whyUnreachable("http://pgroundwork.invalid/file", below400);
  expect(await throughProxies(env, ask)).toBeUndefined();
  expect(await ask()).toMatch(/^pgroundwork\.invalid is not reachable/);
});
