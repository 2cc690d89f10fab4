// How a file is called that somebody sends.
const LONGEST_NAME = 120; // characters

// A name to save by: no folders, nothing that cannot be seen or turns what can.
export function cleanName(name) {
  const plain = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").replace(/[\\/:*?"<>|]/g, "_");
  const trimmed = plain.trim().replace(/^\.+|[. ]+$/g, "");
  if ([...trimmed].length <= LONGEST_NAME) return trimmed || "file";
  const end = /\.\w{1,8}$/.exec(trimmed)?.[0] ?? "";
  return [...trimmed].slice(0, LONGEST_NAME - end.length).join("") + end;
}
