import { describe, expect, it } from "vitest";
import { waitForServer } from "../../../../../scripts/docker/server/wait.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import { image } from "../../../infra/fallback-providers/docker/fallback-provider.ts";

describe("the wait for a server in a container", () => {
  const objects = dockerObjects();
  const { docker } = objects;

  /** Starts a container that ends at once, as a server with an error in its configuration does. */
  async function broken(restart: string): Promise<string> {
    const name = objects.name("broken");
    const container = await docker.createContainer({
      name,
      Image: image,
      Cmd: ["sh", "-c", "echo FATAL: broken >&2; exit 3"],
      HostConfig: { RestartPolicy: { Name: restart } },
    });
    await container.start();
    return name;
  }
  const wait = (name: string) => waitForServer(docker, name, 60, AbortSignal.timeout(60_000));

  it("ends long before its time limit if the container exits soon after each start", async () => {
    const name = await broken("unless-stopped");
    await expect(wait(name)).rejects.toThrow(
      `The server in the container ${name} exits soon after each start, last with exit code 3. The end of its log:\n  FATAL: broken`,
    );
  });

  it("ends if the container has ended and is not restarted", async () => {
    const name = await broken("no");
    await expect(wait(name)).rejects.toThrow(
      `The server in the container ${name} has ended with exit code 3. The end of its log:\n  FATAL: broken`,
    );
  });

  it("ends if the container is gone", async () => {
    const name = objects.name("gone");
    await expect(wait(name)).rejects.toThrow(`The container ${name} is gone.`);
  });
});
