import { describe, expect, it } from "vitest";
import { compareContent } from "../../../../../scripts/backup/dump/content.ts";
import { formatMetadata, parseMetadata } from "../../../../../scripts/backup/dump/metadata.ts";
import { metadataOf } from "./metadata.ts";

describe("the description of a dump", () => {
  it("is read as it was written", () => {
    expect(parseMetadata(formatMetadata(metadataOf()))).toEqual({ metadata: metadataOf() });
  });

  it.each([
    ["is not JSON", (text: string) => text.slice(0, 50)],
    ["is damaged: its digest does not match", (text: string) => text.replace('"rows": 2', '"rows": 3')],
    ["is damaged: its digest does not match", (text: string) => text.replace("17.6", "17.7")],
    ["is damaged: content.tables.0.rows", (text: string) => text.replace('"rows": 2', '"rows": "2"')],
    [
      "has format 2, but this version of pgroundwork reads 1",
      (text: string) => text.replace('"format": 1', '"format": 2'),
    ],
    ["is damaged: ", () => "null"],
  ])("%s", (reason, change) => {
    expect(parseMetadata(change(formatMetadata(metadataOf())))).toEqual({
      reason: expect.stringContaining(`metadata.json ${reason}`),
    });
  });
});

describe("the contents of a loaded dump", () => {
  const { content } = metadataOf();
  const full = { scope: "full", sameMajor: true } as const;
  const [item] = content.tables;
  const withTable = (changed: object) => ({
    ...content,
    tables: [{ ...(item as object), ...changed }] as typeof content.tables,
  });

  it.each([
    [content, []],
    [withTable({ rows: 1 }), ["the table public.item has 1 rows instead of 2"]],
    [withTable({ checksum: "18" }), ["the rows of the table public.item differ from those that were dumped"]],
    [
      withTable({ table: "public.other" }),
      ["the table public.item is missing", "the table public.other was not in the dumped database"],
    ],
    [{ ...content, largeObjects: 1 }, ["there are 1 large objects instead of 0"]],
    [{ ...content, migrations: null }, ["the applied migrations are none instead of 000001.sql"]],
  ])("are compared with those dumped: %#", (found, differences) => {
    expect(compareContent(content, found, full)).toEqual(differences);
  });

  it("are compared without checksums if another major version computed them, and without records in a schema", () => {
    expect(compareContent(content, withTable({ checksum: "18" }), { ...full, sameMajor: false })).toEqual([]);
    expect(compareContent(content, { ...content, migrations: [] }, { ...full, scope: "schema" })).toEqual([]);
  });
});
