#!/usr/bin/env node
// Starts Quench on the Node that it needs: this one when it is new enough, else the one that npm installed beside it.
import { spawn } from 'node:child_process';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const main = new URL('../src/main.ts', import.meta.url);
const oldest = 24;

if (Number(process.versions.node.split('.')[0]) >= oldest) {
  module.enableCompileCache();
  await import(main.href);
} else {
  const child = spawn(newerNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 128));
}

/** The Node of the package for this platform. */
function newerNode() {
  try {
    return module.createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    console.error(`quench: expected Node ${oldest} or newer, seen ${process.versions.node}; run npm ci, or install Node ${oldest}`);
    process.exit(1);
  }
}
