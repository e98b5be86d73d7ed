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

if (Number(process.versions.node.split('.')[0]) >= oldest) {
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
