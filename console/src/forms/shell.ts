/** A command as it is written in a shell, and the words that it means. */

/** One word, quoted where a POSIX shell would read it differently. */
export function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

export function joined(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

/** The words of a line; undefined where a quote is left open. */
export function split(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === "'" || char === '"') {
      const read = quotation(line, at + 1, char);
      if (read === undefined) return undefined;
      word = (word ?? "") + read.text;
      at = read.next;
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else {
      const escaped = char === "\\" && at + 1 < line.length;
      word = (word ?? "") + line.charAt(escaped ? at + 1 : at);
      at += escaped ? 2 : 1;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function quotation(
  line: string,
  from: number,
  mark: string,
): { text: string; next: number } | undefined {
  let text = "";
  for (let at = from; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === mark) return { text, next: at + 1 };
    if (mark === '"' && char === "\\" && '"\\$`'.includes(line.charAt(at + 1))) at += 1;
    text += line.charAt(at);
  }
  return undefined;
}
