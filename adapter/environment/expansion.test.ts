import { expect, test } from 'vitest';
import { expand } from './expansion.ts';

const variables = new Map([
  ['VAR_A', 'A'],
  ['VAR_B', 'B'],
  ['VAR_C', 'C'],
  ['VAR_REF', '$(VAR_A)'],
  ['VAR_EMPTY', ''],
]);

/** The behaviour that Kubernetes tests its own expansion for, case by case. */
test.each([
  ['whole', '$(VAR_A)', 'A'],
  ['twice', '$(VAR_A)-$(VAR_A)', 'A-A'],
  ['at the beginning', '$(VAR_A)-1', 'A-1'],
  ['in the middle', '___$(VAR_B)___', '___B___'],
  ['at the end', '___$(VAR_C)', '___C'],
  ['several', '$(VAR_A)_$(VAR_B)_$(VAR_C)', 'A_B_C'],
  ['escaped and not', '$$(VAR_B)_$(VAR_A)', '$(VAR_B)_A'],
  ['escaped twice', '$$(VAR_A)_$$(VAR_B)', '$(VAR_A)_$(VAR_B)'],
  ['escape without a reference', 'f000-$$VAR_A', 'f000-$VAR_A'],
  ['a backslash is no escape', 'foo\\$(VAR_C)bar', 'foo\\Cbar'],
  ['many backslashes', 'foo\\\\\\\\$(VAR_A)bar', 'foo\\\\\\\\Abar'],
  ['nested', '$(VAR_A$(VAR_B))', '$(VAR_A$(VAR_B))'],
  ['nested, one closer', '$(VAR_A$(VAR_B)', '$(VAR_A$(VAR_B)'],
  ['a value is not expanded again', '$(VAR_REF)', '$(VAR_A)'],
  ['values with references', '%%$(VAR_REF)--$(VAR_REF)%%', '%%$(VAR_A)--$(VAR_A)%%'],
  ['an empty value', 'foo$(VAR_EMPTY)bar', 'foobar'],
  ['not closed', 'foo$(VAR_Awhoops!', 'foo$(VAR_Awhoops!'],
  ['no dollar', 'f00__(VAR_A)__', 'f00__(VAR_A)__'],
  ['special variables of shells', '$?_boo_$!', '$?_boo_$!'],
  ['dollar and name', '$VAR_A', '$VAR_A'],
  ['unknown', '$(VAR_DNE)', '$(VAR_DNE)'],
  ['six dollars, unknown', '$$$$$$(BIG_MONEY)', '$$$(BIG_MONEY)'],
  ['six dollars, known', '$$$$$$(VAR_A)', '$$$(VAR_A)'],
  ['seven dollars, unknown', '$$$$$$$(GOOD_ODDS)', '$$$$(GOOD_ODDS)'],
  ['seven dollars, known', '$$$$$$$(VAR_A)', '$$$A'],
  ['closer only', '$VAR_A)', '$VAR_A)'],
  ['braces', `$\{VAR_A}`, `$\{VAR_A}`],
  ['open at the end', '$(VAR_B)_______$(A', 'B_______$(A'],
  ['open and empty at the end', '$(VAR_C)_______$(', 'C_______$('],
  ['dollar at the end', '$(VAR_A)foobarzab$', 'Afoobarzab$'],
  ['backslash and open', 'foo-\\$(VAR_A', 'foo-\\$(VAR_A'],
  ['many openers in the middle', '--$($($($($--', '--$($($($($--'],
  ['many openers at the beginning', '$($($($($--foo$(', '$($($($($--foo$('],
  ['many openers at the end', 'foo0--$($($($(', 'foo0--$($($($('],
  ['dollars inside a name', '$(foo$$var)', '$(foo$$var)'],
  ['a newline', '\n', '\n'],
  ['an empty name', '$()', '$()'],
  ['a name with a newline', '$(VAR\n_A)', '$(VAR\n_A)'],
  ['patterns of String.replace in a value stay', '$&$1', '$&$1'],
])('%s', (_name, text, expected) => {
  expect(expand(text, (name) => variables.get(name))).toBe(expected);
});
