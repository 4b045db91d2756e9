import { expect, it } from "vitest";
import { afterFile, cleanUpFile } from "../../support/after-file.ts";

it("cleans up once, in reverse order, after a failure too", async () => {
  const done: string[] = [];
  const cleanUp = (name: string, fails = false) =>
    afterFile(async () => {
      done.push(name);
      if (fails) throw new Error(`${name} is in use`);
    });
  cleanUp("a server");
  cleanUp("a network", true);
  cleanUp("a container", true);
  await expect(cleanUpFile()).rejects.toThrow(
    "clean-up after the file failed: Error: a container is in use; Error: a network is in use",
  );
  expect(done).toEqual(["a container", "a network", "a server"]);
  await cleanUpFile();
  expect(done).toHaveLength(3);
});
