// What an operator may say of one Zabbix endpoint (`options` in quench.yaml).
import type { Severity } from '../../src/core/alert/severity.ts';
import type { SeverityWords } from '../kit/severity.ts';

export interface ZabbixConfig {
  /** Name of the Zabbix server when a delivery does not say it (`instance`): part of the identity, as two servers reuse trigger ids. */
  readonly instance?: string;
  /** IANA zone of the server's dates, which carry none (`Europe/Berlin`). Without it the receipt time stands in. */
  readonly timeZone?: string;
  /** The same as minutes east of UTC, for servers in a zone whose clocks never change. */
  readonly utcOffsetMinutes?: number;
  /** Names of severities that were changed in Zabbix, in lower case; stronger than the number. */
  readonly severities?: SeverityWords;
  /** For an unknown name without a number. */
  readonly severityDefault?: Severity;
}
