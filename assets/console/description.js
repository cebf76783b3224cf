// What the description says of operations and kinds of objects.

const documents = {};
/** Operations by id. */
export const operations = new Map();
/** Operations of the control API by id. */
export const controls = new Map();
/** Kinds of objects: what can be listed in a project. */
export const kinds = [];
/** What the emulator says of itself: its project and a token. */
export let emulator = {};

/** Follows references, and merges `allOf`. */
export function resolve(api, value) {
  for (let depth = 0; value?.$ref && depth < 20; depth += 1) {
    value = value.$ref.slice(2).split('/').reduce((part, name) => part?.[name], documents[api]);
  }
  if (!value?.allOf) return value;
  const parts = value.allOf.map((part) => resolve(api, part));
  const merged = Object.assign({}, ...parts, value);
  const properties = Object.assign({}, ...parts.map((part) => part?.properties), value.properties);
  if (Object.keys(properties).length) merged.properties = properties;
  return merged;
}

const content = (api, part) => resolve(api, part)?.content?.['application/json'];

const parameters = (path) => [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);

/** Loads the descriptions, once. */
export async function load() {
  const apis = ['modelarts', 'mrs', 'iam', 'emulator'];
  const fetched = await Promise.all(apis.map((api) => fetch(`/docs/${api}.json`).then((response) => response.json())));
  for (const [at, api] of apis.entries()) {
    documents[api] = fetched[at];
    emulator = fetched[at]['x-emulator'];
    const known = api === 'emulator' ? controls : operations;
    for (const [path, item] of Object.entries(documents[api].paths)) {
      for (const [method, value] of Object.entries(item)) {
        if (value.operationId) {
          known.set(value.operationId, { api, path, method: method.toUpperCase(), value, id: value.operationId });
        }
      }
    }
  }
  for (const operation of operations.values()) {
    if (operation.value['x-list'] && parameters(operation.path).join() === 'project_id') kinds.push(kind(operation));
  }
  // What people create comes before what the service offers.
  kinds.sort((one, other) => Boolean(other.single) - Boolean(one.single));
}

const find = (method, path) => [...operations.values()].find((it) => it.method === method && it.path === path);

/** A state of an object as its code says it. Executions have it within an object, or not yet. */
export function state(schema, value) {
  const code = value?.status ?? value;
  if (code === null || code === undefined || typeof code === 'object') return { name: '', phase: '', meaning: '' };
  const known = schema?.['x-states']?.find((it) => String(it.code) === String(code));
  return known ? { name: known.name, phase: known.phase, meaning: known.meaning } : { name: String(code), phase: '', meaning: '' };
}

/** Field of an item that holds its state. */
function stateField(api, fields) {
  const withStates = Object.keys(fields).filter((name) => resolve(api, fields[name])?.['x-states']);
  const named = ['status', 'job_state'].find((name) => withStates.includes(name)) ?? withStates[0];
  return named ?? ['status', 'info'].find((name) => fields[name]);
}

function kind(list) {
  const { api, path } = list;
  const shape = list.value['x-list'];
  const success = Object.entries(list.value.responses).find(([status]) => status.startsWith('2'))[1];
  const fields = itemFields(api, content(api, success)?.schema, shape.items);
  const name = path.split('/').pop();
  const names = Object.keys(fields);
  const single = [...operations.values()].find((it) => it.path.startsWith(`${path}/{`) && parameters(it.path).length === 2
    && it.path.endsWith('}'));
  const prefix = (shape.id ?? '').replace(/_?id$/i, '');
  return {
    api, list, shape, fields, name, single,
    label: path.split('/').slice(3).join(' ').replaceAll('-', ' ').replace(/^.|\bai\b/g, (it) => it.toUpperCase()),
    title: [`${prefix}_name`, 'name', shape.id].find((field) => names.includes(field))
      ?? names.find((field) => /name$/.test(field)) ?? shape.id,
    state: stateField(api, fields),
    created: names.find((field) => /^creat(e|ed)_?(time|at)$/i.test(field)),
    show: find('GET', single?.path),
    create: find('POST', path),
    // What hangs below an object, such as the versions of a job.
    below: [...operations.values()].filter((it) => it.method === 'GET' && single && it.path.startsWith(`${single.path}/`)
      && parameters(it.path).length === 2 && !it.path.endsWith('/cancel')),
  };
}

/** Properties of the items that a list's response has. */
export function itemFields(api, schema, items) {
  const array = resolve(api, resolve(api, schema)?.properties?.[items]);
  return resolve(api, array?.items)?.properties ?? {};
}

/** What hangs below an item of a list below an object, such as the log of a version: its path has one more parameter. */
export const belowItem = (operation) => [...operations.values()].filter((it) => it.method === 'GET'
  && it.path.startsWith(`${operation.path}/{`) && parameters(it.path).length === parameters(operation.path).length + 1);

/** Puts values into the path of an operation, in their order. */
export function target(operation, values, query = {}) {
  let at = 0;
  const path = operation.path.replace(/\{\w+\}/g, () => encodeURIComponent(values[at++]));
  const text = new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}

/** The query that asks for a page of a list, and where the next page is. */
export function page(kind, before, response, size = 100) {
  const { shape, list } = kind;
  const described = (list.value.parameters ?? []).map((it) => resolve(kind.api, it));
  const query = {};
  for (const it of described) if (it.required && it.in === 'query') query[it.name] = String(it.example ?? '');
  if (shape.size) {
    const schema = resolve(kind.api, described.find((it) => it.name === shape.size)?.schema);
    query[shape.size] = String(Math.min(size, schema?.maximum ?? size));
  }
  if (shape.number) query[shape.number] = String(before ? before.number + 1 : shape.first ?? 1);
  if (shape.marker && before) query[shape.marker] = before.marker;
  return query;
}

/** The description of a field of a body by its path, if there is one. */
export function describedField(api, schema, path) {
  let part = resolve(api, schema);
  for (const name of path) {
    part = resolve(api, /^\d+$/.test(name) && part?.items ? part.items : part?.properties?.[name] ?? part?.additionalProperties);
  }
  return part;
}

/** The name of an API, without its version. */
export const title = (api) => documents[api].info.title.split(/[:(]/)[0];

/** The groups of an API's operations. */
export const tags = (api) => documents[api].tags;

/** The schema of the body that an operation takes. */
export const bodySchema = (operation) => content(operation.api, operation.value.requestBody)?.schema;

/** The documented examples of an operation: name, request and response. */
export function examples(operation) {
  const requests = content(operation.api, operation.value.requestBody)?.examples ?? {};
  const found = {};
  for (const [name, example] of Object.entries(requests)) found[name] = { summary: example.summary, request: example.value };
  for (const [status, response] of Object.entries(operation.value.responses)) {
    for (const [name, example] of Object.entries(content(operation.api, response)?.examples ?? {})) {
      found[name] = { summary: example.summary, ...found[name], status, response: example.value };
    }
  }
  return Object.entries(found);
}
