/** The one question that precedes a graphical question for privileges: what they are for, and what they are not. */
import { Problem } from '../../problem.ts';

/** `impossible`: there is nobody to ask. */
export type Consent = 'granted' | 'refused' | 'impossible';

/** Asks the user, who may not be there to be asked. */
export type AskConsent = (text: string, signal: AbortSignal) => Promise<Consent>;

/** What the helper will do, in the user's words. */
export function consentText(hostsFile: string, platform: NodeJS.Platform = process.platform): string {
  const acts = [
    `write its own, marked lines into ${hostsFile}`,
    ...(platform === 'win32' ? [] : ['listen on ports below 1024 of addresses 127.64.0.0 to 127.127.255.255']),
    ...(platform === 'darwin' ? ['add such addresses to the loopback interface lo0'] : []),
  ];
  return [
    'kubernetes-local wants to start a helper with administrator rights, so that the names of the cluster work on this computer.',
    'The helper will',
    ...acts.map((act) => `  - ${act}`),
    'and nothing else. All of it is undone when the session ends, also if it is killed.',
    'Your system asks for your password next. Without it kubernetes-local uses another network mode.',
  ].join('\n');
}

/** The user said no, to us or to the system. */
export function consentRefused(why: string): Problem {
  return new Problem({
    code: 'consent-refused',
    what: 'The helper with administrator rights was not allowed.',
    why,
    remedy: 'Choose a "network" mode that needs none ("namespace" or "env"), or start again and allow it.',
  });
}
