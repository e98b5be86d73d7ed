// What commands need from above, each loaded when it is used, so that asking a gateway costs nothing of it.
import type { Parts } from '../cli/command.ts';
import type { ConfigProblem } from '../config/yaml/problems.ts';
import { ok } from '../core/errors.ts';
import { version } from '../gateway/version.ts';

export const parts: Parts = {
  version,

  async serve(config, terminal, how) {
    const { serve } = await import('../gateway/serve.ts');
    return serve(config, terminal, how);
  },

  async check(config, env) {
    const { checkConfig } = await import('./load.ts');
    const warnings: ConfigProblem[] = [];
    const loaded = checkConfig(config, env, (warning) => warnings.push(warning));
    if (!loaded.ok) return loaded;
    const { endpoints, notifiers, policy, playbooks } = loaded.value;
    const counts = {
      endpoints: Object.keys(endpoints).length,
      notifiers: Object.keys(notifiers).length,
      ladders: Object.keys(policy.ladders).length,
      playbooks: policy.playbooks.length,
    };
    return ok({ playbookDir: playbooks.dir, counts, warnings });
  },

  async checkPlaybooks(dir, env) {
    const { checkPlaybooks } = await import('./load.ts');
    const loaded = checkPlaybooks(dir, env);
    if (!loaded.ok) return loaded;
    return ok({ playbookDir: dir, counts: { playbooks: loaded.value.playbooks.length, cases: loaded.value.cases.length } });
  },

  async testPlaybooks(dir, env, report) {
    const { checkPlaybooks } = await import('./load.ts');
    const { differences, runCase } = await import('./cases.ts');
    const { systemClock } = await import('../gateway/clock.ts');
    const loaded = checkPlaybooks(dir, env);
    if (!loaded.ok) return loaded;
    const { playbooks, cases, expressions } = loaded.value;
    for (const playbookCase of cases) {
      const playbook = playbooks.find(({ name }) => name === playbookCase.playbook);
      if (playbook === undefined) continue; // the loader refuses a case without its playbook
      const began = systemClock.steady();
      const result = runCase(playbookCase, playbook, expressions);
      const { name, file } = playbookCase;
      report({
        playbook: playbook.name,
        name,
        file,
        ended: result.ended,
        differences: differences(playbookCase, result),
        tookMs: systemClock.steady() - began,
      });
    }
    return ok(null);
  },

  async replay({ file, config, out, env, signal, progress }) {
    const { replayRules } = await import('./load.ts');
    const { replay } = await import('./replay/replay.ts');
    const rules = replayRules(config, env);
    return rules.ok ? ok(await replay({ file, out, signal, progress }, rules.value)) : rules;
  },

  async compare({ from, config, env, signal, progress }) {
    const { replayRules } = await import('./load.ts');
    const { compare } = await import('./replay/compare.ts');
    const { rangeIn } = await import('./replay/log-range.ts');
    const rules = replayRules(config, env);
    if (!rules.ok) return rules;
    const range = 'file' in from ? await rangeIn(from.file) : from.range;
    return ok(await compare(range, rules.value, { signal, progress }));
  },

  async move({ from, config, dryRun, env, signal, progress }) {
    const { usedConfig } = await import('./load.ts');
    const { moveInto } = await import('./move/moving.ts');
    const loaded = usedConfig(config, env);
    return loaded.ok ? ok(await moveInto(loaded.value, { from, dryRun, signal, progress })) : loaded;
  },

  async backUp({ config, env, ...ask }) {
    const { usedConfig } = await import('./load.ts');
    const { backUp } = await import('./backup.ts');
    const loaded = usedConfig(config, env);
    return loaded.ok ? ok(await backUp(loaded.value, ask)) : loaded;
  },

  async restore(ask) {
    const { restore } = await import('./backup.ts');
    return restore(ask);
  },

  async init(ask) {
    const { init } = await import('./init.ts');
    return init(ask);
  },
};
