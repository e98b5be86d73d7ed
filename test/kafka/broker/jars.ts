// The broker's jars: from Maven Central by pom.xml, kept in the user's cache folder, never in the repository.
// Says also whether a broker can be had here at all, so that tests skip by name instead of failing in the dark.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root, type Presence } from '../../senders/support.ts';

/** Newest and oldest version that the tests are run with; 3.9 is the last line that accepts the oldest protocol versions. */
export const kafkaVersions = { newest: '4.4.0', oldest: '3.9.2' } as const;

/** The version to start when the caller names none. */
export function kafkaVersion(): string {
  return process.env['QUENCH_KAFKA_VERSION'] ?? kafkaVersions.newest;
}

/** Brokers that somebody else runs, from QUENCH_KAFKA_BROKERS; empty when we start our own. */
export function foreignBrokers(): readonly string[] {
  return (process.env['QUENCH_KAFKA_BROKERS'] ?? '').split(',').filter((address) => address !== '');
}

export type Availability = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Whether `startKafka` can work here; installs Java and Maven first when this is root on Debian. */
export function kafkaAvailable(version: string = kafkaVersion()): Availability {
  if (foreignBrokers().length > 0) return { ok: true };
  const absent = (): readonly string[] => {
    const programs = existsSync(libsOf(version)) ? ['java'] : ['java', 'mvn'];
    return programs.filter((program) => spawnSync('sh', ['-c', 'command -v "$0"', program]).status !== 0);
  };
  if (absent().length > 0) spawnSync('sh', [join(root, 'test/kafka/install.sh')], { stdio: ['ignore', 2, 2] });
  const missing = absent();
  if (missing.length === 0) return { ok: true };
  return { ok: false, why: `not installed: ${missing.join(', ')}; as root on Debian: sh test/kafka/install.sh` };
}

/**
 * For `describe` and `before`: why a suite cannot run here.
 * `own` is for suites that kill brokers, change passwords or ask for security: they cannot use QUENCH_KAFKA_BROKERS.
 */
export function kafkaPresence(needs: { readonly own: boolean }): Presence {
  const available = kafkaAvailable();
  const foreign = needs.own && foreignBrokers().length > 0 ? 'needs brokers of its own; QUENCH_KAFKA_BROKERS names foreign ones' : null;
  const reason = foreign ?? (available.ok ? false : available.why);
  return {
    skip: process.env['QUENCH_REQUIRE_SERVICES'] === '1' ? false : reason,
    demand: () => assert.equal(reason, false, 'QUENCH_REQUIRE_SERVICES=1'),
  };
}

function cacheFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'quench-test');
}

function libsOf(version: string): string {
  assert.match(version, /^\d+\.\d+\.\d+$/, 'a Kafka version');
  return join(cacheFolder(), `kafka-${version}`);
}

/** The folder with the jars of this version; fetches them the first time, complete or not at all. */
export function kafkaJars(version: string): string {
  const libs = libsOf(version);
  if (existsSync(libs)) return libs;
  mkdirSync(cacheFolder(), { recursive: true });
  const fresh = mkdtempSync(`${libs}-`);
  try {
    const pom = join(root, 'test/kafka/broker/pom.xml');
    const args = ['-q', '-B', '-f', pom, `-Dkafka.version=${version}`, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`];
    const done = spawnSync('mvn', args, { encoding: 'utf8', timeout: 300_000 });
    if (done.status !== 0) {
      throw new Error(`kafka ${version}: mvn ended with ${done.status ?? done.signal}: ${`${done.stdout}${done.stderr}`.slice(-1_000)}`);
    }
    renameSync(fresh, libs);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(libs)) throw error; // Otherwise another run was quicker.
  }
  return libs;
}
