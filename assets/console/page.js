// What all pages of the console use: elements, requests to the control API, commands to copy.
//
// Everything shown is put in as text, never as markup: names and paths come from whoever sends requests.

/** Makes an element. Attributes that are functions are event handlers; those that are false or missing are left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  return put(element, ...children);
}

/** Replaces what an element holds. Lists are taken apart; nothing is shown for what is missing or false. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Says something to the reader, also to one who listens. */
export function say(text, isError = false) {
  const said = document.getElementById('said');
  said.textContent = text;
  said.className = isError ? 'bad' : 'good';
}

/** Sends a request to this emulator and returns the JSON of the response, if there is any. */
export async function send(method, path, { body, headers = {} } = {}) {
  const options = { method, cache: 'no-store', headers };
  if (body !== undefined) {
    options.headers = { 'Content-Type': 'application/json', ...headers };
    options.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const text = await response.text();
  let value = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(`status ${response.status}, and the body is no JSON`);
  }
  if (!response.ok) {
    const message = value?.error_msg ?? value?.error_message ?? value?.error?.message ?? 'no message';
    throw new Error(`status ${response.status}: ${message}`);
  }
  return value;
}

export const control = (method, name, body) => send(method, `/_emulator/${name}`, { body });

/** What a GET of the cloud's APIs would return now. The emulator neither records nor counts it. */
export const view = (target) => send('GET', `/_emulator/view?target=${encodeURIComponent(target)}`);

/** Quotes a text for a shell. */
const quoted = (text) => (/^[\w\-./:@%+=,]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** The command that sends a request. */
export function curl(method, path, { headers = {}, body, file } = {}) {
  const parts = ['curl', '-sS'];
  if (method !== 'GET') parts.push('-X', method);
  parts.push(quoted(location.origin + path));
  for (const [name, value] of Object.entries(headers)) parts.push('-H', quoted(`${name}: ${value}`));
  if ((body !== undefined && body !== '') || file) {
    if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) {
      parts.push('-H', quoted('Content-Type: application/json'));
    }
    parts.push('--data-binary', file ? `@${file}` : quoted(typeof body === 'string' ? body : JSON.stringify(body)));
  }
  return parts.join(' ');
}

/** Shows a command, or another text, with a button that copies it. */
export function copied(text, label = 'Copy') {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say('Copied.');
    } catch {
      getSelection().selectAllChildren(shown);
      say('Selected. Copy it with the keyboard.');
    }
  };
  const shown = h('code', { class: 'command', tabindex: 0 }, text);
  return h('div', { class: 'copied' }, shown, h('button', { type: 'button', click: copy }, label));
}

/** Shows JSON line by line. `marked` is the path of a value as a list of names; its lines are marked. */
export function json(value, marked) {
  const lines = [];
  const is = (path) => marked && path.length === marked.length && path.every((name, at) => String(name) === marked[at]);
  const write = (value, path, indent, before, after, inside) => {
    const here = inside || is(path);
    const line = (text) => lines.push([here, indent + text]);
    const entries = value && typeof value === 'object' ? Object.entries(value) : [];
    if (!entries.length) return line(before + JSON.stringify(value) + after);
    const list = Array.isArray(value);
    line(before + (list ? '[' : '{'));
    entries.forEach(([name, item], at) => {
      const front = list ? '' : `${JSON.stringify(name)}: `;
      write(item, [...path, name], `${indent}  `, front, at + 1 < entries.length ? ',' : '', here);
    });
    line((list ? ']' : '}') + after);
  };
  write(value, [], '', '', '', false);
  const shown = lines.map(([here, text]) => (here ? h('mark', null, `${text}\n`) : `${text}\n`));
  return h('pre', { tabindex: 0 }, shown);
}

/** Shows a body: JSON if it is some, else the text. */
export function body(text, marked) {
  if (!text) return h('p', { class: 'faint' }, 'No body.');
  try {
    return json(JSON.parse(text), marked);
  } catch {
    return h('pre', { tabindex: 0 }, text);
  }
}

/** A time between two moments in milliseconds, as people say it. */
export function age(from, to) {
  const seconds = Math.round((to - from) / 1000);
  if (Math.abs(seconds) < 60) return `${seconds} s`;
  for (const [unit, size, limit] of [['min', 60, 3600], ['h', 3600, 86400], ['d', 86400, 63072000]]) {
    if (Math.abs(seconds) < limit) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.floor(seconds / 31557600)} years`;
}

/** A table in a box that scrolls by itself where the window is narrow. */
export function table(heads, rows, caption) {
  return h('div', { class: 'wide' }, h('table', null,
    caption && h('caption', null, caption),
    h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col' }, head)))),
    h('tbody', null, rows)));
}

/** A labelled field. */
export const field = (label, input) => h('label', null, h('span', null, label), input);

export const options = (values, chosen) =>
  values.map(([value, text]) => h('option', { value, selected: value === chosen }, text));

/** Runs an action and says how it ended. */
export async function attempt(done, action) {
  try {
    await action();
    say(done);
  } catch (error) {
    say(error.message, true);
  }
}

/** A text of the description, with `code` in backticks shown as such. */
export const prose = (text) =>
  h('p', null, text.split('`').map((part, at) => (at % 2 ? h('code', null, part) : part)));

/** The limits that a schema sets, in words. */
export function describe(schema = {}) {
  const limits = [];
  const add = (name, text) => schema[name] !== undefined && limits.push(text(schema[name]));
  add('type', (it) => it);
  add('format', (it) => it);
  add('enum', (it) => `one of ${it.join(', ')}`);
  add('minLength', (it) => `at least ${it} characters`);
  add('maxLength', (it) => `at most ${it} characters`);
  add('minimum', (it) => `from ${it}`);
  add('maximum', (it) => `up to ${it}`);
  add('minItems', (it) => `at least ${it} items`);
  add('maxItems', (it) => `at most ${it} items`);
  add('pattern', (it) => `pattern ${it}`);
  add('default', (it) => `by default ${JSON.stringify(it)}`);
  return limits.join('; ');
}
