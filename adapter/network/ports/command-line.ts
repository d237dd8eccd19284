/** How a command line of any process may be shown: short, without secrets, and without what would act on a terminal. */

const mask = '«redacted»';
const longest = 200;
/** Words of a name after which a value is nobody's business. */
const telling = /pass(?:word|wd|phrase)?|pwd|secret|token|credential|api-?_?key|access-?_?key|private-?_?key|auth/i;

/** The words of a command line as one text. Secrets are known by the names before them and as the password of a URL. */
export function shownCommandLine(words: readonly string[]): string {
  const shown: string[] = [];
  let hideNext = false;
  for (const word of words) {
    shown.push(printable(hideNext ? mask : maskedWord(word)));
    // "--password VALUE"; an option with "=" has its value already.
    hideNext = (/^--?[A-Za-z]/.test(word) && !word.includes('=') && telling.test(word)) || /^(-u|--user)$/.test(word);
  }
  const text = shown.join(' ');
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Text that others chose, made harmless for a terminal. */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}

function maskedWord(word: string): string {
  return (
    word
      // NAME=VALUE and --name=VALUE, also several in one word, as in "a;TOKEN=b".
      .replace(/([\w.-]+)=([^\s;&,]*)/g, (all, name: string) => (telling.test(name) ? `${name}=${mask}` : all))
      .replace(/(\w+:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${mask}@`)
      .replace(/((?:authorization|token|api-?key)\s*:\s*)\S.*/i, `$1${mask}`)
      .replace(/(bearer\s+)\S+/i, `$1${mask}`)
  );
}
