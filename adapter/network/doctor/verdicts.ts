/** What the findings mean for each network mode, and which one `auto` would take. */
import { autoOrder, type Circumstances, explainChoice } from '../modes.ts';
import type { NetworkMode } from '../workstation-network.ts';
import { type Finding, limited, notPossible, ok } from './finding.ts';

/** The findings on which the modes stand. */
export interface Grounds {
  readonly hostsFile: Finding;
  readonly nameResolution: Finding | undefined;
  readonly addresses: Finding;
  readonly privileges: Finding;
  readonly namespace: Finding;
  readonly loopback: Finding;
}

/** A mode and what it would be like here. */
export interface Verdict {
  readonly mode: NetworkMode;
  readonly finding: Finding;
}

const bounds: Readonly<Record<NetworkMode, string>> = {
  hosts: 'All programs of this computer see the names.',
  namespace: 'Programs that kubernetes-local starts see the names; nothing else on this computer changes.',
  env: 'Names such as http://prices/ do not resolve; programs find addresses in variables such as PRICES_SERVICE_HOST.',
};

/** The verdicts in the order of the documentation. */
export function verdicts(grounds: Grounds): readonly Verdict[] {
  const { hostsFile, nameResolution, addresses, privileges, namespace, loopback } = grounds;
  return [
    { mode: 'hosts', finding: verdict('hosts', [hostsFile, nameResolution, addresses, privileges]) },
    { mode: 'namespace', finding: verdict('namespace', [nameResolution, namespace]) },
    { mode: 'env', finding: loopback.outcome === 'ok' ? limited('mode env', bounds.env) : verdict('env', [loopback]) },
  ];
}

/** What `auto` would take for a program that it starts itself, with the reason. */
export function autoFinding(all: readonly Verdict[], circumstances: Omit<Circumstances, 'startsProgram'>): Finding {
  const subject = 'mode auto';
  const refused: { mode: NetworkMode; why: string }[] = [];
  for (const candidate of autoOrder({ ...circumstances, startsProgram: true })) {
    const finding = all.find(({ mode }) => mode === candidate.mode)?.finding;
    if (finding !== undefined && finding.outcome !== 'not possible') {
      return { subject, outcome: finding.outcome, text: explainChoice(candidate, refused) };
    }
    refused.push({ mode: candidate.mode, why: finding?.text ?? '' });
  }
  return notPossible(subject, 'No mode works here.');
}

/** The worst of the grounds decides, and those that are as bad say why. */
function verdict(mode: NetworkMode, grounds: readonly (Finding | undefined)[]): Finding {
  const subject = `mode ${mode}`;
  const known = grounds.filter((ground) => ground !== undefined);
  for (const outcome of ['not possible', 'limited'] as const) {
    const reasons = known.filter((ground) => ground.outcome === outcome);
    if (reasons.length === 0) continue;
    const text = reasons.map((reason) => reason.text).join(' ');
    const remedy = reasons.flatMap((reason) => reason.remedy ?? []).join(' ');
    const make = outcome === 'limited' ? limited : notPossible;
    return make(subject, outcome === 'limited' ? `${bounds[mode]} ${text}` : text, remedy === '' ? undefined : remedy);
  }
  return ok(subject, bounds[mode]);
}
