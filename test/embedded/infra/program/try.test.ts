import { test } from "vitest";
import { makeShop } from "./shop.ts";

test("try", async () => {
  const clone = await makeShop();
  for (const args of [
    ["up"],
    ["up"],
    ["preview"],
    ["outputs"],
    ["outputs", "--json"],
    ["migrate", "status"],
    ["seed", "info"],
    ["stacks"],
    ["logs", "-n", "3"],
    ["refresh"],
    ["down"],
    ["preview"],
    ["up"],
    ["refresh"],
    ["url"],
    ["url", "--role", "x"],
    ["nope"],
    ["up", "--stack", "x"],
    ["up", "--foo"],
  ]) {
    const t = performance.now();
    const r = await clone.pgw(...args);
    process.stdout.write(
      `$$$ ${args.join(" ")} -> ${r.code} in ${Math.round(performance.now() - t)}\n${r.stdout}${r.stderr ? `--- stderr\n${r.stderr}` : ""}\n`,
    );
  }
  process.stdout.write(
    (await clone.shell("git status --porcelain; cat Pulumi.local.yaml; ls -la .pgroundwork .pgroundwork/.pulumi/*"))
      .stdout,
  );
  await clone.remove();
});
