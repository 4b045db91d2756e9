import { describe, expect, it } from "vitest";
import { outdatedPages } from "../../../../scripts/docs/pages.ts";
import { betweenMarkers } from "../../../../scripts/docs/reference.ts";
import { cloneRoot } from "../../../clone-root.ts";

describe("generated documentation", () => {
  it("says what the commands and settings say now (npm run docs brings it up to date)", async () => {
    expect(await outdatedPages(cloneRoot, false)).toEqual([]);
  });

  it("replaces what stands between the markers, and nothing else", () => {
    const page = "# Title\n<!-- list -->\nold\n<!-- /list -->\nend\n";
    expect(betweenMarkers(page, "list", "new")).toBe("# Title\n<!-- list -->\n\nnew\n\n<!-- /list -->\nend\n");
  });

  it("refuses a page without markers", () => {
    expect(() => betweenMarkers("# Title\n", "list", "new")).toThrow(
      "The markers <!-- list --> and <!-- /list --> are missing.",
    );
  });
});
