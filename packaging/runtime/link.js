// Run by `npm ci` in a clone: puts the Node of this package on the PATH of npm's scripts, where the machine has an older one.
// npm 11 does it by itself; npm 9 and 10 take the link away again with the package for the other kind of machine.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../node_modules/.bin/', import.meta.url));
const runtime = `../node-${process.platform}-${process.arch}/bin/node`;

if (existsSync(new URL(`../../node_modules/.bin/${runtime}`, import.meta.url)) && !existsSync(`${bin}node`)) {
  mkdirSync(bin, { recursive: true });
  rmSync(`${bin}node`, { force: true }); // one that leads nowhere
  symlinkSync(runtime, `${bin}node`);
}
