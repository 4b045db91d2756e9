import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Known } from "../core/known.ts";
import { parseSamples, type Sample } from "./prometheus-samples.ts";

/** Samples of a folder's files. */
export interface MetricFiles {
  samples: Sample[];
  /** Files that cannot be read, each with the reason. */
  faults: string[];
}

/** Reads all files in Prometheus's text format (`*.prom`) in a folder. */
export async function readMetricFiles(folder: string): Promise<Known<MetricFiles>> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".prom")).sort();
    const read = names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const);
    return { known: true, ...parseMetricFiles(await Promise.all(read)) };
  } catch (error) {
    return { known: false, reason: `the metrics of the backups cannot be read: ${(error as Error).message}` };
  }
}

/**
 * Parses files in Prometheus's text format. A sample that an earlier file has, too, makes a file invalid.
 *
 * @param files name and text of each
 */
export function parseMetricFiles(files: readonly (readonly [name: string, text: string])[]): MetricFiles {
  const known = new Map<string, Sample>();
  const faults: string[] = [];
  for (const [file, text] of files) {
    try {
      const samples = parseSamples(text).map((sample) => [keyOf(sample), sample] as const);
      const keys = samples.map(([key]) => key);
      const twice = keys.find((key, index) => known.has(key) || keys.indexOf(key) !== index);
      if (twice !== undefined) throw new SyntaxError(`it repeats the sample ${twice}`);
      for (const [key, sample] of samples) known.set(key, sample);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      faults.push(`${file}: ${error.message}`);
    }
  }
  return { samples: [...known.values()], faults };
}

function keyOf({ name, labels }: Sample): string {
  return `${name}${JSON.stringify(Object.entries(labels).sort())}`;
}
