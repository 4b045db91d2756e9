import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  faults: [
    {
      title: "an extension of an older version",
      setup: ["create extension pg_trgm version '1.5'"],
      finds: ["pg_trgm"],
    },
  ],
  nearMisses: [
    { title: "an extension of the version on the server", setup: ["create extension pg_trgm"] },
    {
      title: "an extension that is newer than its files",
      setup: ["create extension pg_trgm", "update pg_extension set extversion = '99' where extname = 'pg_trgm'"],
    },
  ],
};
