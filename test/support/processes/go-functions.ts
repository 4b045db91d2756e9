/** Magic number of the table of functions that Go 1.20 and later write into an executable. */
const tableMagic = 0xfffffff1;

interface Section {
  offset: number;
  size: number;
}

/**
 * Returns the offsets in a 64-bit ELF executable at which the code of Go functions begins. A stripped executable has
 * the table of functions, too, because Go prints stack traces from it.
 *
 * @param executable content of the file
 * @param names full names, such as `example.com/module/package.init.0`
 * @returns offset by name; functions that are not found are missing
 */
export function findGoFunctions(executable: Buffer, names: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  const sections = readSections(executable);
  const [code, table] = [sections.get(".text"), sections.get(".gopclntab")];
  if (code === undefined || table === undefined) return found;
  const lines = executable.subarray(table.offset, table.offset + table.size);
  if (lines.readUInt32LE(0) !== tableMagic) return found;
  const header = (index: number) => Number(lines.readBigUInt64LE(8 + 8 * index));
  const [count, nameTable, functions] = [header(0), header(3), header(7)];
  // The names are in the order of the table only by chance: each function has the offset of its own.
  const wanted = new Map(names.map((name) => [lines.indexOf(`\0${name}\0`, nameTable) + 1 - nameTable, name]));
  for (let index = 0; index < count; index += 1) {
    const description = functions + lines.readUInt32LE(functions + 8 * index + 4);
    const name = wanted.get(lines.readInt32LE(description + 4));
    if (name !== undefined) found.set(name, code.offset + lines.readUInt32LE(description));
  }
  return found;
}

/** Reads the section headers of a 64-bit ELF file. Returns none for other files. */
function readSections(file: Buffer): Map<string, Section> {
  const isElf64 = file.subarray(0, 5).equals(Buffer.from("\x7fELF\x02", "latin1"));
  if (!isElf64) return new Map();
  const headers = Number(file.readBigUInt64LE(0x28));
  const [size, count, nameSection] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c), file.readUInt16LE(0x3e)];
  const sectionAt = (index: number) => {
    const header = headers + size * index;
    const place = {
      offset: Number(file.readBigUInt64LE(header + 0x18)),
      size: Number(file.readBigUInt64LE(header + 0x20)),
    };
    return { name: file.readUInt32LE(header), ...place };
  };
  const names = sectionAt(nameSection).offset;
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const { name, ...section } = sectionAt(index);
      return [file.toString("latin1", names + name, file.indexOf(0, names + name)), section];
    }),
  );
}
