import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type { Clone } from "../../../embedded/clone.ts";
import type { Prometheus } from "../../prometheus.ts";
import type { DockerStack } from "../../stack.ts";

/** A stack whose pooler alerts fire as soon as their condition holds. */
interface ImpatientPooler {
  shop: DockerStack;
  prometheus: Prometheus;
  poolSize: number;
  /** Opens a client of the pooler. */
  open(role: string): Promise<Client>;
}

/** Clients with which the alert about their number fires. The tests of the pooler open more for a moment only. */
const manyClients = 40;

/** Removes the waiting times of the pooler's rules, and lets Prometheus look every 3 s. Call before the first `up`. */
export async function makePoolerAlertsImpatient(clone: Clone, maxClients: number): Promise<void> {
  const share = (manyClients - 5) / maxClients;
  await clone.shell(
    `sed -i -e '/^ *for: /d' -e 's/max_client_connections > 0.8/max_client_connections > ${share}/' infra/monitoring/pooler-alerts.yml`,
  );
  await clone.shell(
    "sed -i 's/^\\(  scrape_interval\\|  scrape_timeout\\|  evaluation_interval\\): .*/\\1: 3s/' infra/plan/monitoring.ts",
  );
}

/** Defines the tests that each alert about the pooler fires for its fault, alone, and ends with it. */
export function describePoolerAlerts(pooler: () => ImpatientPooler): void {
  const docker = dockerClient();
  const firing = async () => (await pooler().prometheus.firing()).filter((name) => name.startsWith("Pooler")).join(" ");
  const expectFiring = (...names: string[]) =>
    expect.poll(firing, { timeout: 60_000, interval: 500 }).toBe(names.join(" "));
  const openMany = (count: number, role = "app") =>
    Promise.all(Array.from({ length: count }, () => pooler().open(role)));
  const close = (clients: readonly Client[]) => Promise.all(clients.map((client) => client.end().catch(() => {})));

  describe("and its alerts", () => {
    it("report clients that wait for a connection", async () => {
      const clients = await openMany(pooler().poolSize + 1);
      const [waiting, ...holding] = clients;
      await Promise.all(holding.map((client) => client.query("begin")));
      const answer = waiting?.query("select 1");
      await expectFiring("PoolerClientsWaiting");
      await Promise.all(holding.map((client) => client.query("commit")));
      await answer;
      await expectFiring();
      await close(clients);
    });

    it("report that no connection to the server can be opened, while clients wait", async () => {
      const { open, shop } = pooler();
      const client = await open("readonly");
      await client.query("select 1");
      const server = docker.getContainer(shop.server);
      await server.pause();
      try {
        await runInContainer(docker, `${shop.prefix}-pooler`, { command: ["pooler-console", "RECONNECT"] });
        client.query("select 1").catch(() => {});
        await expectFiring("PoolerClientsWaiting", "PoolerLoginsFailing");
      } finally {
        await server.unpause();
      }
      await expectFiring();
      await close([client]);
    });

    it("report that most of the clients that it accepts are there", async () => {
      const clients = await openMany(manyClients);
      await expectFiring("PoolerClientsNearLimit");
      await close(clients);
      await expectFiring();
    });

    it.each([
      ["the pooler", "pooler", "PoolerDown"],
      ["its exporter", "pooler-exporter", "PoolerUnknown"],
    ])("report that %s is stopped", async (_, role, alert) => {
      const container = docker.getContainer(`${pooler().shop.prefix}-${role}`);
      await container.stop();
      await expectFiring(alert);
      await container.start();
      await expectFiring();
    });
  });
}
