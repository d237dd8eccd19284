import { expect, it } from 'vitest';
import type { Log } from '../../diagnostics/log.ts';
import { Redactor } from '../../diagnostics/redactor.ts';
import { News } from './news.ts';

function begin() {
  const written: string[] = [];
  const told: [string, unknown][] = [];
  const log: Log = { redactor: new Redactor(), write: (level, text) => void written.push(`${level} ${text}`) };
  const news = new News(log, { tell: (notification, content) => void told.push([notification.method, content]) });
  return { news, log, written, told };
}

it('tells and logs progress and notices, and keeps the notices', () => {
  const { news, written, told } = begin();
  news.progress('Looking for cart');
  news.notice({ level: 'warning', text: 'cart was scaled down' });
  news.notice({ level: 'info', text: 'boris shares your session' });
  expect(written).toEqual(['info Looking for cart', 'warn cart was scaled down', 'info boris shares your session']);
  expect(told.map(([, content]) => content)).toEqual([
    { text: 'Looking for cart' },
    { level: 'warning', text: 'cart was scaled down' },
    { level: 'info', text: 'boris shares your session' },
  ]);
  expect(new Set(told.map(([method]) => method)).size).toBe(2);
  expect(news.notices.map(({ text }) => text)).toEqual(['cart was scaled down', 'boris shares your session']);
});

it('lets no secret out, neither to clients nor to a diagnosis', () => {
  const { news, log, told } = begin();
  log.redactor.add('correct horse battery');
  news.notice({ level: 'warning', text: 'the variable is correct horse battery' });
  expect(JSON.stringify([told, news.notices])).not.toContain('correct horse battery');
});

it('keeps only the last notices', () => {
  const { news } = begin();
  for (let count = 1; count <= 500; count++) news.notice({ level: 'info', text: `notice ${count}` });
  expect(news.notices.length).toBeLessThan(500);
  expect(news.notices.at(-1)?.text).toBe('notice 500');
});
