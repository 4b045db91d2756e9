import { beforeAll, describe, expect, it } from "vitest";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

/** The server belongs to another stack. For this stack, it is an external server. */
describe("a stack on an external server", () => {
  let owner: DockerStack;
  let guest: DockerStack;
  let url: URL;
  let password: string;

  beforeAll(async () => {
    owner = await makeDockerStack();
    guest = await makeDockerStack();
    await owner.configure({ databases: ["learning"], seeds: ["reference"] });
    await owner.succeed("up");
    url = new URL((await owner.succeed("url", "--role", "superuser")).stdout.trim());
    password = decodeURIComponent(url.password);
    url.password = "";
    url.pathname = "/postgres";
    await guest.clone.shell(
      `mkdir -p .pgroundwork && cp ${owner.clone.root}/.pgroundwork/ca-${owner.stack}.pem .pgroundwork/elsewhere.pem`,
    );
    url.searchParams.set("sslrootcert", ".pgroundwork/elsewhere.pem");
    await configure(url.href);
  });

  async function configure(href: string, secret = password): Promise<void> {
    await guest.configure({ server: "external", url: href });
    const set = await guest.clone.shell(
      `eval "$(node_modules/.bin/node scripts/pgw.mjs engine env --stack ${guest.stack})" && (pulumi stack init ${guest.stack} || true) &&
       pulumi config set --stack ${guest.stack} --secret superuserPassword -- '${secret}'`,
    );
    expect(set.code, set.stderr).toBe(0);
  }

  const products = () => guest.query("readonly", "select count(*)::int from product");

  it("has its databases there over verified TLS, and a second up changes nothing", async () => {
    const { stdout } = await guest.succeed("up");
    expect(stdout).toMatch(/^all commands: /m);
    expect(stdout).not.toMatch(/npm run down|-- logs/);
    expect(await products()).toEqual([{ count: 2 }]);
    expect((await guest.succeed("up")).stdout).toMatch(/^no changes/m);
    expect((await guest.succeed("refresh")).stdout).toMatch(/^no changes/m);
  });

  it("keeps the password of the connection secret", async () => {
    const { stdout } = await guest.clone.shell(
      `cat Pulumi.${guest.stack}.yaml .pgroundwork/.pulumi/stacks/*/${guest.stack}.json`,
    );
    expect(stdout.length).toBeGreaterThan(10_000);
    expect(stdout).not.toContain(password);
  });

  it("does not stop the server or show its log, because the kit does not manage it", async () => {
    for (const command of ["down", "logs"]) {
      const { code, stderr } = await guest.pgw(command);
      expect(code).toBe(3);
      expect(stderr).toContain(`Stack "${guest.stack}" has an external server`);
    }
  });

  it("keeps everything on destroy, and adopts it on the next up", async () => {
    await guest.succeed("destroy", "--yes");
    expect(await owner.query("superuser", "select datname from pg_database where datname = 'shop'")).toEqual([
      { datname: "shop" },
    ]);
    await guest.succeed("up");
    expect(await products()).toEqual([{ count: 2 }]);
  });

  it("erases a database by name; erasing the whole stack leaves what is on the server", async () => {
    await guest.succeed("destroy", "--erase", "shop", "--yes");
    const shops = () => owner.query("superuser", "select datname from pg_database where datname = 'shop'");
    expect(await shops()).toEqual([]);
    await guest.succeed("up");
    expect(await products()).toEqual([{ count: 2 }]);
    await guest.succeed("destroy", "--erase", guest.stack, "--yes");
    expect(await shops()).toEqual([{ datname: "shop" }]);
    await configure(url.href);
    await guest.succeed("up");
    expect(await products()).toEqual([{ count: 2 }]);
  });

  it("reports a wrong password and a CA that did not sign the server's certificate", async () => {
    await configure(url.href, "not-the-password");
    const refused = await guest.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("password authentication failed");
    expect(refused.stderr).not.toContain("not-the-password");

    const untrusted = new URL(url.href);
    untrusted.searchParams.delete("sslrootcert");
    await configure(untrusted.href);
    const distrusted = await guest.pgw("up");
    expect(distrusted.code).toBe(1);
    expect(distrusted.stderr).toMatch(/certificate/);
    await configure(url.href);
    expect((await guest.succeed("up")).stdout).toMatch(/^no changes/m);
  });
});
