import { expect, test } from "vitest";
import { cacheFolder } from "../../../../scripts/pulumi/cache-folder.mjs";
import { userHome } from "../../../../scripts/pulumi/locations.ts";

test.each([
  [{ HOME: "/home/u" }, "/home/u/.cache/pgroundwork"],
  [{ HOME: "/home/u", XDG_CACHE_HOME: "/var/cache/u" }, "/var/cache/u/pgroundwork"],
  [{ HOME: "/home/u", XDG_CACHE_HOME: "relative" }, "/home/u/.cache/pgroundwork"],
  [{ HOME: "/home/u", XDG_CACHE_HOME: "" }, "/home/u/.cache/pgroundwork"],
])("with %j the cache is %s", (env, folder) => {
  expect(cacheFolder(env)).toBe(folder);
});

test.each([
  [{ HOME: "/home/u" }, "/home/u/.pulumi"],
  [{ HOME: "/home/u", PULUMI_HOME: "/srv/pulumi" }, "/srv/pulumi"],
  [{ HOME: "/home/u", PULUMI_HOME: "/clone/.pgroundwork/home" }, "/home/u/.pulumi"],
])("with %j the user's PULUMI_HOME is %s", (env, folder) => {
  expect(userHome("/clone", env)).toBe(folder);
});
