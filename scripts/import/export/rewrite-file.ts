import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { chunksOf, type Part } from "../source/json/json-source.ts";
import { type Edge, type Element, JsonScanner } from "../source/json/scanner.ts";

/** Result of a document: its bytes as they were, another text, or none if it is removed. */
export type Rewritten = "same" | "removed" | { text: string };

/** A document that is added to a container. The name is that of a member of an object. */
export interface Added {
  name: string | undefined;
  text: string;
}

/** Decides what becomes of the documents of a container. */
export interface Rewriter {
  rewrite(elements: readonly Element[]): Promise<Rewritten[]>;
  /** Documents that are added at the end. */
  added(): AsyncIterable<Added>;
}

/** Documents that are rewritten at once. */
const batchDocuments = 200;

/** Bytes that stay, or a document with the bytes before it, or the end of the container. */
type Piece =
  | { kind: "bytes"; bytes: Buffer }
  | { kind: "element"; before: Buffer; element: Element }
  | { kind: "end"; before: Buffer; isObject: boolean };

/** Returns true if a file holds one document, or one in each line, and no container around them. */
export function isLines({ file, path }: Part): boolean {
  return path.length === 0 && file.shape.containers.get("")?.isArray !== true;
}

/**
 * Writes a file again, with the documents of one container rewritten. All other bytes stay as they are.
 *
 * @param from path of the file. Its structure is that of the part
 */
export async function rewriteFile(part: Part, from: string, to: string, rewriter: Rewriter): Promise<void> {
  const output = createWriteStream(to, { mode: 0o600 });
  const write = async (bytes: Buffer | string) => {
    if (bytes.length > 0 && !output.write(bytes)) await once(output, "drain");
  };
  const comma = isLines(part) ? "" : ",";
  let written = 0;
  // After the first document was removed, the next one begins with a comma that does not belong there.
  let isFirstGone = false;
  let waiting: Extract<Piece, { kind: "element" }>[] = [];
  const flush = async () => {
    const results = await rewriter.rewrite(waiting.map(({ element }) => element));
    for (const [index, { before, element }] of waiting.entries()) {
      const result = results[index] ?? "same";
      if (result === "removed") {
        isFirstGone ||= written === 0;
        continue;
      }
      const text = before.toString("utf8");
      await write(written === 0 && isFirstGone ? text.replace(/^\s*,/, "") : text);
      await write(result === "same" ? element.bytes : result.text);
      written++;
    }
    waiting = [];
  };
  for await (const piece of piecesOf(part, from)) {
    if (piece.kind === "bytes") await write(piece.bytes);
    else if (piece.kind === "element") {
      waiting.push(piece);
      if (waiting.length >= batchDocuments) await flush();
    } else {
      await flush();
      for await (const { name, text } of rewriter.added()) {
        const label = piece.isObject ? `${JSON.stringify(name ?? "")}: ` : "";
        await write(`${written === 0 ? "" : comma}\n${label}${text}`);
        written++;
      }
      await write(piece.before);
    }
  }
  output.end();
  await finished(output);
}

/** Splits a file at the documents of a container. Holds one document and the part that is read at most. */
async function* piecesOf(part: Part, from: string): AsyncIterable<Piece> {
  const found: (Element | Edge)[] = [];
  const scanner = new JsonScanner(
    from,
    part.path,
    (element) => found.push(element),
    (edge) => found.push(edge),
  );
  const lines = isLines(part);
  let isInside = lines;
  // Bytes that were read and not given, and their offset in the file.
  let [rest, offset]: [Buffer, number] = [Buffer.alloc(0), 0];
  const take = (until: number): Buffer => {
    const taken = rest.subarray(0, until - offset);
    rest = rest.subarray(until - offset);
    offset = until;
    return taken;
  };
  for await (const { whole, text } of chunksOf(from)) {
    // The mark of the byte order is no part of the text.
    if (whole.length > text.length) yield { kind: "bytes", bytes: whole.subarray(0, whole.length - text.length) };
    scanner.push(text);
    rest = rest.length === 0 ? text : Buffer.concat([rest, text]);
    for (const each of found.splice(0)) {
      if ("bytes" in each) {
        const before = take(each.offset);
        take(each.offset + each.bytes.length);
        yield { kind: "element", before, element: each };
      } else if (each.kind === "begin") {
        yield { kind: "bytes", bytes: take(each.offset) };
        isInside = true;
      } else {
        yield { kind: "end", before: take(each.offset), isObject: each.isObject };
        isInside = false;
      }
    }
    if (!isInside) yield { kind: "bytes", bytes: take(offset + rest.length) };
  }
  scanner.end();
  for (const each of found.splice(0)) {
    if (!("bytes" in each)) continue;
    const before = take(each.offset);
    take(each.offset + each.bytes.length);
    yield { kind: "element", before, element: each };
  }
  if (lines) yield { kind: "end", before: take(offset + rest.length), isObject: false };
  else yield { kind: "bytes", bytes: rest };
}
