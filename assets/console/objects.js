// The page of objects: a table for each kind, one object with all that hangs on it.

import * as description from './description.js';
import { age, control, field, h, json, options, put, table, view } from './page.js';

const shown = { search: '', state: '' };
let projects = [];
let project;
let open;

const chip = ({ name, phase, meaning }) => name && h('span', { class: `chip ${phase}`, title: meaning }, name);
const link = (kind, id, text) =>
  h('a', { href: `#/objects/${kind.name}/${encodeURIComponent(id)}?project=${encodeURIComponent(project)}` }, text ?? String(id));

/** Milliseconds since the Unix epoch of a time as the description says it is printed. */
function moment(schema, value) {
  if (value === null || value === undefined || value === '') return undefined;
  const unit = schema?.['x-unit'] ?? '';
  if (unit.startsWith('s since')) return Number(value) * 1000;
  if (unit.startsWith('ms since')) return Number(value);
  if (unit.startsWith('date')) return Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`);
  return undefined;
}

const iso = (time) => (Number.isFinite(time) ? new Date(time).toISOString().replace('.000', '') : '');

/** Shows the page, and again when something has happened. */
export async function render(main, [name, id], query, now) {
  const summary = await control('GET', 'summary');
  projects = [...new Set([description.emulator.project_id, ...summary.objects.map((it) => it.project)])];
  project = query.get('project') ?? projects[0];
  const kind = description.kinds.find((it) => it.name === name) ?? description.kinds[0];
  open = { main, kind, id, now, text: undefined };
  const link = (it) => h('a', {
    href: `#/objects/${it.name}?project=${encodeURIComponent(project)}`, 'aria-current': it === kind && 'page',
  }, it.label);
  const groups = Map.groupBy(description.kinds, (it) => (it.single ? description.title(it.api) : 'Offered'));
  open.place = h('div', { class: 'place' });
  put(main, h('div', { class: 'columns' },
    h('nav', { class: 'kinds', 'aria-label': 'Kinds of objects' }, [...groups].map(([name, kinds]) => [h('span', null, name), kinds.map(link)])), open.place));
  await (id === undefined ? list() : one());
}

/** Shows the same page as things are now. */
export async function update() {
  await (open.id === undefined ? open.draw() : one());
}

async function list() {
  const { kind } = open;
  const states = new Set();
  let items = [];
  let before;
  let total;
  const rows = h('div');
  const more = h('button', { type: 'button', hidden: true, click: () => fetchPage().then(fill) }, 'Load more');
  const stateChoice = h('select', { change: (event) => { shown.state = event.target.value; fill(); } });
  const search = h('input', {
    type: 'search', value: shown.search, autocomplete: 'off',
    input: (event) => { shown.search = event.target.value; fill(); },
  });
  const { here, next } = { here: open, next: kind.shape.next?.slice(1).split('/') };

  const fetchPage = async () => {
    const response = await view(description.target(kind.list, [project], description.page(kind, before)));
    const page = response[kind.shape.items] ?? [];
    items = items.concat(page);
    total = kind.shape.total ? response[kind.shape.total] : undefined;
    const marker = next?.reduce((part, name) => part?.[name], response);
    const ended = !page.length || (kind.shape.marker ? !marker : !kind.shape.number || items.length >= Number(total));
    before = ended ? undefined : { number: (before?.number ?? (kind.shape.first ?? 1) - 1) + 1, marker };
    more.hidden = ended;
  };
  const fill = () => {
    if (here !== open) return;
    const cells = items.map((item) => ({
      item, id: item[kind.shape.id], title: item[kind.title] ?? '',
      state: kind.state && description.state(description.resolve(kind.api, kind.fields[kind.state]), item[kind.state]),
      created: moment(description.resolve(kind.api, kind.fields[kind.created]), item[kind.created]),
    }));
    cells.forEach((it) => it.state?.name && states.add(it.state.name));
    put(stateChoice, options([['', 'Any'], ...[...states].sort().map((it) => [it, it])], shown.state));
    stateChoice.parentElement.hidden = !kind.state;
    const wanted = shown.search.toLowerCase();
    const fits = cells.filter((it) => (!wanted || JSON.stringify(it.item).toLowerCase().includes(wanted))
      && (!shown.state || !kind.state || !states.has(shown.state) || it.state.name === shown.state));
    const named = kind.title !== kind.shape.id;
    put(rows, !fits.length && items.length > 0 && h('p', null, 'Nothing fits the search.'), items.length
      ? table(['Id', named && 'Name', kind.state && 'State', kind.created && 'Age'].filter(Boolean), fits.map((it) => h('tr', null,
        h('td', null, kind.single || kind.show ? link(kind, it.id) : String(it.id ?? it.title)),
        named && h('td', null, String(it.title)),
        kind.state && h('td', null, chip(it.state)),
        kind.created && h('td', { title: iso(it.created) }, Number.isFinite(it.created) ? age(it.created, open.now()) : ''))),
      `${fits.length} of ${total ?? items.length}`)
      : h('p', { class: 'faint' }, `This project has no ${kind.label.toLowerCase()}.`));
  };
  open.draw = async () => {
    const seen = Math.max(items.length, 1);
    [items, before] = [[], undefined];
    do await fetchPage(); while (before && items.length < seen);
    fill();
  };
  put(open.place, 
    h('h2', null, kind.label),
    h('p', { class: 'faint' }, kind.list.value.summary, '.'),
    h('div', { class: 'tools' }, field('Search', search), field('State', stateChoice), projects.length > 1 && field('Project',
      h('select', { change: (event) => { location.hash = `#/objects/${kind.name}?project=${encodeURIComponent(event.target.value)}`; } },
        options(projects.map((it) => [it, it]), project)))),
    rows, more);
  await open.draw();
}

/** The object itself: where no operation shows one, it stands in the list. */
async function fetchObject(kind, id) {
  if (kind.show) {
    const response = await view(description.target(kind.show, [project, id]));
    const values = Object.values(response);
    return values.length === 1 && typeof values[0] === 'object' && !Array.isArray(values[0]) ? values[0] : response;
  }
  let before;
  for (let number = kind.shape.first ?? 1; ; number += 1) {
    const response = await view(description.target(kind.list, [project], description.page(kind, before)));
    const items = response[kind.shape.items] ?? [];
    const found = items.find((it) => String(it[kind.shape.id]) === id);
    if (found) return found;
    if (!items.length || !kind.shape.number) throw new Error(`${kind.label} ${id}: there is none in this project.`);
    before = { number };
  }
}

async function one() {
  const { kind, id } = open;
  const here = open;
  let object;
  let trouble;
  try {
    object = await fetchObject(kind, id);
  } catch (error) {
    trouble = error.message;
  }
  const { requests } = await control('GET', 'requests');
  const concerning = requests.filter((it) => concerns(it, kind, id));
  const text = JSON.stringify([object, trouble, concerning.map((it) => it.request_id)]);
  if (here !== open || text === open.text) return;
  open.text = text;
  const opened = new Set([...open.place.querySelectorAll('details[open] > summary')].map((it) => it.textContent));
  put(open.place, 
    h('p', null, h('a', { href: `#/objects/${kind.name}?project=${encodeURIComponent(project)}` }, `← ${kind.label}`)),
    h('h2', null, `${object?.[kind.title] ?? id} `, object && kind.state
      && chip(description.state(description.resolve(kind.api, kind.fields[kind.state]), object[kind.state]))),
    trouble ? h('p', { class: 'bad' }, trouble) : fields(kind, object),
    object && h('details', { open: opened.has('JSON') }, h('summary', null, 'JSON'), json(object)),
    h('h3', null, 'Requests that created and changed it'),
    concerning.length ? table(['Time', 'Request', 'Operation', 'Status', 'Verdict'], concerning.map((it) => h('tr', null,
      h('td', { class: 'time' }, it.time), h('td', { class: 'target' }, h('a', { href: `#/requests/${it.request_id}` }, `${it.method} ${it.target}`)),
      h('td', null, it.operation), h('td', null, String(it.status)), h('td', null, it.verdict))))
      : h('p', { class: 'faint' }, 'None is recorded. It was there from the beginning, or the record has lost them.'),
    related(kind, id),
    object && kind.below.map((operation) => below(operation, [project, id], opened)));
}

function fields(kind, object) {
  const success = Object.entries((kind.show ?? kind.list).value.responses).find(([status]) => status.startsWith('2'))[1];
  const schema = success.content?.['application/json']?.schema;
  const shape = description.resolve(kind.api, schema)?.properties ?? {};
  const [first] = Object.values(shape);
  const inner = description.resolve(kind.api, first)?.properties;
  const described = { ...kind.fields, ...(inner ?? {}), ...shape };
  return table(['Field', 'Value', 'Meaning'], Object.entries(object).map(([name, value]) => {
    const known = description.resolve(kind.api, described[name]);
    const time = moment(known, value);
    const state = known?.['x-states'] && description.state(known, value);
    const other = description.kinds.find((it) => it.api === kind.api && it.single?.path.endsWith(`{${name}}`) && it !== kind
      && value && typeof value === 'string' && kind.shape.id !== name);
    return h('tr', null, h('th', { scope: 'row' }, name),
      h('td', null, other ? link(other, value) : typeof value === 'object' && value !== null ? json(value) : String(value),
        state && [' ', chip(state)],
        h('span', { class: 'faint' }, ` ${time === undefined ? known?.['x-unit'] ?? '' : iso(time)}`)),
      h('td', { class: 'faint' }, known?.description ?? ''));
  }));
}

/** Whether a request created or changed an object. */
function concerns(exchange, kind, id) {
  const operation = description.operations.get(exchange.operation);
  if (!operation || operation.method === 'GET' || operation.api !== kind.api) return false;
  const path = exchange.target.split('?')[0];
  const own = kind.single && description.target(kind.single, [project, id]);
  if (own && (path === own || path.startsWith(`${own}/`))) return true;
  if (exchange.status >= 300 || operation.method !== 'POST' || !path.split('/').includes(project)) return false;
  // In ModelArts a number is the id of a job of each kind.
  if (kind.api !== 'mrs' && operation.path !== kind.list.path) return false;
  const holds = (value) => value && typeof value === 'object'
    && Object.entries(value).some(([name, it]) => (name === kind.shape.id && String(it) === id) || holds(it));
  try {
    return holds(JSON.parse(exchange.response));
  } catch {
    return false;
  }
}

/** Objects of other kinds that name this one. */
function related(kind, id) {
  const parameter = kind.single?.path.match(/\{(\w+)\}$/)?.[1];
  const others = description.kinds.filter((it) => it !== kind && it.api === kind.api && it.single && it.shape.id !== parameter
    && parameter in it.fields && parameter !== kind.shape.id);
  return others.map((other) => {
    const place = h('div');
    const load = async () => {
      const response = await view(description.target(other.list, [project], description.page(other)));
      const items = (response[other.shape.items] ?? []).filter((it) => String(it[parameter]) === id);
      put(place, items.length ? h('ul', null, items.map((it) => h('li', null, link(other, it[other.shape.id])))) : 'None.');
    };
    load().catch((error) => put(place, error.message));
    return [h('h3', null, other.label), place];
  });
}

/** What hangs below an object, loaded when it is opened. */
function below(operation, values, opened) {
  const place = h('div', null, 'Loading.');
  const load = async () => {
    const required = (operation.value.parameters ?? []).map((it) => description.resolve(operation.api, it))
      .filter((it) => it.required && it.in === 'query').map((it) => [it.name, String(it.example ?? '')]);
    const response = await view(description.target(operation, values, Object.fromEntries(required)));
    const list = operation.value['x-list'];
    const deeper = list?.id ? description.belowItem(operation) : [];
    put(place, deeper.length
      ? h('div', null, response[list.items].map((item) => h('section', { class: 'item' },
        h('h4', null, `${list.id} ${item[list.id]}`), json(item),
        deeper.map((it) => below(it, [...values, item[list.id]], opened)))))
      : json(response));
  };
  const label = operation.value.summary;
  const details = h('details', {
    open: opened.has(label),
    toggle: () => details.open && load().catch((error) => put(place, error.message)),
  }, h('summary', null, label), place);
  return details;
}
