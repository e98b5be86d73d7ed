// The names of variables that a playbook may set for a program.
//   S3  An allow-list: the ways in which a variable makes some tool run, read or reach something else have no end, so a name is a word for data,
//       or begins with ARG_, or the operator listed it. What a tool expects by its own name, the operator sets in shell.env.

const prefix = /^ARG_[A-Z0-9_]+$/;

/** Words for data that no tool is steered by; a name is one of them, or several joined by `_`, with a number behind. */
const words = new Set(
  [
    'ACTION ALERT CLUSTER CODE CONTAINER COUNT DATABASE DATE DAYS DEVICE DOMAIN DRY DURATION FIRST FROM HOST HOSTNAME HOURS ID INCIDENT INSTANCE',
    'JOB KEY LABEL LAST LEVEL LIMIT MAX MESSAGE METHOD MIN MINUTES MODE MOUNT MOUNTPOINT NAME NAMESPACE NODE NOTE NUMBER OUT OWNER PARAM PERCENT',
    'PID POD POINT PORT QUEUE REASON REGION RETRIES RUN SECONDS SERVICE SEVERITY SINCE SITE SIZE STATE STATUS SUMMARY TABLE TARGET TEAM TEXT',
    'THRESHOLD TICKET TIME TIMEOUT TO TOPIC TYPE UNIT UNTIL URL USED VALUE VERSION VOLUME ZONE',
  ].flatMap((line) => line.split(' ')),
);

/** Why a playbook may not set the variable, with what to write instead; null when it may. */
export function variableFault(name: string, listed: readonly string[]): string | null {
  if (name.startsWith('QUENCH_')) return `variable ${name} is set by the gateway`;
  const isData = name.split('_').every((part) => words.has(part.replace(/(?<=.)[0-9]+$/, '')));
  if (isData || prefix.test(name) || listed.includes(name)) return null;
  return `variable ${name} may steer what runs, so a playbook must not set it: call it ARG_${name}, or list it in actions.shell.variables`;
}
