/**
 * Knows the secrets of this process and takes them out of any text.
 * Secrets register themselves when they are read from the cluster; the logger and all output go through here.
 */

const mask = '«redacted»';
/** Shorter values would blank out ordinary words and digits. */
const shortestSecret = 4;

export class Redactor {
  readonly #secrets = new Set<string>();
  #pattern: RegExp | undefined;

  /** Registers a secret value. Each line of a multi-line value is masked too, and its base64 form. */
  add(secret: string): void {
    const forms = [
      secret,
      ...secret.split(/\r?\n/),
      Buffer.from(secret).toString('base64'),
      JSON.stringify(secret).slice(1, -1),
    ];
    for (const form of forms) {
      const text = form.trim();
      if (text.length >= shortestSecret && !this.#secrets.has(text)) {
        this.#secrets.add(text);
        this.#pattern = undefined;
      }
    }
  }

  /** The text with every registered secret masked. */
  redact(text: string): string {
    if (this.#secrets.size === 0) return text;
    this.#pattern ??= new RegExp(
      [...this.#secrets]
        .sort((a, b) => b.length - a.length)
        .map((secret) => secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('|'),
      'g',
    );
    return text.replace(this.#pattern, mask);
  }
}
