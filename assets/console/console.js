// The console: which page is shown, and the stream of events that keeps it true.

import * as controls from './controls.js';
import * as description from './description.js';
import * as objects from './objects.js';
import * as requests from './requests.js';
import { control, h, put, say } from './page.js';

const pages = { objects, requests, controls };
const main = document.getElementById('page');
const about = document.getElementById('about');
let summary;
let clock;
let source;
let shown;

/** The time of the emulator's clock in milliseconds, without asking for it. */
const now = () => clock.now + (performance.now() - clock.asked) * clock.scale;

const route = () => {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [page, ...rest] = path.split('/').map(decodeURIComponent);
  return { page: page in pages ? page : 'objects', rest, query: new URLSearchParams(query) };
};

async function show(event) {
  const { page, rest, query } = route();
  shown = page;
  for (const link of document.querySelectorAll('header nav a')) {
    if (link.getAttribute('href') === `#/${page}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${page[0].toUpperCase()}${page.slice(1)}: hwjobs emulator`;
  try {
    await pages[page].render(main, rest, query, now);
  } catch (error) {
    put(main, h('h2', null, 'This page cannot be shown'), h('p', { class: 'bad' }, error.message));
  }
  if (event) main.focus();
}

async function tell() {
  summary = await control('GET', 'summary');
  clock = { ...await control('GET', 'clock'), asked: performance.now() };
  write();
}

function write() {
  if (!clock) return;
  const time = new Date(now()).toISOString().replace(/\.\d+/, '');
  const listening = source?.readyState === EventSource.OPEN ? '' : ' Waiting for the emulator.';
  about.textContent = `Version ${summary.version}. Its clock says ${time}. ${summary.requests} requests so far.${listening}`;
}

// Many events in a moment lead to one look at the emulator.
const wanted = new Set();
let planned = false;
function look(...what) {
  what.forEach((it) => wanted.add(it));
  if (planned) return;
  planned = true;
  setTimeout(async () => {
    planned = false;
    const all = new Set(wanted);
    wanted.clear();
    try {
      await tell();
      if (all.has('requests')) await requests.reload();
      if (shown === 'objects') await objects.update();
      if (shown === 'controls') await controls.update(all.size === 1 ? [...all][0] : undefined);
    } catch (error) {
      say(error.message, true);
    }
  }, 100);
}

function listen() {
  source = new EventSource('/_emulator/events');
  source.addEventListener('open', () => look('requests', 'state'));
  source.addEventListener('error', write);
  source.addEventListener('request', (event) => {
    requests.add(JSON.parse(event.data));
    look('request', 'faults');
  });
  source.addEventListener('change', (event) => {
    const { what } = JSON.parse(event.data);
    if (what === 'requests' || what === 'state') requests.forget();
    look(what, ...(what === 'state' ? ['requests'] : []));
  });
  source.addEventListener('objects', () => look('state'));
  source.addEventListener('lost', () => look('requests', 'state'));
}

// A browser has few connections to one address: a page that nobody sees needs none.
document.addEventListener('visibilitychange', () => {
  source?.close();
  if (document.hidden) write();
  else listen();
});

addEventListener('hashchange', show);
setInterval(write, 1000);
try {
  await Promise.all([description.load(), tell()]);
  await show();
  listen();
} catch (error) {
  about.textContent = `The emulator does not respond (${error.message}).`;
}
