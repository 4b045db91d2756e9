import { beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { inEngine } from "../../in-engine.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();
const names = "select name from product order by id";
const seeded = [{ name: "tea" }, { name: "coffee" }];

describe("two project directories with stacks of one name on one Docker engine", () => {
  let first: DockerStack;
  let second: DockerStack;
  /** Prefix of the names of the second stack's objects, longer than the first one's. */
  let ofSecond: string;

  beforeAll(async () => {
    first = await makeDockerStack();
    second = await makeDockerStack({}, first.stack);
    await first.succeed("up");
    await second.succeed("up");
    await first.query("app", "insert into product values (3, 'cocoa', 2)");
    const { server } = JSON.parse((await second.succeed("outputs", "--json")).stdout) as {
      server: { container: string };
    };
    ofSecond = server.container.replace(/-postgres$/, "");
  });

  const running = async (container: string) => (await docker.getContainer(container).inspect()).State.Running;
  const things = async () => (await inEngine(first.prefix)).filter((thing) => !thing.startsWith("a scratch"));
  const expectSecondWhole = async () => {
    expect(await running(`${ofSecond}-postgres`)).toBe(true);
    expect(await second.query("readonly", names)).toEqual(seeded);
    expect((await second.succeed("up")).stdout).toMatch(/^no changes/m);
    expect((await second.succeed("recover")).stdout).toMatch(/left anything$/m);
  };

  it("come up separately, with object names of their own", async () => {
    expect(ofSecond).toMatch(new RegExp(`^${first.prefix}-[0-9a-f]{6}$`));
    expect(await first.query("readonly", names)).toEqual([...seeded, { name: "cocoa" }]);
    await expectSecondWhole();
    expect((await first.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("are stopped independently", async () => {
    await first.succeed("down");
    expect(await running(first.server)).toBe(false);
    await expectSecondWhole();
    await first.succeed("up");
  });

  it("detect a missing container although the other directory's container is there", async () => {
    await docker.getContainer(`${ofSecond}-postgres`).remove({ force: true });
    expect((await second.succeed("up")).stdout).toMatch(/^1 created, /m);
    expect(await second.query("readonly", names)).toEqual(seeded);
  });

  it("belong to the original if a project directory was copied with its state", async () => {
    const before = await things();
    const { clone, stack } = first;
    const inCopy = (command: string) => clone.shell(`cd ../copy && ${command} --stack ${stack}`);
    // The test's own hosts have the code of the original.
    const pgw = "unset PGW_TEST_PLUGIN_HOST PGW_TEST_PROGRAM_HOST && node_modules/.bin/node scripts/pgw.mjs";
    await clone.shell("rm -rf ../copy && cp -r --no-dereference . ../copy");
    for (const command of ["preview", "up", "down", "destroy --yes", `destroy --erase ${stack} --yes`, "seed apply"]) {
      const { code, stderr } = await inCopy(`${pgw} ${command}`);
      expect({ command, code, stderr }).toMatchObject({ command, code: 3 });
      expect(stderr).toContain(`belongs to the project directory ${clone.root}, and `);
    }
    const plain = await inCopy(
      `${pgw} engine env --stack ${stack} >../env 2>/dev/null && . ../env && pulumi up --yes --skip-preview`,
    );
    expect(plain.code).not.toBe(0);
    expect(plain.stdout).toContain(`belongs to the project directory ${clone.root}, and `);
    // Containers that the original's later runs created are missing in the state of the copy.
    await clone.shell(
      `sed -i 's#docker:index/container:Container#docker:index/container:Other#g' ../copy/.pgroundwork/.pulumi/stacks/pgroundwork/${stack}.json`,
    );
    const recovered = await inCopy(`${pgw} recover`);
    expect(recovered.stderr).toContain(`belongs to the project directory ${clone.root}, and `);
    expect(await things()).toEqual(before);
    expect((await first.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("are taken down independently", async () => {
    const before = await things();
    await first.succeed("destroy", "--yes");
    await expectSecondWhole();
    const gone = before.filter((thing) => !thing.includes(ofSecond) && !thing.endsWith(`${first.prefix}-data`));
    expect(await things()).toEqual(before.filter((thing) => !gone.includes(thing)));
    await first.succeed("up");
    expect(await first.query("readonly", names)).toEqual([...seeded, { name: "cocoa" }]);
  });

  it("are erased independently", async () => {
    await first.succeed("destroy", "--erase", first.stack, "--yes");
    expect((await things()).filter((thing) => !thing.includes(ofSecond))).toEqual([]);
    await expectSecondWhole();
    await second.succeed("destroy", "--erase", second.stack, "--yes");
    expect(await things()).toEqual([]);
  });
});
