// The page of requests: a list that grows as they come, and one request with all that is known of it.

import * as description from './description.js';
import { body, control, copied, curl, describe, field, h, json, options, prose, put, table } from './page.js';

/** So many requests are kept in the page. */
const KEPT = 1000;
const filter = { operation: '', status: '', verdict: '', text: '' };
let exchanges = [];
let open;

/** Takes the recorded requests anew. Those that came as events are in the record too, if one is kept. */
export async function reload() {
  const { requests } = await control('GET', 'requests');
  const known = new Set(requests.map((it) => it.request_id));
  const last = requests.at(-1)?.request_id ?? '';
  exchanges = [...requests, ...exchanges.filter((it) => !known.has(it.request_id) && it.request_id > last)].slice(-KEPT);
  open?.draw?.();
}

/** Removes all of them. */
export function forget() {
  exchanges = [];
}

/** Adds a request that has just come. */
export function add(exchange) {
  exchanges.push(exchange);
  if (exchanges.length > KEPT) exchanges.shift();
  if (open?.draw && !open.waiting) {
    open.waiting = true;
    const here = open;
    requestAnimationFrame(() => { here.waiting = false; if (here === open) here.draw(); });
  }
}

const verdictClass = (it) => (it.verdict === 'accepted' ? 'good' : 'bad');
const duration = (it) => (it.duration_us === null ? '' : `${(it.duration_us / 1000).toFixed(1)} ms`);

/** The pattern of the wanted statuses: `404`, `4xx` or the beginning of one. */
const statuses = () => new RegExp(`^${filter.status.replace(/[^\dx]/gi, '').replace(/x/gi, '\\d')}`);

const fits = (it) => (!filter.operation || it.operation === filter.operation)
  && (!filter.status || statuses().test(String(it.status)))
  && (!filter.verdict || it.verdict === filter.verdict)
  && (!filter.text || JSON.stringify(it).toLowerCase().includes(filter.text.toLowerCase()));

/** Shows the page. */
export async function render(main, [id]) {
  open = undefined;
  await reload();
  if (id) return one(main, id);
  const rows = h('div');
  const operation = h('select', { change: (event) => set('operation', event) });
  const verdict = h('select', { change: (event) => set('verdict', event) });
  const input = (name, placeholder) =>
    h('input', { type: 'search', value: filter[name], placeholder, autocomplete: 'off', input: (event) => set(name, event) });
  const set = (name, event) => { filter[name] = event.target.value; open.draw(); };
  const draw = () => {
    const choices = (name, all) => options([['', all], ...[...new Set(exchanges.map((it) => it[name]).filter(Boolean))].sort()
      .map((it) => [it, it])], filter[name]);
    put(operation, choices('operation', 'Any'));
    put(verdict, choices('verdict', 'Any'));
    const latest = exchanges.filter(fits).reverse();
    put(rows, exchanges.length ? table(['Time', 'Method', 'Path', 'Operation', 'Status', 'Verdict', 'Duration'],
      latest.map((it) => h('tr', null,
        h('td', { title: it.time }, it.time.slice(11, 23).replace('Z', '')), h('td', null, it.method),
        h('td', { class: 'target' }, h('a', { href: `#/requests/${it.request_id}` }, it.target)),
        h('td', null, it.operation ?? ''), h('td', { class: 'number' }, String(it.status || 'none')),
        h('td', { class: verdictClass(it) }, it.verdict, it.reason && h('span', { class: 'reason' }, it.reason)),
        h('td', { class: 'number' }, duration(it)))), `${latest.length} of ${exchanges.length}, the latest first`)
      : h('p', { class: 'faint' }, 'No request yet. Requests appear here as they come.'));
  };
  put(main, h('h2', null, 'Requests'),
    h('div', { class: 'tools' }, field('Operation', operation), field('Status', input('status', '4xx')), field('Verdict', verdict),
      field('Text', input('text'))),
    rows);
  open = { draw };
  draw();
}

/** What was rejected, as the reason names it: a path within the body, or a parameter. */
function rejected(exchange) {
  const [, place] = exchange.reason?.match(/[Ff]ield ([^\s,:;]+?)\.?(?=[\s,:;]|$)/) ?? [];
  const [, missing] = exchange.reason?.match(/"(\w+)" is a required property/) ?? [];
  const [, parameter] = exchange.reason?.match(/[Pp]arameter ([^\s,:;]+?)\.?(?=[\s,:;]|$)/) ?? [];
  if (parameter) return { parameter };
  if (!place && !missing) return {};
  return { path: [...(place?.split('.') ?? []), ...(missing ? [missing] : [])], missing, marked: place?.split('.') };
}

function one(main, id) {
  const it = exchanges.find((exchange) => exchange.request_id === id);
  const back = h('p', null, h('a', { href: '#/requests' }, '← Requests'));
  if (!it) {
    put(main, back, h('h2', null, `Request ${id}`), h('p', null,
      'It is not recorded any more. The option --record says how many requests the emulator keeps.'));
    return;
  }
  const operation = description.operations.get(it.operation);
  const fault = rejected(it);
  const fact = (name, ...value) => [h('dt', null, name), h('dd', null, ...value)];
  const described = operation && fault.path && description.describedField(operation.api, description.bodySchema(operation), fault.path);
  const parameter = operation && fault.parameter && (operation.value.parameters ?? [])
    .map((known) => description.resolve(operation.api, known)).find((known) => known.name === fault.parameter);
  const rule = described ?? parameter;
  put(main, back,
    h('h2', { class: 'target' }, `${it.method} ${it.target}`),
    h('dl', null,
      operation && fact('Operation', `${it.operation}: ${operation.value.summary}`),
      fact('Status', String(it.status || 'no response, or a broken one')),
      fact('Verdict', h('span', { class: verdictClass(it) }, it.verdict), it.reason && `: ${it.reason}`),
      it.ignored.length > 0 && fact('Not described', `${it.ignored.join(', ')} (no effect)`),
      fact('Time', it.time), it.duration_us !== null && fact('Duration', duration(it)), fact('Request id', it.request_id)),
    rule && h('section', { class: 'rule' }, h('h3', null, `The description says of ${(fault.path ?? [fault.parameter]).join('.')}`),
      prose(rule.description ?? ''), h('p', { class: 'faint' }, describe(description.resolve(operation.api, rule.schema ?? rule)))),
    h('div', { class: 'pair' },
      h('section', null, h('h3', null, 'Request'),
        table(['Header', 'Value'], it.headers.map(([name, value]) => h('tr', null, h('td', null, name), h('td', null, value)))),
        body(it.request, fault.marked), fault.missing && h('p', { class: 'bad' }, `${fault.missing} is missing.`),
        h('h3', null, 'Response'), body(it.response)),
      operation && h('section', null, documented(operation))),
    h('h3', null, 'Send it again'), copied(command(it)),
    JSON.stringify(it).includes('***') && h('p', { class: 'faint' }, 'Values that may be secret are recorded as ***.'));
}

function documented(operation) {
  const examples = description.examples(operation);
  const place = h('div');
  const show = (name) => {
    const [, example] = examples.find(([known]) => known === name);
    put(place, h('p', null, `${example.summary}.`), example.request !== undefined && json(example.request),
      example.status && h('h4', null, `Response ${example.status}`), example.response !== undefined && json(example.response));
  };
  if (examples.length) show(examples[0][0]);
  return [h('h3', null, 'Documented example'), examples.length > 1 && field('Example',
    h('select', { change: (event) => show(event.target.value) }, options(examples.map(([name, it]) => [name, it.summary ?? name])))),
  examples.length ? place : h('p', { class: 'faint' }, 'The description has none.')];
}

/** The command that sends the request again, with the token of this emulator. */
function command(it) {
  const again = new Set(['content-type', 'x-project-id', 'accept']);
  const headers = Object.fromEntries(it.headers.filter(([name, value]) => again.has(name) && value !== '***'));
  if (it.headers.some(([name]) => name === 'x-auth-token' || name === 'authorization')) {
    headers['X-Auth-Token'] = description.emulator.token;
  }
  return curl(it.method, it.target, { headers, body: it.request });
}
