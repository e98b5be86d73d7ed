// Reports about a span, from the single points of the time series.
import { GatewayError } from '../../core/errors.ts';
import { day, type Instant } from '../../core/time.ts';
import type { PointsQuestion, Series } from '../../ports/series.ts';
import type { ReportAnswer } from '../../readmodel/answers.ts';
import type { ScopeFilter } from '../../readmodel/query.ts';
import { pointsByMeasurement, reportNames, reportOf, spanMin, type ReportName } from '../../readmodel/reports/report.ts';
import { isAtWork } from '../../readmodel/reports/share.ts';
import type { Point } from '../../readmodel/series/point.ts';
import type { HttpDeps } from '../deps.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { instantIn } from './filters.ts';

interface ReportQuery {
  readonly since?: string;
  readonly until?: string;
  readonly zone: string;
}

const spanDefault = 7 * day;
const pointsAtOnce = 20_000;
/** Of one report. */
const pointsMax = 200_000;
const moment = (description: string) => ({
  type: 'string',
  maxLength: 40,
  description: `${description}: RFC 3339, or milliseconds since 1970`,
});

export function reportRoutes(deps: HttpDeps): readonly Route[] {
  return [
    json<ReportQuery, null>({
      method: 'get',
      path: '/api/v1/reports/:name',
      access: 'read',
      scope: 'own',
      tag: 'reports',
      summary: `A report about a span: ${reportNames.join(', ')}`,
      query: object({
        since: moment('Where it begins; 7 days before its end when it is not given'),
        until: moment('Where it ends; now when it is not given'),
        zone: {
          type: 'string',
          maxLength: 64,
          default: 'UTC',
          description: 'Time zone in which people work, Monday to Friday from 8 to 18',
        },
      }),
      answers: { 200: answer('The report.', 'Report'), 404: refusal('No such report, or a gateway that keeps no time series.') },
      handle: async (call) => ({ status: 200, body: await report(deps, call) }),
    }),
  ];
}

async function report(
  { series, minutesSaved, clock }: HttpDeps,
  { params, query, scopes }: Call<ReportQuery, null>,
): Promise<ReportAnswer> {
  const name = reportNames.find((each) => each === params['name']);
  if (name === undefined) throw new GatewayError('not_found', `no report of that name: there are ${reportNames.join(', ')}`);
  if (series === null) throw new GatewayError('not_found', 'this gateway keeps no time series, see its log and its roles');
  const to = instantIn('until', query.until) ?? clock.now();
  const from = instantIn('since', query.since) ?? to - spanDefault;
  if (to - from < spanMin) throw new GatewayError('invalid_request', 'query/until: expected an instant at least a minute after since');
  isAtWork(from, query.zone); // refuses a zone that there is not
  const points = await pointsOf(series, name, { scopes, from, to });
  const { default: minutesSavedElse, ...named } = minutesSaved;
  const rules = { minutesSaved: named, minutesSavedElse, zone: query.zone };
  const rows = reportOf(name, pointsByMeasurement(points), rules, { from, to });
  return { report: name, from, to, zone: query.zone, rows };
}

const needed: { readonly [name in ReportName]: readonly Point['measurement'][] } = {
  summary: ['incident', 'run', 'page'],
  rules: ['alert', 'incident', 'page'],
  people: ['page'],
  playbooks: ['run'],
};

interface Asked {
  readonly scopes: ScopeFilter;
  readonly from: Instant;
  readonly to: Instant;
}

async function pointsOf(series: Series, name: ReportName, asked: Asked): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const measurement of needed[name]) {
    // Says whether single points go back that far (R1).
    const { resolution } = await series.measure({
      measurement,
      field: measurement === 'alert' ? 'fired' : measurement === 'page' ? 'opened' : 'count',
      ...asked,
    });
    if (resolution !== 'point')
      throw new GatewayError(
        'invalid_request',
        'query/since: single points are not kept that long (series.keep.points): ask for a later beginning',
      );
    await collect(series, { measurement, ...asked, limit: pointsAtOnce }, points);
  }
  return points;
}

/** Spans are halved until all points of each come in one answer. */
async function collect(series: Series, question: PointsQuestion, into: Point[]): Promise<void> {
  const { points, isWhole } = await series.points(question);
  const { from, to } = question;
  if (isWhole || to - from < 2) {
    into.push(...points);
    if (into.length > pointsMax)
      throw new GatewayError('invalid_request', `query/since: more than ${pointsMax} points: ask for a shorter span`);
    return;
  }
  const middle = from + Math.floor((to - from) / 2);
  await collect(series, { ...question, to: middle }, into);
  await collect(series, { ...question, from: middle }, into);
}
