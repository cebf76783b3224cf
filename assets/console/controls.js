// The page of controls: a form for everything that the control API can do, made from its description.

import * as description from './description.js';
import { attempt, control, copied, curl, describe, field, h, options, prose, put, say, send, table } from './page.js';

const base = '/_emulator';
let refresh = {};

/** Inputs for a schema, and a function that reads the value which they have; nothing where all are empty. */
function inputs(schema, changed) {
  schema = description.resolve('emulator', schema);
  if (schema.discriminator) return alternatives(schema, changed);
  if (schema.properties) {
    const parts = Object.entries(schema.properties).map(([name, part]) => [name, name === 'operations'
      ? operations(changed) : inputs(part, changed), description.resolve('emulator', part)]);
    for (const [name, { element, group }] of parts) if (!group && schema.required?.includes(name)) element.required = true;
    const element = h('div', { class: 'fields' }, parts.map(([name, part, it]) => h('div', { title: describe(it) },
      part.group ? part.element : field(`${name}${schema.required?.includes(name) ? ' *' : ''}`, part.element),
      prose(it.description ?? ''))));
    const read = () => Object.fromEntries(parts.map(([name, part]) => [name, part.read()]).filter(([, it]) => it !== undefined));
    return { element, read, group: true };
  }
  const change = { input: changed, change: changed };
  if (schema.enum) {
    const element = h('select', change, options(schema.enum.map((it) => [it, it])));
    return { element, read: () => element.value };
  }
  if (schema.type === 'boolean') {
    const element = h('input', { type: 'checkbox', ...change });
    return { element, read: () => (element.checked ? true : undefined) };
  }
  const number = schema.type === 'integer' || schema.type === 'number';
  const element = h('input', {
    type: number ? 'number' : 'text', step: schema.type === 'integer' ? 1 : 'any', min: schema.minimum, max: schema.maximum, ...change,
  });
  return { element, read: () => (element.value === '' ? undefined : number ? Number(element.value) : element.value) };
}

/** A choice between schemas of different kinds. */
function alternatives(schema, changed) {
  const { propertyName, mapping } = schema.discriminator;
  const kind = h('select', { change: () => { show(); changed(); } }, options(Object.keys(mapping).map((it) => [it, it]), 'status'));
  const place = h('div');
  let chosen;
  const show = () => {
    const { properties, required, ...rest } = description.resolve('emulator', { $ref: mapping[kind.value] });
    const { [propertyName]: _, ...others } = properties;
    chosen = inputs({ ...rest, properties: others, required }, changed);
    put(place, prose(rest.description ?? ''), chosen.element);
  };
  show();
  return { group: true, element: h('fieldset', null, h('legend', null, 'What happens'), field(propertyName, kind), place),
    read: () => ({ [propertyName]: kind.value, ...chosen.read() }) };
}

/** Ids of operations of the cloud's APIs. */
function operations(changed) {
  const element = h('select', { multiple: true, size: 6, change: changed },
    options([...description.operations.keys()].sort().map((it) => [it, it])));
  const read = () => {
    const chosen = [...element.selectedOptions].map((it) => it.value);
    return chosen.length ? chosen : undefined;
  };
  return { element, read };
}

/** A form for an operation of the control API, with the command that does the same. */
function form(operation) {
  const schema = description.bodySchema(operation);
  const path = base + operation.path;
  const command = h('div');
  const made = schema && inputs(schema, () => write());
  const write = () => put(command, copied(curl(operation.method, path, { body: made?.read() })));
  write();
  const submit = (event) => {
    event.preventDefault();
    attempt(`${operation.value.summary}: done.`, () => send(operation.method, path, { body: made?.read() }));
  };
  return h('form', { class: 'control', submit, id: operation.id }, h('h4', null, operation.value.summary),
    prose(operation.value.description), made?.element, h('button', { type: 'submit' }, operation.value.summary), command);
}

/** The snapshot goes down into a file and comes up from one. */
function snapshot(operation) {
  const path = base + operation.path;
  const down = operation.method === 'GET';
  const load = async (event) => {
    const [file] = event.target.files;
    if (file) await attempt(`${file.name} is loaded.`, async () => send('PUT', path, { body: await file.text() }));
    event.target.value = '';
  };
  return h('section', { class: 'control', id: operation.id }, h('h4', null, operation.value.summary), prose(operation.value.description),
    down ? h('p', null, h('a', { class: 'button', href: path, download: 'snapshot.json' }, operation.value.summary))
      : field('Snapshot', h('input', { type: 'file', accept: '.json,application/json', change: load })),
    copied(curl(operation.method, path, down ? {} : { file: 'snapshot.json' }) + (down ? ' -o snapshot.json' : '')));
}

/** What is shown as it is now, such as the clock, with quick changes. */
function live(operation) {
  const path = base + operation.path;
  const place = h('div');
  const name = operation.path.slice(1);
  refresh[name] = async () => put(place, shown[name]?.(await control('GET', name)));
  refresh[name]().catch((error) => say(error.message, true));
  return h('section', { class: 'control', id: operation.id }, h('h4', null, operation.value.summary), prose(operation.value.description),
    place, copied(curl('GET', path)));
}

const button = (text, method, name, body) => {
  const click = () => attempt(`${text}: done.`, () => control(method, name, body));
  return h('button', { type: 'button', click }, text);
};

const shown = {
  clock: ({ time, scale }) => [
    h('p', null, h('strong', { id: 'clock' }, time), scale === 0 ? ', stopped.' : scale === 1 ? ', as fast as real time.' : `, ${scale} times as fast as real time.`),
    h('p', { class: 'buttons' }, [['1 minute', 60], ['1 hour', 3600], ['1 day', 86400]]
      .map(([text, advance]) => button(`Advance by ${text}`, 'PATCH', 'clock', { advance })),
    scale === 0 ? button('Let it run', 'PATCH', 'clock', { scale: 1 }) : button('Stop it', 'PATCH', 'clock', { scale: 0 }))],
  transitions: ({ mode, reads }) => h('p', null, h('strong', null, mode), reads === undefined ? '' : `: ${reads}`),
  faults: ({ faults }) => (faults.length ? table(['Number', 'Hits', 'Left', 'Operations', 'What happens', ''], faults.map((it) => h('tr', null,
    h('td', null, String(it.id)), h('td', null, String(it.hits)), h('td', null, String(it.count ?? 'no end')),
    h('td', null, it.operations.join(', ') || 'all'),
    h('td', null, `${it.probability < 1 ? `${it.probability} of all: ` : ''}${Object.values(it.action).join(' ')}${it.after ? ', after it is done' : ''}`),
    h('td', null, button('Remove', 'DELETE', `faults/${it.id}`))))) : h('p', { class: 'faint' }, 'No fault waits for requests.')),
};

/** Objects like the documented ones, created by requests to the cloud's API. */
function seed() {
  const kinds = description.kinds.filter((it) => it.create);
  const kind = h('select', { change: () => write() }, options(kinds.map((it) => [it.name, it.label])));
  const count = h('input', { type: 'number', min: 1, max: 1000, value: 3, input: () => write() });
  const command = h('div');
  const headers = { 'X-Auth-Token': description.emulator.token };
  const plan = (number) => {
    const chosen = kinds.find((it) => it.name === kind.value);
    const [, example] = description.examples(chosen.create).find(([, it]) => it.request !== undefined);
    const body = structuredClone(example.request);
    const name = [chosen.title, 'job_name', 'name'].find((it) => it in body);
    body[name] = `${String(body[name]).slice(0, 12)}-${Date.now().toString(36)}-${number}`;
    return { path: description.target(chosen.create, [description.emulator.project_id]), body };
  };
  const write = () => {
    const { path, body } = plan(1);
    put(command, copied(curl('POST', path, { headers, body })));
  };
  write();
  const submit = (event) => {
    event.preventDefault();
    attempt(`${count.value} created.`, async () => {
      for (let number = 1; number <= Number(count.value); number += 1) {
        const { path, body } = plan(number);
        await send('POST', path, { body, headers });
      }
    });
  };
  return h('form', { class: 'control', id: 'seed', submit }, h('h4', null, 'Create objects'),
    prose('Creates objects from the documented example of their kind, each with a name of its own, by ordinary requests.'),
    h('div', { class: 'fields' }, field('Kind', kind), field('How many', count)), h('button', { type: 'submit' }, 'Create objects'), command);
}

/** Shows the page. */
export async function render(main) {
  refresh = {};
  const part = (operation) => {
    if (operation.path === '/state' && operation.method !== 'DELETE') return snapshot(operation);
    if (operation.method === 'GET') return operation.path.slice(1) in shown ? live(operation) : null;
    // A fault is removed where it is listed.
    return operation.path.includes('{') ? null : form(operation);
  };
  const all = [...description.controls.values()];
  const sections = description.tags('emulator').map(({ name, description: text }) => {
    const parts = all.filter((it) => it.value.tags.includes(name)).map(part).filter(Boolean);
    return parts.length > 0 && h('section', null, h('h3', null, name), prose(text),
      h('div', { class: 'controls' }, parts, name === 'State' && seed()));
  });
  put(main, h('h2', null, 'Controls'), sections);
}

/** Shows anew what has changed. */
export async function update(what) {
  if (what) await refresh[what]?.();
  else await Promise.all(Object.values(refresh).map((it) => it()));
}
