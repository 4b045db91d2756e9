import { isUtf8 } from "node:buffer";

/** Text of a file that should be UTF-8. */
export interface DecodedText {
  text: string;
  /** Reason why the text is not the file's content; undefined if it is. */
  fault: string | undefined;
}

const byteOrderMark = Buffer.from("\uFEFF");

/**
 * Decodes a file. Bytes that are not UTF-8 become U+FFFD, and `fault` names the first of them. A byte order mark is a
 * fault, too: PostgreSQL reads it as part of the first word, and it hides a header in the first line.
 */
export function decodeUtf8(content: Buffer): DecodedText {
  return { text: content.toString("utf8"), fault: encodingFault(content) };
}

function encodingFault(content: Buffer): string | undefined {
  if (content.subarray(0, byteOrderMark.length).equals(byteOrderMark))
    return "it begins with a byte order mark; save it as UTF-8 without one";
  if (isUtf8(content)) {
    const zero = content.indexOf(0);
    // The protocol ends a query at this byte.
    return zero < 0 ? undefined : `it contains a NUL byte (0x00) at ${place(content, zero)}: remove it`;
  }
  const offset = firstInvalid(content);
  const byte = `0x${content
    .subarray(offset, offset + 1)
    .toString("hex")
    .toUpperCase()}`;
  const utf16 = /^(?:fffe|feff)/.test(content.subarray(0, 2).toString("hex"));
  return `it is not UTF-8: byte ${byte} at ${place(content, offset)}${utf16 ? ", as in UTF-16" : ""}; save it as UTF-8`;
}

/** Returns the offset of the first byte that begins no valid character. */
function firstInvalid(content: Buffer): number {
  const replaced = Buffer.from(content.toString("utf8"));
  let offset = 0;
  while (offset < content.length && content[offset] === replaced[offset]) offset++;
  // An invalid sequence can begin like U+FFFD itself.
  while (offset > 0 && !isUtf8(content.subarray(0, offset))) offset--;
  return offset;
}

function place(content: Buffer, offset: number): string {
  const line = content.subarray(0, offset).filter((byte) => byte === 10).length + 1;
  return `byte offset ${offset} (line ${line})`;
}
