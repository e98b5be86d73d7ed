import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { argvCheck, argvFaults } from '../../../adapters/shell/argv.ts';

const refused: readonly (readonly [says: string, argv: readonly string[], index: number])[] = [
  ['a program that a value names', ['$params.x', 'a'], 0],
  ['a program with a value in its path', ['/opt/${params.x}/bin/run'], 0],
  ['sh -c with a value in the script', ['sh', '-c', 'echo ${params.x}'], 2],
  ['sh -c with the script being the value', ['sh', '-c', '$params.x'], 2],
  ['bash by its path', ['/usr/bin/bash', '-c', 'echo ${params.x}'], 2],
  ['-c among other letters', ['bash', '-euxc', 'echo ${params.x}'], 2],
  ['-c after an option with a value', ['bash', '-o', 'pipefail', '-c', 'echo ${params.x}'], 4],
  ['a shell behind env and sudo', ['env', 'A=b', 'sudo', '-n', 'sh', '-c', 'echo ${params.x}'], 6],
  ['a shell inside a container', ['docker', 'exec', 'web', 'sh', '-c', 'echo ${params.x}'], 5],
  ['a shell run by find', ['find', '/tmp', '-exec', 'sh', '-c', 'rm ${params.x}', ';'], 5],
  ['python -c', ['python3.11', '-c', 'print("${params.x}")'], 2],
  ['python -c without a space', ['python3', '-cprint("${params.x}")'], 1],
  ['perl -e', ['perl', '-we', 'print "${params.x}"'], 2],
  ['node --eval', ['node', '--eval', 'f("${params.x}")'], 2],
  ['node --eval=', ['node', '--eval=f("${params.x}")'], 1],
  ['ruby -e', ['ruby', '-e', '$params.x'], 2],
  ['PowerShell', ['pwsh', '-NoProfile', '-Command', 'Stop-Service ${params.x}'], 3],
  ['cmd.exe', ['cmd.exe', '/C', 'net stop ${params.x}'], 2],
  ['su -c', ['su', '-c', 'systemctl restart ${params.x}', 'web'], 2],
  ['a script file that a value names', ['bash', '$params.x'], 1],
  ['a script file that a value names, behind a wrapper', ['timeout', '9s', 'bash', '$params.x'], 3],
  ['an awk program', ['awk', '{ system("${params.x}") }'], 1],
  ['a sed program', ['sed', '-i', 's/a/${params.x}/e', '/etc/f'], 2],
  ['a sed program in an option', ['sed', '--expression=s/a/${params.x}/e', '/etc/f'], 1],
  ['a program behind sudo that a value names', ['sudo', '-n', '$params.x'], 2],
  ['a program behind a time limit that a value names', ['timeout', '-k', '5s', '9s', '$params.x'], 4],
  ['a line that env splits', ['env', '-S', '$params.x'], 2],
  ['ssh, which joins its arguments for a shell', ['ssh', 'host1', 'systemctl', 'restart', '$params.x'], 4],
];

const allowed: readonly (readonly [says: string, argv: readonly string[]])[] = [
  ['a value for a program behind sudo', ['sudo', '-n', 'systemctl', 'restart', '--', '$params.x']],
  ['a whole element', ['systemctl', 'restart', '--', '$params.x']],
  ['an element with a value in it', ['journalctl', '--vacuum-size=${params.x}']],
  ['a script without references whose arguments are values', ['sh', '-c', 'echo "$$1"', 'sh', '$params.x']],
  ['a script file with values as arguments', ['bash', '/opt/fix.sh', '$params.x']],
  ['a word that only looks like an interpreter', ['systemctl', 'restart', 'bash', '$params.x']],
  ['an awk program without values', ['awk', '{ print $$1 }', '/var/log/${params.x}']],
];

describe('argvCheck', () => {
  it('says which element, by pointer', () => {
    assert.deepEqual(
      argvCheck({ argv: ['sh', '-c', 'echo ${params.x}'] }).map(({ pointer }) => pointer),
      ['/argv/2'],
    );
  });
  it('refuses a reference in place of the list', () => assert.equal(argvCheck({ argv: '$params.x' })[0]?.pointer, '/argv'));
  it('leaves shapes to the schema, and never throws', () => {
    for (const input of [null, 1, 'x', [], ['a'], {}, { argv: 1 }, { argv: null }, { argv: 'sh' }, { argv: [[], {}, null, 1] }]) {
      assert.deepEqual(argvCheck(input), [], JSON.stringify(input));
    }
  });
});

describe('A: no value of an alert becomes program text', () => {
  for (const [says, argv, index] of refused) {
    it(`refused: ${says}`, () =>
      assert(
        argvFaults(argv).some((fault) => fault.index === index),
        JSON.stringify(argvFaults(argv)),
      ));
  }
  for (const [says, argv] of allowed) {
    it(`allowed: ${says}`, () => assert.deepEqual(argvFaults(argv), []));
  }
});
