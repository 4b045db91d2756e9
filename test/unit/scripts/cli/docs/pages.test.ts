import { describe, expect, it } from "vitest";
import { outdatedPages } from "../../../../../scripts/cli/docs/pages.ts";
import { betweenMarkers } from "../../../../../scripts/cli/docs/reference.ts";
import { cloneRoot } from "../../../../clone-root.ts";

describe("generated documentation", () => {
  it("agrees with the commands and settings (npm run docs updates it)", async () => {
    expect(await outdatedPages(cloneRoot, false)).toEqual([]);
  });

  it("is replaced between the markers, and nowhere else", () => {
    const page = "# Title\n<!-- list -->\nold\n<!-- /list -->\nend\n";
    expect(betweenMarkers(page, "list", "new")).toBe("# Title\n<!-- list -->\n\nnew\n\n<!-- /list -->\nend\n");
  });

  it("is refused in a page without markers", () => {
    expect(() => betweenMarkers("# Title\n", "list", "new")).toThrow(
      "The markers <!-- list --> and <!-- /list --> are missing.",
    );
  });
});
