'use strict';

const apis = ['modelarts', 'mrs', 'iam', 'emulator'];
const asked = new URLSearchParams(location.search).get('api');
const api = apis.includes(asked) ? asked : apis[0];
const dark = matchMedia('(prefers-color-scheme: dark)').matches;

const view = document.createElement('rapi-doc');
const attributes = {
  'render-style': 'read',
  'theme': dark ? 'dark' : 'light',
  'load-fonts': 'false',
  'regular-font': 'system-ui, sans-serif',
  'mono-font': 'ui-monospace, monospace',
  'show-header': 'false',
  'allow-server-selection': 'false',
  'allow-spec-url-load': 'false',
  'allow-spec-file-load': 'false',
  'schema-style': 'table',
  'fill-request-fields-with-example': 'true',
  'use-path-in-nav-bar': 'false',
};
for (const [name, value] of Object.entries(attributes)) view.setAttribute(name, value);
document.body.append(view);

// Requests go to the emulator that served this page, with a token that it accepts.
fetch(`/docs/${api}.json`)
  .then((response) => response.json())
  .then((description) => {
    description.servers = [{ url: location.origin + new URL(description.servers[0].url).pathname.replace(/\/$/, '') }];
    view.addEventListener('spec-loaded', () => view.setApiKey('token', description['x-emulator'].token));
    view.loadSpec(description);
  });
for (const link of document.querySelectorAll('nav a')) {
  if (link.href.endsWith(`api=${api}`)) link.setAttribute('aria-current', 'page');
}
