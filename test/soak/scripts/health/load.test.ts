import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../../../embedded/server.ts";
import { type HealthProcess, residentMegabytes, startHealth } from "../../../support/health-process.ts";

const connections = 1_000;
const slowReaders = 100;
const watchedMs = 30_000;

describe("the health server under load", () => {
  let server: TestServer;
  let health: HealthProcess;
  let folder: string;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "health-load-"));
    server = await startServer();
    health = await startHealth(folder, server.connection(), 5);
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await health?.stop();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (text: string, reads = true) => {
    const socket = connect(Number(new URL(health.url).port), "127.0.0.1");
    socket.on("error", () => {});
    if (reads) socket.resume();
    else socket.pause();
    if (text !== "") socket.write(text);
    sockets.push(socket);
    return socket;
  };
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

  it("answers within a second, in 150 MB, with a thousand connections, slow readers and garbage", async () => {
    const kinds = ["", request("/health"), "GET /health HTTP/1.1\r\nHost: 127", "\u0000\u0001garbage\r\n\r\n"];
    let [asked, slowest, memory] = [0, 0, 0];
    process.stdout.write(`before: ${(await residentMegabytes(health.pid)).toFixed(0)} MB\n`);
    const deadline = Date.now() + watchedMs;
    const keepOpen = async () => {
      while (Date.now() < deadline) {
        const living = sockets.filter(({ destroyed }) => !destroyed);
        sockets.splice(0, sockets.length, ...living);
        while (sockets.length < slowReaders) open(request("/").repeat(50), false);
        while (sockets.length < slowReaders + connections) open(kinds[sockets.length % kinds.length] ?? "");
        await sleep(50);
      }
    };
    const watch = async () => {
      while (Date.now() < deadline) {
        const started = performance.now();
        const answer = await fetch(`${health.url}/api/health/database`, { headers: { connection: "close" } });
        expect(answer.status).toBe(200);
        await answer.text();
        slowest = Math.max(slowest, performance.now() - started);
        asked += 1;
        memory = Math.max(memory, await residentMegabytes(health.pid));
        await sleep(100);
      }
    };
    await Promise.all([keepOpen(), watch()]);
    process.stdout.write(`${asked} answers, the slowest after ${slowest.toFixed(0)} ms; ${memory.toFixed(0)} MB\n`);
    expect(asked).toBeGreaterThan(10);
    // The limit of a second, with the slack of a busy machine.
    expect(slowest).toBeLessThan(3_000);
    expect(memory).toBeLessThanOrEqual(150);
  });
});
