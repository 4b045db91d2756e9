import { OperationError } from "../../../core/operation-error.ts";

/** A value that the scanner found, as bytes. */
export interface Element {
  bytes: Buffer;
  /** Name of the member if the container is an object. */
  name: string | undefined;
  /** Offset in the file, from 0. */
  offset: number;
  /** From 1. */
  line: number;
}

/** The beginning or the end of the container whose elements are wanted. */
export interface Edge {
  kind: "begin" | "end";
  isObject: boolean;
  /** Offset behind the opening bracket, or of the closing one. */
  offset: number;
}

/** Structure of a file that was read completely. */
export interface Shape {
  /** Containers by the names that lead to them: `users`, `data.users`. The top has the name "". */
  containers: Map<string, { rows: number; isArray: boolean }>;
  /** True if there were more containers than are listed. */
  isCut: boolean;
}

const deepestContainer = 3;
const mostContainers = 500;
/** Deepest nesting that is followed. Elements that are nested deeper than the parser allows are rejected as rows. */
const mostDepth = 1_000_000;

interface Level {
  isObject: boolean;
  /** Name of the member that is being read. */
  name: string | undefined;
  rows: number;
}

/** Kind of the next part, within the containers that are followed. */
type Expected = "value" | "name" | "colon" | "comma";

/**
 * Finds the elements of one container in a JSON text that is read in parts, without holding the text: elements of an
 * array, members of an object, or the values of a file with one value per line. Checks only the structure around them;
 * the parser checks each element.
 */
export class JsonScanner {
  readonly #label: string;
  readonly #path: readonly string[];
  readonly #onElement: ((element: Element) => void) | undefined;
  readonly #onEdge: ((edge: Edge) => void) | undefined;
  readonly shape: Shape = { containers: new Map(), isCut: false };
  /** Containers that are open, from the top, down to the one whose elements are wanted. */
  readonly #levels: Level[] = [];
  #expected: Expected = "value";
  /** Depth within an element, 0 outside. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** A number or word without quotes is being read at the level of the followed containers. */
  #inWord = false;
  #isName = false;
  #parts: Buffer[] | undefined;
  #start = { offset: 0, line: 1 };
  #offset = 0;
  #line = 1;
  #topValues = 0;
  #topIsArray = false;

  /**
   * @param label name of the file for messages
   * @param path names that lead to the container; empty for the file's own values
   * @param onElement gets each element; without it the file is only checked, and its shape recorded
   * @param onEdge gets the beginning and the end of the container
   */
  constructor(
    label: string,
    path: readonly string[],
    onElement?: (element: Element) => void,
    onEdge?: (edge: Edge) => void,
  ) {
    this.#label = label;
    this.#path = path;
    this.#onElement = onElement;
    this.#onEdge = onEdge;
  }

  /** Reads the next part of the text. */
  push(chunk: Buffer): void {
    let captureFrom = this.#parts === undefined ? -1 : 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === 92) this.#escaped = true;
        else if (byte === 34) {
          this.#inString = false;
          if (this.#depth === 0) captureFrom = this.#endString(chunk, captureFrom, at);
        } else if (byte === 10) this.#line++;
        continue;
      }
      if (this.#inWord) {
        if (byte > 32 && byte !== 44 && byte !== 93 && byte !== 125) continue;
        this.#inWord = false;
        captureFrom = this.#endElement(chunk, captureFrom, at);
      }
      if (byte === 10) this.#line++;
      if (byte === 32 || byte === 10 || byte === 13 || byte === 9) continue;
      if (this.#depth > 0) {
        if (byte === 34) this.#inString = true;
        else if (byte === 123 || byte === 91) this.#enterElement(at);
        else if ((byte === 125 || byte === 93) && --this.#depth === 0)
          captureFrom = this.#endElement(chunk, captureFrom, at + 1);
        continue;
      }
      captureFrom = this.#structure(byte, at, captureFrom, chunk);
    }
    if (captureFrom >= 0) this.#parts?.push(chunk.subarray(captureFrom));
    this.#offset += chunk.length;
  }

  /** Ends the text. */
  end(): void {
    if (this.#inWord) {
      this.#inWord = false;
      this.#endElement(Buffer.alloc(0), 0, 0);
    }
    if (this.#inString || this.#depth > 0 || this.#levels.length > 0)
      this.#fail("is truncated: it ends within a value", 0);
    if (this.#topValues === 0) this.#fail("contains no JSON value", 0);
  }

  #enterElement(at: number): void {
    if (++this.#depth > mostDepth) this.#fail("is nested too deeply", at);
  }

  /** Handles a byte outside of elements; returns where the element that is being captured begins in this chunk. */
  #structure(byte: number, at: number, captureFrom: number, chunk: Buffer): number {
    const level = this.#levels.at(-1);
    switch (this.#expected) {
      case "colon":
        if (byte !== 58) this.#fail('has no ":" after a name', at);
        this.#expected = "value";
        return captureFrom;
      case "comma":
        if (byte === 44 && level !== undefined) {
          this.#expected = level.isObject ? "name" : "value";
          return captureFrom;
        }
        if (level !== undefined && byte === (level.isObject ? 125 : 93)) return this.#leave(captureFrom, at);
        return this.#fail('has no "," between two values', at);
      case "name":
        if (byte === 125 && level?.rows === 0) return this.#leave(captureFrom, at);
        if (byte !== 34) this.#fail("has no name where one is expected", at);
        return this.#begin(at, true);
      default:
        if (byte === 93 && level?.isObject === false && level.rows === 0) return this.#leave(captureFrom, at);
        return this.#value(byte, at, chunk);
    }
  }

  #value(byte: number, at: number, chunk: Buffer): number {
    const level = this.#levels.at(-1);
    if (level === undefined) this.#beginTop(byte, at);
    else level.rows++;
    const isContainer = byte === 123 || byte === 91;
    if (isContainer && this.#follows(byte)) {
      this.#levels.push({ isObject: byte === 123, name: undefined, rows: 0 });
      this.#expected = byte === 123 ? "name" : "value";
      this.#reportEdge("begin", byte === 123, at + 1);
      return -1;
    }
    const from = this.#begin(at, false);
    if (byte === 34) this.#inString = true;
    else if (isContainer) this.#depth = 1;
    else if (byte === 44 || byte === 58 || byte === 93 || byte === 125)
      this.#fail(`has ${JSON.stringify(String.fromCharCode(byte))} where a value is expected`, at);
    else this.#inWord = true;
    void chunk;
    return from;
  }

  /** Returns true if the elements of the container that begins are looked at, or lead to those that are. */
  #follows(byte: number): boolean {
    const names = this.#levels.map(({ name }) => name);
    if (this.#levels.some(({ isObject }) => !isObject)) return false;
    if (this.#onElement === undefined) {
      // The shape is recorded: arrays are counted, objects are followed.
      const known = this.shape.containers;
      if (names.length > deepestContainer || known.size > mostContainers) {
        this.shape.isCut = true;
        return false;
      }
      return this.#topValues === 1 || byte === 91;
    }
    if (names.length > this.#path.length || names.some((name, index) => name !== this.#path[index])) return false;
    // Without a path, only an array is taken apart; an object is a row.
    return this.#path.length > 0 || byte === 91;
  }

  #beginTop(byte: number, at: number): void {
    this.#topValues++;
    const isArray = byte === 91;
    if (this.#topValues > 1 && (isArray || this.#topIsArray))
      this.#fail("mixes an array with other values; use either one array or one value per line", at);
    if (byte !== 91 && byte !== 123) this.#fail("has neither an object nor an array at its top", at);
    this.#topIsArray = isArray;
  }

  #reportEdge(kind: Edge["kind"], isObject: boolean, at: number): void {
    if (this.#onEdge === undefined || this.#levels.length !== this.#path.length + 1) return;
    if (this.#path.every((name, index) => this.#levels[index]?.name === name))
      this.#onEdge({ kind, isObject, offset: this.#offset + at });
  }

  #leave(captureFrom: number, at: number): number {
    this.#reportEdge("end", this.#levels.at(-1)?.isObject === true, at);
    const level = this.#levels.pop();
    const name = this.#levels.map((each) => each.name).join(".");
    if (level !== undefined && this.shape.containers.size <= mostContainers)
      this.shape.containers.set(name, { rows: level.rows, isArray: !level.isObject });
    this.#expected = this.#levels.length === 0 ? "value" : "comma";
    return captureFrom;
  }

  #begin(at: number, isName: boolean): number {
    this.#isName = isName;
    if (isName) this.#inString = true;
    this.#start = { offset: this.#offset + at, line: this.#line };
    if (!isName && !this.#isWanted()) return -1;
    this.#parts = [];
    return at;
  }

  /** Returns true if values at this level are the elements that the caller wants. */
  #isWanted(): boolean {
    if (this.#onElement === undefined) return false;
    if (this.#levels.length === 0) return this.#path.length === 0;
    const [top] = this.#levels;
    if (this.#path.length === 0) return this.#levels.length === 1 && top?.isObject === false;
    return (
      this.#levels.length === this.#path.length + 1 &&
      this.#path.every((name, index) => this.#levels[index]?.name === name)
    );
  }

  #endString(chunk: Buffer, captureFrom: number, at: number): number {
    if (!this.#isName) return this.#endElement(chunk, captureFrom, at + 1);
    const bytes = this.#captured(chunk, captureFrom, at + 1);
    this.#parts = undefined;
    this.#isName = false;
    const level = this.#levels.at(-1);
    if (level !== undefined) {
      try {
        level.name = JSON.parse(bytes.toString("utf8")) as string;
      } catch {
        this.#fail("has a name that is no valid string", at);
      }
    }
    this.#expected = "colon";
    return -1;
  }

  #endElement(chunk: Buffer, captureFrom: number, end: number): number {
    if (this.#parts !== undefined) {
      const bytes = this.#captured(chunk, captureFrom, end);
      this.#parts = undefined;
      const level = this.#levels.at(-1);
      this.#onElement?.({ bytes, name: level?.isObject ? level.name : undefined, ...this.#start });
    }
    this.#expected = this.#levels.length === 0 ? "value" : "comma";
    return -1;
  }

  #captured(chunk: Buffer, captureFrom: number, end: number): Buffer {
    const last = chunk.subarray(Math.max(captureFrom, 0), end);
    const parts = this.#parts ?? [];
    return parts.length === 0 ? last : Buffer.concat([...parts, last]);
  }

  #fail(what: string, at: number): never {
    throw new OperationError(`${this.#label} ${what} (line ${this.#line}, byte ${this.#offset + at}).`, {
      hint: "Correct the file. Nothing was imported.",
    });
  }

  /** Number of values at the top. */
  get topValues(): number {
    return this.#topValues;
  }

  /** True if the top is an array. */
  get topIsArray(): boolean {
    return this.#topIsArray;
  }
}
