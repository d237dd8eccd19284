/** The tables of docs/launch-configuration.md, made from the JSON schema that also validates a configuration. */
import { z } from 'zod';
import schema from '../../adapter/launch/launch.schema.json' with { type: 'json' };
import { inLines } from './lines.ts';

const propertySchema = z.looseObject({
  description: z.string(),
  markdownDescription: z.string().optional(),
  type: z.union([z.string(), z.array(z.string()).transform((types) => types.join(' or '))]).optional(),
  enum: z.array(z.union([z.string(), z.boolean().transform(String)])).optional(),
  default: z.union([z.string(), z.union([z.boolean(), z.number()]).transform(String)]).optional(),
  examples: z.array(z.unknown()).default([]),
  doNotSuggest: z.boolean().default(false),
});
type Property = z.infer<typeof propertySchema>;

const properties = z.record(z.string(), propertySchema).parse(schema.properties);
const delegateProperties = z.record(z.string(), propertySchema).parse(schema.properties.delegate.properties);
const environmentProperties = z.record(z.string(), propertySchema).parse(schema.properties.environment.properties);
const volumesProperties = z.record(z.string(), propertySchema).parse(schema.properties.volumes.properties);
const debugAdapterProperties = z.record(z.string(), propertySchema).parse(schema.properties.debugAdapter.properties);

/** A table of the keys that a user writes. */
export function keyTable(): string {
  return table(
    Object.entries(properties).filter(([, { doNotSuggest }]) => !doNotSuggest),
    schema.required,
  );
}

/** A table of the keys in `delegate` that kubernetes-local reads. */
export function delegateTable(): string {
  return table(Object.entries(delegateProperties), schema.properties.delegate.required);
}

/** A table of the keys in `debugAdapter`. */
export function debugAdapterTable(): string {
  return table(Object.entries(debugAdapterProperties), []);
}

/** A table of the keys in `environment`. */
export function environmentTable(): string {
  return table(Object.entries(environmentProperties), []);
}

/** A table of the keys in `volumes`. */
export function volumesTable(): string {
  return table(Object.entries(volumesProperties), []);
}

/** The keys that belong to the IDE, in lines. */
export function keysOfTheIde(): string {
  return inLines(Object.entries(properties).flatMap(([name, { doNotSuggest }]) => (doNotSuggest ? [name] : [])));
}

function table(rows: readonly (readonly [name: string, property: Property])[], required: readonly string[]): string {
  const lines = rows.map(([name, property]) => {
    const { type = '', description, markdownDescription = description } = property;
    const values = property.enum?.map(code).join(' or ') ?? type;
    const fallback = property.default === undefined ? '' : ` Default: ${code(property.default)}.`;
    const must = required.includes(name) ? ' **Required.**' : '';
    const [example] = property.examples;
    return `| ${code(name)} | ${values} | ${markdownDescription}${must}${fallback} | ${code(JSON.stringify(example))} |`;
  });
  return ['| key | value | meaning | example |', '|---|---|---|---|', ...lines].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
