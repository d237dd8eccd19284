/** What we answer to `initialize`: what the real debug adapter can do, and what we can do for it. */
import { isDeepStrictEqual } from 'node:util';
import type { Raw } from './message.ts';

/** Done by us if the real debug adapter cannot: see proxy.ts. */
const ours: Raw = {
  supportsConfigurationDoneRequest: true,
  supportsTerminateRequest: true,
  supportsCancelRequest: true,
  supportTerminateDebuggee: true,
  supportsRestartRequest: true,
};

/** The capabilities as the client sees them; keys that we do not know are kept. */
export function mergeCapabilities(real: Raw): Raw {
  return { ...real, ...ours };
}

/** What a later `capabilities` event of the real debug adapter may still change. */
export function withoutOurs(capabilities: Raw): Raw {
  return Object.fromEntries(Object.entries(capabilities).filter(([key]) => !(key in ours)));
}

/** What has to be said in a `capabilities` event after `told` was answered and `real` is true. A lost ability is false. */
export function changedCapabilities(told: Raw, real: Raw): Raw {
  const changed: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(told), ...Object.keys(real)])) {
    if (key in ours || isDeepStrictEqual(told[key], real[key])) continue;
    if (key in real) changed[key] = real[key];
    else if (told[key] === true) changed[key] = false;
    else if (Array.isArray(told[key])) changed[key] = [];
  }
  return changed;
}
