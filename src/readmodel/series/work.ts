// What runs and pages say to the time series (points.ts).
import type { PageAcked, PageClosed, PageOpened, PageRang } from '../../core/page/facts.ts';
import { ends } from '../../core/run/ends.ts';
import type { ApprovalGiven, RunFinished, RunRefused, RunStarted, StepFinished } from '../../core/run/facts.ts';
import { nothingDone } from '../../core/run/outcome.ts';
import type { Point } from './point.ts';
import { noWord, tagFor } from './tags.ts';
import { hourOfWeek, incidentAt, noted, point, spanFrom, workTags, type Noting } from './telling.ts';

const pagesKept = 20;

export function started({ notes }: Noting, fact: RunStarted): readonly Point[] {
  const { run, incident, playbook, mode, at, scope } = fact;
  notes.put('run', run, { incident, playbook: playbook.name, mode, startedAt: at, acted: false, approved: false, scope });
  return [];
}

export function refused(noting: Noting, fact: RunRefused): readonly Point[] {
  const life = incidentAt(noting.notes, fact.incident, fact.at);
  return [
    point('run', fact, {
      tags: { ...workTags(noting, life), playbook: tagFor(noting.notes, 'playbook', fact.playbook), mode: fact.mode, end: 'refused' },
      fields: { count: 1, duration_seconds: 0, acted: 0, wrong: 0, approved: 0 },
      words: { incident: fact.incident, run: fact.run },
    }),
  ];
}

/** As the desk sees it: a step whose outcome does not rule it out may have changed the world. */
export function stepped({ notes }: Noting, { run, phase, outcome }: StepFinished): readonly Point[] {
  const note = notes.get('run', run);
  const acted = phase === 'steps' && (outcome.outcome !== 'failed' || !nothingDone.has(outcome.error));
  if (note !== null && acted) notes.put('run', run, { ...note, acted });
  return [];
}

export function finished(noting: Noting, fact: RunFinished): readonly Point[] {
  const { notes } = noting;
  const note = notes.get('run', fact.run);
  notes.drop('run', fact.run);
  const { mode = noWord, startedAt = fact.at, acted = false, approved = false } = note ?? {};
  const { helped, inDoubt } = ends[fact.end];
  const isReal = acted && mode !== 'shadow';
  if (isReal)
    noted(notes, fact.incident, fact.at, (life) => ({
      ...life,
      playbook: fact.playbook,
      mitigatedAt: life.mitigatedAt ?? (helped ? fact.at : null),
    }));
  // A person who ends a run midway says nothing about what it did.
  const isWrong = isReal && (inDoubt || (!helped && fact.end !== 'cancelled'));
  return [
    point('run', fact, {
      tags: {
        ...workTags(noting, incidentAt(notes, fact.incident, fact.at)),
        playbook: tagFor(notes, 'playbook', fact.playbook),
        mode,
        end: fact.end,
      },
      fields: {
        count: 1,
        duration_seconds: spanFrom(startedAt, fact.at),
        acted: isReal ? 1 : 0,
        wrong: isWrong ? 1 : 0,
        approved: approved ? 1 : 0,
      },
      words: { incident: fact.incident, run: fact.run },
    }),
  ];
}

export function opened(noting: Noting, fact: PageOpened): readonly Point[] {
  const { notes } = noting;
  const { page, incident, ladder, at, scope } = fact;
  noted(notes, incident, at, (life) => ({
    ...life,
    pages: life.pages.includes(page) || life.pages.length >= pagesKept ? life.pages : [...life.pages, page],
  }));
  notes.put('page', page, { incident, ladder: ladder.name, openedAt: at, rings: 0, acknowledgedAt: null, by: '', scope });
  return [
    point('page', fact, {
      tags: { ...workTags(noting, incidentAt(notes, incident, at)), ladder: tagFor(notes, 'ladder', ladder.name) },
      fields: { opened: 1, hour_of_week: hourOfWeek(at) },
      words: { incident, page },
    }),
  ];
}

export function closed(noting: Noting, fact: PageClosed): readonly Point[] {
  const { notes } = noting;
  const note = notes.get('page', fact.page);
  notes.drop('page', fact.page);
  const { ladder = '', openedAt = fact.at, rings = 0, acknowledgedAt = null, by = '' } = note ?? {};
  return [
    point('page', fact, {
      tags: { ...workTags(noting, incidentAt(notes, fact.incident, fact.at)), ladder: tagFor(notes, 'ladder', ladder) },
      fields: {
        closed: 1,
        rings,
        hour_of_week: hourOfWeek(openedAt),
        ...(acknowledgedAt === null ? {} : { ack_seconds: spanFrom(openedAt, acknowledgedAt) }),
      },
      words: { incident: fact.incident, page: fact.page, ...(by === '' ? {} : { by }) },
    }),
  ];
}

export function answered({ notes }: Noting, { run, incident, approved: isApproved, at }: ApprovalGiven): readonly Point[] {
  const note = notes.get('run', run);
  if (note !== null) notes.put('run', run, { ...note, approved: isApproved });
  return noted(notes, incident, at, (life) => ({ ...life, touched: true }));
}

export function rang({ notes }: Noting, { page, ring, ladder }: PageRang): readonly Point[] {
  const note = notes.get('page', page);
  if (note !== null) notes.put('page', page, { ...note, rings: Math.max(note.rings, ring), ladder: ladder?.name ?? note.ladder });
  return [];
}

/** One that is silent because a storm speaks for it was answered by nobody. */
export function acknowledged({ notes }: Noting, { page, by, storm, at }: PageAcked): readonly Point[] {
  const note = notes.get('page', page);
  if (note !== null && storm === undefined && note.acknowledgedAt === null) notes.put('page', page, { ...note, acknowledgedAt: at, by });
  return [];
}
