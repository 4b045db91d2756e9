import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SocketProxy } from "../../../socket-proxy.ts";
import { type DockerStack, makeDockerStack } from "../../../stack.ts";
import { expectWhole } from "../../../whole.ts";
import { type DockerMoment, dockerMoments } from "../killed/moments.ts";

/**
 * Defines the tests of an engine that goes away.
 *
 * @param every also lets it go away at a moment of a kind that another test covers
 */
export function describeUnreachable(every: boolean): void {
  describe("a Docker engine that goes away", () => {
    let shop: DockerStack;
    const proxy = new SocketProxy();

    beforeAll(async () => {
      // What a plugin leaves is removed once its process has ended.
      shop = await makeDockerStack({ ownPlugins: true });
      shop.clone.env.DOCKER_HOST = proxy.host;
    });
    beforeEach(() => proxy.come());
    afterEach(() => proxy.goAway());

    /** Runs `up`. At a given moment, the engine becomes unreachable, and it is back after the end of `up`. */
    async function upUntil(reached: DockerMoment["reached"]): Promise<string> {
      const up = shop.pgw("up");
      await reached(shop);
      await proxy.goAway();
      const { code, stdout, stderr } = await up;
      await proxy.come();
      expect([code, stdout], stderr).toEqual([1, ""]);
      return stderr;
    }

    const { makingNetwork, initialising } = dockerMoments;

    const seen = every ? [makingNetwork, initialising] : [initialising];
    it.each(seen)("is reported while $name, and the next up completes", async ({ reached }) => {
      const stderr = await upUntil(reached);
      expect(stderr).not.toMatch(/^ +at |bug in pgroundwork/m);
      expect(stderr).toMatch(
        /No Docker engine answers on unix:\/\/\S+: \S+\.\n {2}Start the Docker engine, or correct/,
      );
      await shop.succeed("up");
      await expectWhole(shop);
      await shop.succeed("destroy", "--erase", shop.stack, "--yes");
    });

    it("is reported by every command, and every row is there once it is back", async () => {
      await shop.clone.useHosts();
      await shop.succeed("up");
      await shop.query("app", "insert into product values (3, 'cocoa', 2)");
      await proxy.goAway();
      for (const args of [["up"], ["preview"], ["down"], ["logs"], ["refresh"], ["destroy", "--yes"]]) {
        const { code, stderr } = await shop.pgw(...args);
        expect(code, args[0]).toBe(1);
        expect(stderr.match(/No Docker engine answers on unix:\/\/\S+\.sock: ENOENT\./g), args[0]).toHaveLength(1);
      }
      await proxy.come();
      await expectWhole(shop, ["tea", "coffee", "cocoa"]);
    });
  });
}
