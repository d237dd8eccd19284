/** A line that says what is waited for, as long as it is. */

/** Milliseconds before it is shown: most answers are there sooner. */
const patience = 150;
const interval = 100;
const frames = ['|', '/', '-', '\\'];

/** Ends by `using`. It is shown only at a terminal. */
export function waitingLine(what: string, output: NodeJS.WriteStream): Disposable {
  if (!output.isTTY) return { [Symbol.dispose]: () => {} };
  let shown = 0;
  const show = () => {
    output.write(`\r${frames[shown % frames.length]}  ${what} …`);
    shown++;
  };
  const start = setTimeout(() => {
    show();
    timer = setInterval(show, interval);
  }, patience);
  let timer: NodeJS.Timeout | undefined;
  return {
    [Symbol.dispose]: () => {
      clearTimeout(start);
      clearInterval(timer);
      // To the beginning of the line, and nothing after it.
      if (shown > 0) output.write('\r\x1b[K');
    },
  };
}
