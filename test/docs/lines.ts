/** Code words in lines that fit on a page. */
const widest = 118;

export function inLines(words: readonly string[]): string {
  return words.reduce((text, word, index) => {
    const last = text.slice(text.lastIndexOf('\n') + 1);
    const separator = index === 0 ? '' : last.length + word.length < widest ? ', ' : ',\n';
    return `${text}${separator}\`${word}\``;
  }, '');
}
