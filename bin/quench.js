#!/usr/bin/env node
// Starts Quench: the build that an installed package holds, or the sources of a clone. A Node that is too old is told so in one sentence;
// in a clone it hands over to the newer one that npm put beside it (packaging/runtime).
// Old Nodes must be able to read this file: no top-level await, no import that they do not have.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// From the first moment on: Node would open a debugger for SIGUSR1, and SIGUSR2 would end the gateway.
for (const name of ['SIGUSR1', 'SIGUSR2']) process.on(name, () => {});

const oldest = 24; // `engines` in package.json says the same
const sources = new URL('../src/main.ts', import.meta.url);
const isClone = existsSync(sources);

// A collection of young garbage stops everything for as long as there is of it that lives: six milliseconds with what V8 allows by itself, two
// with this, and deliveries feel each of them (bench/README.md). It can only be said before Node starts.
const young = '--max-semi-space-size=8';

if (Number(process.versions.node.split('.')[0]) >= oldest) {
  if (mayStartAnew()) startAnew();
  // Its threads and its executor read what was compiled from the same place: without it each strips the types of a clone anew.
  const { directory } = module.enableCompileCache();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
  import(isClone ? sources.href : new URL('../dist/src/main.js', import.meta.url).href);
} else if (isClone) {
  const child = spawn(newerNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128));
} else {
  tooOld('install a newer Node, or put it first on PATH');
}

/** The gateway only, and only where nobody has said anything of it. */
function mayStartAnew() {
  const said = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some(
    (text) => text.includes('semi-space') || text.includes('semi_space'),
  );
  return (
    process.argv[2] === 'serve' &&
    !said &&
    process.connected === undefined &&
    typeof process.execve === 'function' &&
    process.platform !== 'win32'
  );
}

/** The same process with the flag: its number, its terminal and whoever started it stay. Where the system does not let it, it goes on as it is. */
function startAnew() {
  try {
    process.execve(process.execPath, [process.execPath, young, ...process.execArgv, ...process.argv.slice(1)], process.env);
  } catch {
    return;
  }
}

/** The Node that a clone brings along for this platform. */
function newerNode() {
  try {
    return module.createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return tooOld(`run npm ci, or install Node ${oldest}`);
  }
}

function tooOld(advice) {
  console.error(`quench: expected Node ${oldest} or newer, seen ${process.versions.node}: ${advice}`);
  process.exit(1);
}
