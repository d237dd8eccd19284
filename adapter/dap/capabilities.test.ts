import { expect, test } from 'vitest';
import { changedCapabilities, mergeCapabilities, withoutOurs } from './capabilities.ts';

test('what we do is always there, and nothing is lost', () => {
  expect(mergeCapabilities({ supportsTerminateRequest: false, $__lldb: { x: 1 } })).toEqual({
    supportsTerminateRequest: true,
    supportsRestartRequest: true,
    supportsConfigurationDoneRequest: true,
    supportsCancelRequest: true,
    supportTerminateDebuggee: true,
    $__lldb: { x: 1 },
  });
});

test('only differences are told later, and what was promised in vain is taken back', () => {
  const told = { a: true, b: true, list: [1], same: { x: [1] }, off: false };
  const real = { b: true, c: true, same: { x: [1] }, supportsCancelRequest: false };
  expect(changedCapabilities(told, real)).toEqual({ a: false, c: true, list: [] });
  expect(changedCapabilities(told, told)).toEqual({});
});

test('a later event cannot take away what we do', () => {
  expect(withoutOurs({ supportsCancelRequest: false, supportsStepBack: true })).toEqual({ supportsStepBack: true });
});
