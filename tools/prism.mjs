// Starts a Prism mock of each description and sends it every documented request. An operation passes if the mock
// accepts the request, names no violation, and returns the documented success example, or the documented success
// status if the documentation has no example response.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import SwaggerParser from "@apidevtools/swagger-parser";

const METHODS = ["get", "put", "post", "patch", "delete"];
const JSON_TYPE = "application/json";

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Runs `visit(baseUrl)` while a mock of the file listens. */
async function withMock(file, visit) {
  const port = await freePort();
  const program = join(import.meta.dirname, "node_modules", ".bin", "prism");
  const options = ["mock", "--host", "127.0.0.1", "--port", String(port), file];
  const mock = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    let log = "";
    let listening = false;
    for await (const line of createInterface({ input: mock.stdout })) {
      log += `${line}\n`;
      if (line.includes("is listening on")) {
        listening = true;
        break;
      }
    }
    if (!listening) {
      throw new Error(`the mock of ${file} did not start:\n${log}`);
    }
    mock.stdout.resume();
    return await visit(`http://127.0.0.1:${port}`);
  } finally {
    mock.kill();
  }
}

/** What to send and what must come back, one entry for each documented request of an operation. */
function* calls(path, shared, method, operation) {
  const [status, success] = Object.entries(operation.responses).find(([code]) => code.startsWith("2"));
  const responses = success.content?.[JSON_TYPE]?.examples ?? {};
  const bodies = operation.requestBody?.content[JSON_TYPE].examples ?? {};
  const parameters = [...shared, ...(operation.parameters ?? [])];
  // The examples of the parameters are the request of an operation without a documented one.
  for (const [key, request] of Object.entries(operation["x-example-requests"] ?? { "-": {} })) {
    const query = new URLSearchParams();
    let target = path;
    for (const { name, in: place, required, example } of parameters) {
      const value = request.parameters?.[name] ?? (required ? example : undefined);
      if (value === undefined) continue;
      if (place === "path") target = target.replace(`{${name}}`, encodeURIComponent(value));
      else query.append(name, value);
    }
    yield {
      key,
      method: method.toUpperCase(),
      target: query.size > 0 ? `${target}?${query}` : target,
      body: bodies[key]?.value,
      status: Number(status),
      documented: responses[key]?.value,
    };
  }
}

/**
 * Returns the violations that the mock names in a header, except those of a number beyond 2^53: Prism limits `int64`
 * to the numbers that JavaScript represents exactly, and one documented response has a greater one.
 */
function violations(response) {
  const all = JSON.parse(response.headers.get("sl-violations") ?? "[]");
  const place = (violation) => violation.location.join(".");
  const limit = `<= ${Number.MAX_SAFE_INTEGER}`;
  const beyond = new Set(all.filter(({ message }) => message.endsWith(limit)).map(place));
  return all.filter((violation) => !beyond.has(place(violation)));
}

/** Why a call failed, or nothing. */
async function problem(base, { key, method, target, body, status, documented }) {
  const headers = { "X-Auth-Token": "any", Prefer: `code=${status}` };
  if (documented !== undefined) headers.Prefer += `, example=${key}`;
  if (body !== undefined) headers["Content-Type"] = JSON_TYPE;
  const response = await fetch(base + target, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (response.status !== status) return `status ${response.status}, not ${status}: ${text}`;
  const named = violations(response);
  if (named.length > 0) return `violations: ${JSON.stringify(named)}`;
  if (documented !== undefined && !isDeepStrictEqual(JSON.parse(text), documented)) return `another response: ${text}`;
}

let failures = 0;
for (const file of process.argv.slice(2)) {
  const description = await SwaggerParser.dereference(file);
  const seen = { operations: 0, requests: 0, responses: 0 };
  const before = failures;
  await withMock(file, async (base) => {
    for (const [path, item] of Object.entries(description.paths)) {
      for (const method of METHODS.filter((name) => item[name])) {
        seen.operations += 1;
        for (const call of calls(path, item.parameters ?? [], method, item[method])) {
          seen.requests += 1;
          seen.responses += call.documented === undefined ? 0 : 1;
          const message = await problem(base, call);
          if (message) {
            failures += 1;
            console.log(`    ${item[method].operationId} (${call.key}): ${message}`);
          }
        }
      }
    }
  });
  console.log(
    `prism  ${basename(file)}: ${seen.operations} operations, ${seen.requests} requests, ` +
      `${seen.responses} documented responses, ${failures - before} failures`,
  );
}
process.exitCode = failures > 0 ? 1 : 0;
