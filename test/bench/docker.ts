import { join } from "node:path";
import type Docker from "dockerode";
import { containerPaths } from "../../infra/plan/container.ts";
import { dockerClient } from "../../scripts/docker/client.ts";
import { runInContainer } from "../../scripts/docker/run-in-container.ts";
import type { EngineInstallation } from "../../scripts/pulumi/ensure-engine.ts";
import { removeNamed } from "../docker/docker-objects.ts";
import { watchOutage } from "../outage.ts";
import { DevStack } from "./dev-stack.ts";
import { emptyProgram } from "./empty-program.ts";
import { describeTimes, type Measurement, median, timed } from "./measurement.ts";

const coldRuns = 3;
const pairs = 5;
const replacements = 3;
const starts = 5;

/**
 * Measures a stack with the settings of `dev` in this machine's Docker engine, which already has the base image: `up`
 * from nothing, `up` with an existing image, `up` without changes, replacement of its container, start of containers
 * from its image.
 */
export async function benchDocker(scratch: string, engine: EngineInstallation): Promise<Measurement[]> {
  const docker = dockerClient();
  const folder = join(scratch, "docker");
  const stacks: DevStack[] = [];
  const make = async (isFresh: boolean) => {
    const stack = await DevStack.make(`${folder}-${stacks.length}`, { isFresh });
    stacks.push(stack);
    return stack;
  };
  try {
    const [cold, warm]: [number[], number[]] = [[], []];
    for (let i = 0; i < coldRuns; i += 1) {
      const [withBuild, withImage] = [await make(true), await make(false)];
      cold.push(await timed(() => withBuild.up()));
      await withBuild.erase();
      // The first of these runs may build the image.
      await withImage.up();
      await withImage.erase();
      warm.push(await timed(() => withImage.up()));
    }
    const stack = stacks.at(-1);
    if (stack === undefined) throw new Error("no stack was made");
    return [
      {
        what: "docker: up from nothing, image built",
        here: describeTimes(cold),
        target: "≤ 90 s",
        met: median(cold) <= 90,
      },
      { what: "docker: the same, image there", here: describeTimes(warm), target: "", met: true },
      await measureNoChange(stack, await emptyProgram(`${folder}-empty`, engine)),
      await measureReplacement(docker, stack),
      ...(await measureStarts(docker, stack)),
    ];
  } finally {
    for (const stack of stacks) await removeNamed(stack.prefix);
  }
}

async function measureNoChange(stack: DevStack, empty: (...flags: string[]) => Promise<void>): Promise<Measurement> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i <= pairs; i += 1) {
    const mine = await timed(() => stack.up());
    const bare = await timed(() => empty("--yes"));
    if (i === 0) continue;
    ours.push(mine);
    theirs.push(bare);
  }
  const ratio = median(ours) / median(theirs);
  const against = `empty program, pulumi up --yes: ${describeTimes(theirs)}`;
  return {
    what: "docker: up with nothing to do",
    here: describeTimes(ours),
    against,
    ratio,
    target: "≤ 2×",
    met: ratio <= 2,
  };
}

/** Measures the time without a server while `up` replaces a container, and during a plain restart. */
async function measureReplacement(docker: Docker, stack: DevStack): Promise<Measurement> {
  const connection = await stack.login("app");
  const [replaced, restarted]: [number[], number[]] = [[], []];
  const watched = async (work: () => Promise<unknown>) => {
    const outage = watchOutage(connection, 10);
    await work();
    return outage.end();
  };
  for (let i = 1; i <= replacements; i += 1) {
    await stack.configure(`  pgroundwork:shmSize: ${256 + i}`);
    replaced.push(await watched(() => stack.up()));
    restarted.push(
      await watched(async () => {
        await docker.getContainer(stack.container).restart();
        await firstAnswer(docker, docker.getContainer(stack.container));
      }),
    );
  }
  const ratio = median(replaced) / median(restarted);
  const against = `docker restart: ${describeTimes(restarted)}`;
  return {
    what: "docker: replaced container, without a server",
    here: describeTimes(replaced),
    against,
    ratio,
    target: "",
    met: true,
  };
}

/** Measures the time from `docker start` to the first answer, on a volume with a cluster and on a new one. */
async function measureStarts(docker: Docker, stack: DevStack): Promise<Measurement[]> {
  const { Image: image } = await docker.getContainer(stack.container).inspect();
  const [fresh, existing]: [number[], number[]] = [[], []];
  for (let i = 0; i < starts; i += 1) {
    const container = await docker.createContainer({
      name: `${stack.prefix}-start-${i}`,
      Image: image,
      HostConfig: {
        Init: true,
        NetworkMode: "none",
        Mounts: [
          { Type: "volume", Source: `${stack.prefix}-start-${i}`, Target: containerPaths.data },
          { Type: "volume", Source: `${stack.prefix}-config`, Target: containerPaths.configuration, ReadOnly: true },
        ],
      },
    });
    for (const times of [fresh, existing]) {
      times.push(
        await timed(async () => {
          await container.start();
          await firstAnswer(docker, container);
        }),
      );
      await container.stop();
    }
    await container.remove();
  }
  const row = (what: string, times: readonly number[]): Measurement => ({
    what,
    here: describeTimes(times),
    target: "",
    met: true,
  });
  return [
    row("docker: container start to first query, fresh volume", fresh),
    row("docker: the same, volume with a cluster", existing),
  ];
}

async function firstAnswer(docker: Docker, container: Docker.Container): Promise<void> {
  const command = ["sh", "-c", "until psql -X -q -A -t -c 'select 1' >/dev/null 2>&1; do sleep 0.02; done"];
  const { code, stderr } = await runInContainer(docker, container.id, { command, user: "postgres" });
  if (code !== 0) throw new Error(`the server never answered: ${stderr}`);
}
