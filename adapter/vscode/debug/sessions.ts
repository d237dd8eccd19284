/** Which debug sessions of VS Code use a connection, and since when none does. */
import * as vscode from 'vscode';
import { type MarkerOf, markerOf } from './marker.ts';

/** A debugger that has not started a session by then will not. */
const startMilliseconds = 60_000;

export interface SessionEvents {
  /** Its debug console is shown. */
  shown(session: vscode.DebugSession, marker: MarkerOf<'ready'>): void;
  /** The last sign of it, or there never was one. */
  ended(id: string): void;
}

/** Follows the debug sessions that are expected, until they have ended. */
export class DebugSessions implements vscode.Disposable {
  readonly #events: SessionEvents;
  readonly #expected = new Map<string, NodeJS.Timeout>();
  /** Marker's id → the sessions that have it. */
  readonly #running = new Map<string, Set<string>>();
  readonly #unseen = new Set<string>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(events: SessionEvents) {
    this.#events = events;
    this.#subscriptions = [
      // A session whose launch fails is never said to have started, but it has a tracker.
      vscode.debug.registerDebugAdapterTrackerFactory('*', {
        createDebugAdapterTracker: (session) => {
          this.#began(session);
          return { onExit: () => this.#ended(session) };
        },
      }),
      vscode.debug.onDidStartDebugSession((session) => {
        this.#began(session);
        this.#shown(vscode.debug.activeDebugSession);
      }),
      vscode.debug.onDidTerminateDebugSession((session) => this.#ended(session)),
      vscode.debug.onDidChangeActiveDebugSession((session) => this.#shown(session)),
    ];
  }

  /** A session with this id in its marker is about to start. */
  expect(id: string): void {
    clearTimeout(this.#expected.get(id));
    this.#expected.set(
      id,
      setTimeout(() => this.#missing(id), startMilliseconds),
    );
  }

  dispose(): void {
    for (const timer of this.#expected.values()) clearTimeout(timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #began(session: vscode.DebugSession): void {
    const marker = markerOf(session.configuration);
    if (marker?.step !== 'ready') return;
    const isExpected = this.#expected.has(marker.id);
    clearTimeout(this.#expected.get(marker.id));
    this.#expected.delete(marker.id);
    const running = this.#running.get(marker.id);
    if (running !== undefined) running.add(session.id);
    else if (isExpected) {
      this.#running.set(marker.id, new Set([session.id]));
      this.#unseen.add(marker.id);
    }
  }

  /** The console of a child session is that of its parent. */
  #shown(session: vscode.DebugSession | undefined): void {
    if (session === undefined) return;
    const marker = markerOf(session.configuration);
    if (marker?.step !== 'ready') this.#shown(session.parentSession);
    else if (this.#unseen.delete(marker.id)) this.#events.shown(session, marker);
  }

  #ended(session: vscode.DebugSession): void {
    const marker = markerOf(session.configuration);
    const running = marker && this.#running.get(marker.id);
    if (marker === undefined || running === undefined || !running.delete(session.id) || running.size > 0) return;
    this.#running.delete(marker.id);
    this.#unseen.delete(marker.id);
    this.#events.ended(marker.id);
  }

  #missing(id: string): void {
    this.#expected.delete(id);
    this.#events.ended(id);
  }
}
