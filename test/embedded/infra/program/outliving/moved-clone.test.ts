import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { revealedOutputs } from "../passwords.ts";
import { shopSettings } from "../shop.ts";
import { pulumi } from "./by-hand.ts";
import { expectAdopted, makeStockedShop } from "./rows.ts";

describe("the data of a project directory that was moved", () => {
  let clone: Clone;
  let data: string;

  beforeAll(async () => {
    clone = await makeStockedShop();
    data = (await revealedOutputs(clone)).server.dataDirectory;
    await clone.move("moved");
  });
  afterAll(() => clone?.remove());

  it("survives pulumi destroy, which names the setting that adopts it", async () => {
    const stdout = await pulumi(clone, "destroy --yes --skip-preview");
    expect(stdout).toContain(
      `The server is stopped. Its data is kept in ${data}. Set pgroundwork:dataDirectory to it before the next \`up\`.`,
    );
    await clone.configure({ ...shopSettings, dataDirectory: data });
    await expectAdopted(clone);
  });

  it("survives pgw destroy, and the next up adopts it", async () => {
    expect((await clone.succeed("destroy", "--yes")).stdout).toContain(
      `The data is kept in ${data}. \`npm run up\` adopts it`,
    );
    await expectAdopted(clone);
  });
});
