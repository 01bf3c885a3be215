// JSON schemas of small parts, for the OpenAPI document.

export type Schema = Readonly<Record<string, unknown>>;

/** Returns the schema of an object with exactly the fields of the type, all required. */
export function object<Fields>(properties: Record<keyof Fields & string, Schema>): Schema {
  return { type: 'object', required: Object.keys(properties), properties };
}

export function nullable(schema: Schema): Schema {
  return { oneOf: [schema, { type: 'null' }] };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function described(description: string, schema: Schema): Schema {
  return { description, ...schema };
}

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const count: Schema = { type: 'integer', minimum: 0 };
export const amount: Schema = { type: 'number', minimum: 0 };
export const version = described('Changes when a field changes its meaning or is removed.', {
  const: 1,
});

export const time: Schema = { type: 'string', format: 'date-time' };
export const day: Schema = { type: 'string', format: 'date' };
