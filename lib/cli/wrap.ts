/** Text in lines that fit the terminal, those after the first moved right to the column. */
export function wrap(text: string, column: number, width = process.stdout.columns || 100): string {
  const room = Math.max(30, width - column);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(column)}`);
}
