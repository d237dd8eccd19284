/** How a diagnosis is shown as text, for a terminal of some width: one section a matter, those that are empty left out. */
import type { Diagnosis } from '../diagnostics/diagnosis.ts';
import { portText } from '../network/names/destinations.ts';
import { describeFinding } from './finding-view.ts';
import { describePort, shortNames } from './status-view.ts';
import { table, wrap } from './text-layout.ts';

/** As many names are shown without `all`. */
const shownNames = 40;

export interface DiagnosisLayout {
  /** Columns; Infinity where there is no terminal. */
  readonly width: number;
  /** Show every name, however many there are. */
  readonly all: boolean;
}

/** The diagnosis as text. */
export function describeDiagnosis(diagnosis: Diagnosis, { width, all }: DiagnosisLayout): string {
  const inner = Math.max(width - 2, 20);
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['Session', session(diagnosis, inner)],
    ['Problem', problem(diagnosis, inner)],
    ['Versions', versions(diagnosis, inner)],
    ['Ports', ports(diagnosis, inner)],
    ['Names', names(diagnosis, inner, all)],
    ['Environment', environment(diagnosis, inner)],
    ['Mounts', mounts(diagnosis, inner)],
    ['Tunnels', tunnels(diagnosis, inner)],
    ['Changes, and how each is undone', changes(diagnosis.changes, inner)],
    ['Processes', processes(diagnosis, inner)],
    ['Rights', rights(diagnosis, inner)],
    ['Left by interrupted sessions', leftovers(diagnosis, inner)],
    ['What works here', diagnosis.findings.flatMap((finding) => describeFinding(finding, inner))],
    ['Notices', notices(diagnosis, inner)],
    ['Logs', diagnosis.logs],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `${title}\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`)
    .join('\n');
}

function pairs(rows: readonly (readonly [name: string, text: string | undefined])[], width: number): readonly string[] {
  const told = rows.filter((row): row is readonly [string, string] => row[1] !== undefined && row[1] !== '');
  const indent = Math.max(0, ...told.map(([name]) => name.length)) + 2;
  return told.flatMap(([name, text]) =>
    wrap(text, Math.max(width - indent, 20)).map((line, index) => `${(index === 0 ? name : '').padEnd(indent)}${line}`),
  );
}

const states: Readonly<Record<Diagnosis['state'], string>> = {
  none: 'There is none.',
  interrupted: 'interrupted: its daemon is gone. Run "kubernetes-local restore".',
  idle: 'the daemon runs, nothing is connected',
  connecting: 'connecting',
  connected: 'connected',
  undoing: 'ending: its changes are being undone',
  ended: 'ended',
};

function session({ state, session: its, place, network, taken }: Diagnosis, width: number): readonly string[] {
  return pairs(
    [
      ['state', states[state]],
      ['key', its?.key],
      ['since', its?.started],
      ['seen at', taken],
      ['context', place && `${place.context}${place.server === undefined ? '' : ` (${place.server})`}`],
      ['user', place?.user],
      ['namespace', place?.namespace],
      ['target', place?.target],
      ['workload', place?.workload && `${place.workload}, container ${place.container ?? '?'}`],
      ['network', network && `mode ${network.mode}. ${network.reason}`],
      ['hosts file', network?.hostsFile],
      ['start by', network && network.prefix.length > 0 ? `${network.prefix.join(' ')} COMMAND` : undefined],
    ],
    width,
  );
}

function problem({ problem: its }: Diagnosis, width: number): readonly string[] {
  return its === undefined
    ? []
    : [`(${its.code})`, ...[its.what, its.why, its.remedy].flatMap((text) => (text ? wrap(text, width) : []))];
}

function versions({ versions: its }: Diagnosis, width: number): readonly string[] {
  return pairs(
    [
      ['kubernetes-local', its.kubernetesLocal],
      ['Node', its.node],
      ['platform', its.platform],
      ['Kubernetes', its.cluster],
      ['protocols', `clients ${its.sessionProtocol}, agent ${its.agentProtocol}`],
    ],
    width,
  );
}

function ports({ ports: all }: Diagnosis, width: number): readonly string[] {
  return all.flatMap(({ containerPort, localPort, listening }) => {
    const who = listening ? `${listening.name} (pid ${listening.pid}) listens` : 'nobody listens';
    return wrap(`${containerPort} → 127.0.0.1:${localPort}: ${who}`, width, '  ');
  });
}

function names({ names: every }: Diagnosis, width: number, all: boolean): readonly string[] {
  if (every.length === 0) return [];
  const shown = all ? every : every.slice(0, shownNames);
  const rows = shown.map((name) => [
    shortNames(name.names) || name.label,
    name.address ?? '-',
    name.ports.map(describePort).join(', '),
    nameState(name),
  ]);
  const [header = '', ...lines] = table([['NAMES', 'ADDRESS', 'PORTS', 'STATE'], ...rows], width);
  return [
    header,
    ...lines.flatMap((line, index) => {
      const why = shown[index]?.why;
      return why === undefined ? [line] : [line, ...wrap(why, width - 2).map((text) => `  ${text}`)];
    }),
    ...(shown.length < every.length ? [`and ${every.length - shown.length} more; --all shows them`] : []),
  ];
}

function nameState({ state, ports: its, readyEndpoints }: Diagnosis['names'][number]): string {
  const deaf = its.filter(({ listening }) => listening === false).map(portText);
  const pods =
    readyEndpoints === undefined
      ? ''
      : `, ${readyEndpoints === 0 ? 'no' : readyEndpoints} ready ${readyEndpoints === 1 ? 'pod' : 'pods'}`;
  if (deaf.length > 0) return `nobody listens on ${deaf.join(', ')}${pods}`;
  return `${state}${pods}`;
}

function environment({ environment: all, kept }: Diagnosis, width: number): readonly string[] {
  const rows = all.map(({ name, value, origin }) => [name, printable(value), origin]);
  return [
    ...(rows.length === 0 ? [] : table([['NAME', 'VALUE', 'FROM'], ...rows], width)),
    ...(kept.length === 0 ? [] : wrap(`The computer's own values stay: ${kept.join(', ')}`, width, '  ')),
  ];
}

/** On one line, and without what would act on a terminal. */
function printable(value: string): string {
  return value.replaceAll('\n', '⏎').replace(/\p{Cc}/gu, '?');
}

function mounts({ mounts: all, mountsFolder }: Diagnosis, width: number): readonly string[] {
  return [
    ...all.flatMap(({ mountPath, volume, kind, localPath, readOnly, note }) => [
      ...wrap(
        `${mountPath} (${kind} ${volume}${readOnly ? ', read-only' : ''}): ${localPath ?? 'left out'}`,
        width,
        '  ',
      ),
      ...(note === undefined ? [] : wrap(note, width - 2).map((line) => `  ${line}`)),
    ]),
    ...(mountsFolder === undefined ? [] : wrap(`all of them beneath ${mountsFolder}`, width, '  ')),
  ];
}

function tunnels({ tunnels: all }: Diagnosis, width: number): readonly string[] {
  return all.flatMap(({ pod, roundTripTime, streams, totalStreams, bytesIn, bytesOut }) => {
    const trip = roundTripTime === undefined ? '' : `round trip ${roundTripTime.toFixed(1)} ms, `;
    const total = totalStreams === undefined ? '' : ` of ${totalStreams} so far`;
    const text = `${pod}: ${trip}${streams} ${streams === 1 ? 'stream' : 'streams'} open${total}, ${bytes(bytesIn)} from the pod, ${bytes(bytesOut)} to it`;
    return wrap(text, width, '  ');
  });
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log10(count) / 3));
  return `${power === 0 ? count : (count / 1000 ** power).toFixed(1)} ${units[power]}`;
}

function changes(all: Diagnosis['changes'], width: number): readonly string[] {
  return all.flatMap(({ where, what, undo }) => [
    ...wrap(`${where}: ${what}`, width, '  '),
    ...wrap(`→ ${undo}`, width - 2, '  ').map((line) => `  ${line}`),
  ]);
}

function processes({ processes: all }: Diagnosis, width: number): readonly string[] {
  return all.flatMap(({ role, pid, pod, image }) =>
    wrap(
      pod === undefined
        ? `${role}: pid ${pid ?? '?'}`
        : `${role}: pod ${pod}${image === undefined ? '' : `, image ${image}`}`,
      width,
      '  ',
    ),
  );
}

function rights({ rights: its }: Diagnosis, width: number): readonly string[] {
  if (its === undefined) return [];
  const all = [...its.missing, ...its.optional];
  return all.length === 0 ? ['You have all that a session needs.'] : all.flatMap((text) => wrap(text, width, '  '));
}

function leftovers({ leftovers: all }: Diagnosis, width: number): readonly string[] {
  return all.flatMap(({ key, what, changes: its }) => [
    ...wrap(`${what} (${key})`, width, '  '),
    ...changes(its, width - 2).map((line) => `  ${line}`),
  ]);
}

function notices({ notices: all }: Diagnosis, width: number): readonly string[] {
  return all.flatMap(({ time, level, text }) =>
    wrap(
      `${time === undefined ? '' : `${time.slice(11, 19)} `}${level === 'warning' ? 'warning: ' : ''}${text}`,
      width,
      '  ',
    ),
  );
}
