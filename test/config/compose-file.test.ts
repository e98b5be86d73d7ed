// docker-compose.yml and what it is made of, as far as it can be judged without an engine: no container is started here.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { Config } from '../../src/config/quench/types.ts';
import { usedConfig } from '../../src/offline/load.ts';
import { kafkaVersions } from '../kafka/broker/jars.ts';
import { linesOf } from './support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = '/srv/quench';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: { readonly [name: string]: unknown };
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly depends_on?: { readonly [service: string]: { readonly condition: string } };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly mem_limit?: string;
  readonly restart?: string;
}

const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const file = parse(text, { merge: true }) as { readonly services: { readonly [name: string]: Service }; readonly volumes: object };
const services = Object.entries(file.services);
const gateways = services.filter(([, { build }]) => build !== undefined);

/** Where in this repository the container finds the path, or null. */
function sourceOf(service: Service, path: string): string | null {
  for (const [from = '', to = ''] of service.volumes.map((volume) => volume.split(':')))
    if (from.startsWith('./') && resolve(home, path).startsWith(`${to}/`)) return join(root, from, relative(to, resolve(home, path)));
  return null;
}

/** The volume that the container has at a path of this repository. */
function volumeAt(service: Service, path: string): string | undefined {
  return service.volumes.find((volume) => volume.split(':')[1] === join(home, relative(root, path)))?.split(':')[0];
}

function configOf(service: Service): Config {
  const { command = [] } = service;
  const path = sourceOf(service, command[command.indexOf('--config') + 1] ?? '');
  assert(path !== null, `the configuration that ${command.join(' ')} names is mounted`);
  const loaded = usedConfig(path, {}); // the tokens are files of the person who runs it
  assert.deepEqual(linesOf(loaded), []);
  assert(loaded.ok);
  return loaded.value;
}

describe('docker-compose.yml', () => {
  it('starts two gateways, a broker, what history will be kept in, and what watches them', () => {
    const others = ['kafka', 'influxdb', 'elasticsearch', 'kibana', 'prometheus', 'grafana'];
    assert.deepEqual(Object.keys(file.services), ['gateway-1', 'gateway-2', ...others]);
    assert.deepEqual(
      gateways.map(([name]) => name),
      ['gateway-1', 'gateway-2'],
    );
  });

  for (const [name, service] of services) {
    it(`${name} tells its health, comes back by itself, and cannot eat the machine`, () => {
      assert((service.healthcheck?.test.length ?? 0) > 1);
      assert.equal(service.restart, 'unless-stopped');
      assert.match(service.mem_limit ?? '', /^[0-9]+[mg]$/);
    });

    it(`${name} is of one version, or built here`, () => {
      if (service.build === undefined) assert.match(service.image, /^[a-z/]+:v?[0-9]+\.[0-9]+\.[0-9]+$/);
      else assert(existsSync(join(root, service.build, 'Dockerfile')));
    });

    it(`${name} is published to this machine only`, () => {
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:[0-9]+:[0-9]+$/);
    });

    it(`${name} keeps what it writes on a volume that is declared, and mounts nothing that is not here`, () => {
      const sources = service.volumes.map((volume) => volume.split(':')[0] ?? '');
      assert(sources.some((source) => Object.hasOwn(file.volumes, source)));
      for (const source of sources)
        assert(source.startsWith('./') ? existsSync(join(root, source)) : Object.hasOwn(file.volumes, source), source);
    });

    it(`${name} waits only for services that are there, until they are healthy`, () => {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        assert(Object.hasOwn(file.services, other), other);
        assert.equal(condition, 'service_healthy');
      }
    });
  }

  it('holds no secret and no floating version', () => {
    assert.doesNotMatch(text, /latest/);
    const names = services.flatMap(([, { environment = {} }]) => Object.keys(environment));
    assert.deepEqual(
      names.filter((name) => /password|secret|token|key$/i.test(name) && !name.endsWith('_FILE')),
      [],
    );
  });

  it('no two services take one port of this machine', () => {
    const taken = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[1]));
    assert.equal(new Set(taken).size, taken.length);
  });

  it('the broker is of a version that the tests are run with', () => {
    const [image, version] = file.services['kafka']?.image.split(':') ?? [];
    assert.equal(image, 'apache/kafka');
    assert((Object.values(kafkaVersions) as readonly string[]).includes(version ?? ''), `${version} is tested`);
  });

  it('the broker tells its clients the address that the gateways are given', () => {
    const advertised = String(file.services['kafka']?.environment?.['KAFKA_ADVERTISED_LISTENERS']);
    for (const [, gateway] of gateways) {
      const { brokers = [], replication } = configOf(gateway).log?.options ?? {};
      assert.deepEqual(brokers, [advertised.replace('PLAINTEXT://', '')]);
      assert.equal(replication, 1, 'there is one broker');
    }
  });

  it('the gateways write their time series to the InfluxDB that is started', () => {
    for (const [, gateway] of gateways) {
      const { type, options } = configOf(gateway).series;
      assert.equal(type, 'influx');
      assert.equal(options['url'], 'http://influxdb:8086');
    }
    assert.match(file.services['influxdb']?.image ?? '', /^influxdb:1\./, 'retention policies and continuous queries are those of 1.x');
  });

  it('Kibana is of the same version as Elasticsearch', () => {
    const versionOf = (name: string): string | undefined => file.services[name]?.image.split(':')[1];
    assert.equal(versionOf('kibana'), versionOf('elasticsearch'));
  });

  it('Prometheus scrapes both gateways as the job that its rules and the dashboard ask for', () => {
    const { scrape_configs: [scrape] = [], rule_files: rules = [] } = parse(readFileSync(join(root, 'docker/prometheus.yml'), 'utf8')) as {
      readonly scrape_configs?: readonly {
        readonly job_name: string;
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }[];
      readonly rule_files?: readonly string[];
    };
    assert.deepEqual(
      scrape?.static_configs[0]?.targets,
      gateways.map(([name, service]) => `${name}:${service.ports?.[0]?.split(':')[2]}`),
    );
    for (const path of ['quench-self-rules.yml', 'grafana-quench.json']) {
      const asked = readFileSync(join(root, 'adapters/prometheus/setup', path), 'utf8').replaceAll('\\"', '"');
      assert.ok(asked.includes(`job="${scrape?.job_name}"`), path);
    }
    for (const rule of rules)
      assert.ok(
        file.services['prometheus']?.volumes.some((volume) => volume.split(':')[1] === rule),
        rule,
      );
  });

  it('both gateways decide by the same configuration, which loads, and listen where the container is published', () => {
    const configs = gateways.map(([, service]) => configOf(service));
    assert.deepEqual(configs[0], configs[1]);
    for (const [at, [, service]] of gateways.entries()) {
      const { type } = configs[at]?.log ?? {};
      assert.equal(type, 'kafka');
      assert.equal(configs[at]?.listen.host, '0.0.0.0');
      assert.equal(service.ports?.[0]?.split(':')[2], String(configs[at]?.listen.port));
      assert.equal(service.depends_on?.['kafka']?.condition, 'service_healthy');
    }
  });

  it('each gateway has its own data, and the tokens are the same for both', () => {
    const data = gateways.map(([, service]) => volumeAt(service, configOf(service).data.dir));
    assert.deepEqual(data, ['gateway-1', 'gateway-2']);
    const tokens = gateways.map(([, service]) => volumeAt(service, join(root, 'tokens')));
    assert.deepEqual(tokens, ['tokens', 'tokens']);
    const secrets = readFileSync(join(root, 'docker/quench.yaml'), 'utf8').match(/file: \S+/g) ?? [];
    assert(secrets.length > 2);
    for (const secret of secrets) assert.match(secret, /^file: \.\.\/tokens\/[a-z]+\.token$/);
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const context = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');

  it('runs as somebody who is not root, tells its health, and floats on no version', () => {
    assert.match(dockerfile, /^USER node$/m);
    assert.match(dockerfile, /^HEALTHCHECK /m);
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) assert.match(image ?? '', /:24-/);
    assert.doesNotMatch(dockerfile, /latest/);
  });

  it('its context is what the gateway runs on: no data, no tokens, no tests, nothing missing', () => {
    const taken = context.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    assert(context.indexOf('*') >= 0 && context.indexOf('*') < context.indexOf(`!${taken[0]}`));
    for (const name of taken) assert(existsSync(join(root, name)), name);
    assert.deepEqual(
      taken.filter((name) => /data|token|test|\.git/.test(name)),
      [],
    );
    const packed = ['bin', 'adapters', 'playbooks', 'quench.yaml', 'docs/api.md', 'docs/install.md', 'docs/playbooks.md', 'packaging'];
    const built = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json', 'docker'];
    for (const name of [...packed, ...built]) assert(taken.includes(name), name);
  });

  it('what runs is the package that npm packs and the modules it needs: no sources, no compiler, no Node beside that of the image', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    const copied = [...last.matchAll(/^COPY (.+)$/gm)].map(([, what]) => what);
    assert.deepEqual(copied, [
      '--from=modules /srv/quench/node_modules node_modules',
      '--from=build /srv/build/package .',
      'docker docker',
    ]);
    assert.match(dockerfile, /AS modules\n(?:(?!FROM).*\n)*RUN npm ci --omit=dev --ignore-scripts\n/);
    assert.match(dockerfile, /^RUN npm pack /m);
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      readonly packages: { readonly [path: string]: { readonly dev?: boolean; readonly resolved?: string; readonly link?: boolean } };
    };
    const runtimes = Object.entries(lock.packages).filter(([path]) => path.startsWith('node_modules/node-linux-'));
    assert.equal(runtimes.length, 2);
    for (const [path, { dev }] of runtimes) assert.equal(dev, true, `${path} is left out by --omit=dev`);
    for (const [path, { resolved, link }] of Object.entries(lock.packages)) assert(resolved === undefined || link === true, path);
  });
});
