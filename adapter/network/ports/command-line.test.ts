import { describe, expect, it } from 'vitest';
import { printable, shownCommandLine } from './command-line.ts';

const secret = 'hunter2';

describe('shownCommandLine', () => {
  it.each([
    ['prog', '--password', secret],
    ['prog', `--password=${secret}`],
    ['prog', '--db-pass', secret],
    ['prog', '--api-key', secret],
    ['prog', `--apikey=${secret}`],
    ['prog', '-token', secret],
    ['env', `TOKEN=${secret}`, 'prog'],
    ['sh', '-c', `A=1 DB_PASSWORD=${secret} exec prog`],
    ['sh', '-c', `X_SECRET=${secret};prog`],
    ['prog', `postgres://me:${secret}@db:5432/shop`],
    ['curl', '-u', `me:${secret}`],
    ['curl', '--user', `me:${secret}`],
    ['curl', '-H', `Authorization: Basic ${secret}`],
    ['curl', '-H', `X-Token: ${secret}`],
    ['java', `-Djavax.net.ssl.keyStorePassword=${secret}`, '-jar', 'x.jar'],
    ['prog', `AWS_SECRET_ACCESS_KEY=${secret}`],
    ['prog', '--private-key', secret],
  ])('hides the secret of %s %s %s', (...words) => {
    const shown = shownCommandLine(words);
    expect(shown).not.toContain(secret);
    expect(shown).toContain('«redacted»');
    expect(shown).toContain(words[0]);
  });

  it('shows the rest as it is', () => {
    const words = ['/usr/bin/python3', '-m', 'http.server', '8080', '--bind=127.0.0.1', '-p', '80', 'http://a/?b=c'];
    expect(shownCommandLine(words)).toBe(words.join(' '));
  });

  it('is short, and harmless for a terminal', () => {
    expect(shownCommandLine(['x', 'y'.repeat(10_000)]).length).toBeLessThan(220);
    expect(shownCommandLine(['a\u001b[2Jb', 'c\nd', 'e\u202ef'])).toBe('a?[2Jb c d e?f');
    expect(printable('naïve ☂')).toBe('naïve ☂');
  });
});
