import { expect } from "vitest";
import type { BackedUpShop } from "./backed-up-shop.ts";

/**
 * Python program that moves the recorded times of all backups. pgBackRest's list has a checksum: of its contents as
 * JSON, without the checksum itself.
 */
const program = `
import hashlib, re, subprocess, sys
def pgbackrest(*args, given=None):
    return subprocess.run(["pgbackrest", *args], input=given, capture_output=True, text=True, check=True).stdout
for name in ("backup.info", "backup.info.copy"):
    text = pgbackrest("repo-get", f"backup/main/{name}")
    shift = lambda found: f"{found[1]}{int(found[2]) + int(sys.argv[1])}"
    text = re.sub(r'("backup-timestamp-st(?:art|op)":)(\\d+)', shift, text)
    sections = []
    for title, lines in re.findall(r"^\\[(.+)\\]\\n((?:.+\\n)*)", text, re.MULTILINE):
        pairs = [line.split("=", 1) for line in lines.splitlines() if not line.startswith("backrest-checksum=")]
        if pairs:
            sections.append(f'"{title}":{{' + ",".join(f'"{key}":{value}' for key, value in pairs) + "}")
    checksum = hashlib.sha1(("{" + ",".join(sections) + "}").encode()).hexdigest()
    text = re.sub(r'(?<=^backrest-checksum=")\\w+', checksum, text, flags=re.MULTILINE)
    pgbackrest("repo-put", f"backup/main/{name}", given=text)
`;

/**
 * Moves the recorded times of a stack's backups by some days. It is the same for retention as a clock that is moved the
 * other way.
 */
export async function moveBackups(shop: BackedUpShop, days: number): Promise<void> {
  const { code, stderr } = await shop.inSidecar("python3", "-c", program, String(days * 86_400));
  expect(code, stderr).toBe(0);
}
