/** What the daemon tells its clients while it works: progress and notices. All of it is in the log too. */
import type { Log } from '../../diagnostics/log.ts';
import {
  type Notice,
  noticeNotification,
  progressNotification,
  type Timings,
  timingsNotification,
} from '../protocol.ts';
import { flatSteps, type Step } from '../timings.ts';
import type { Clients } from './clients.ts';

/** A diagnosis shows the last ones; a session that is told something again and again must not grow without end. */
const mostNotices = 200;

export class News {
  readonly #log: Log;
  readonly #clients: Pick<Clients, 'tell'>;
  readonly #notices: (Notice & { readonly time: string })[] = [];

  constructor(log: Log, clients: Pick<Clients, 'tell'>) {
    this.#log = log;
    this.#clients = clients;
  }

  /** What the user was told, for a diagnosis; without secrets. */
  get notices(): readonly (Notice & { readonly time: string })[] {
    return this.#notices;
  }

  /** What is being done now. */
  progress(text: string): void {
    this.#log.write('info', text);
    this.#clients.tell(progressNotification, { text });
  }

  /** Where the time of a connect or disconnect went, which ends by it. */
  timings(of: Timings['of'], step: Step): void {
    step.end();
    const { timing } = step;
    this.#log.write('info', `the time of the ${of}`, { milliseconds: timing.duration, steps: flatSteps(timing) });
    this.#clients.tell(timingsNotification, { of, timing });
  }

  /** What the user should know; its secrets are left out. */
  notice(notice: Notice): void {
    const redacted = { ...notice, text: this.#log.redactor.redact(notice.text) };
    this.#notices.push({ ...redacted, time: new Date().toISOString() });
    if (this.#notices.length > mostNotices) this.#notices.shift();
    this.#log.write(notice.level === 'warning' ? 'warn' : 'info', notice.text);
    this.#clients.tell(noticeNotification, redacted);
  }
}
