// What an operator may say of one Nagios endpoint (`options` in quench.yaml).

export interface NagiosConfig {
  /** Name of the monitoring server when a delivery does not say it (`instance`, Checkmk's `OMD_SITE`): part of the identity. */
  readonly instance?: string;
  /** Service descriptions name applications (`checkout`), not checks (`PING`): alerts of one application on several hosts are joined. */
  readonly serviceIsEntity?: boolean;
}
