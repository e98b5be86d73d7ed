// Texts that have broken other systems when they met a shell, a format, an option parser or an encoding. All but `unsendable` must arrive unchanged.

/** Over two hundred of them; whatever obeys one makes the canary file. */
export function hostileTexts(canary: string): readonly string[] {
  const command = `touch ${canary}`;
  const wrapped = [
    (inner: string) => `$(${inner})`,
    (inner: string) => `\`${inner}\``,
    (inner: string) => `; ${inner}`,
    (inner: string) => `;${inner};`,
    (inner: string) => `| ${inner}`,
    (inner: string) => `|| ${inner}`,
    (inner: string) => `& ${inner}`,
    (inner: string) => `&& ${inner}`,
    (inner: string) => `\n${inner}\n`,
    (inner: string) => `\r\n${inner}\r\n`,
    (inner: string) => `'; ${inner}; '`,
    (inner: string) => `"; ${inner}; "`,
    (inner: string) => `\\"; ${inner} #`,
    (inner: string) => `) ; ${inner} ; (`,
    (inner: string) => `<(${inner})`,
    (inner: string) => `>(${inner})`,
    (inner: string) => `\${x:=$(${inner})}`,
    (inner: string) => `$((x[$(${inner})]))`,
    (inner: string) => `() { :; }; ${inner}`,
    (inner: string) => `%0a${inner}`,
    (inner: string) => `#{\`${inner}\`}`,
    (inner: string) => `<% system("${inner}") %>`,
    (inner: string) => `{{ ''.constructor.constructor("return process")().mainModule.require("child_process").execSync("${inner}") }}`,
    (inner: string) => `\${jndi:ldap://127.0.0.1/${inner}}`,
    (inner: string) => `|\`${inner}\``,
  ];
  const made = wrapped.flatMap((wrap) => [
    wrap(command),
    `web1${wrap(command)}`,
    wrap(`/bin/${command}`),
    `"${wrap(command)}"`,
    `'${wrap(command)}'`,
  ]);
  const options = [
    'oProxyCommand',
    '-exec',
    'e',
    '-eval',
    '-help',
    '-',
    '-rsh',
    'c',
    '-use-compress-program',
    '-checkpoint-action=exec',
  ].flatMap((option) => [`-${option}=${command}`, `-${option} ${command}`, `-${option}`]);
  const controls = Array.from({ length: 31 }, (_, index) => `a${String.fromCharCode(index + 1)}b`);
  const plain = [
    '',
    ' ',
    '  two  blanks ',
    '\t',
    '*',
    '?',
    '~',
    '~root',
    '{a,b}',
    '[a-z]*',
    '!!',
    '!$',
    '^a^b',
    '$HOME',
    '${PATH}',
    '$IFS',
    '%s%n%x',
    '%%',
    '%PATH%',
  ];
  const files = [
    '@file',
    '@/etc/passwd',
    '< /etc/passwd',
    `> ${canary}`,
    `>> ${canary}`,
    `2>${canary}`,
    '../../etc/passwd',
    'file:///etc/passwd',
  ];
  const unicode = [
    'ünïcode',
    '日本語',
    '🔥',
    '\u202eabc',
    '\u2028',
    '\ufeff',
    'e\u0301',
    '\u{10ffff}',
    '；ls',
    '｀ls｀',
    '＄(ls)',
    '\u00a0',
    '\u007f',
    '\u0085',
  ];
  const long = ['x'.repeat(65_536), `${'\\'.repeat(2_000)}"`, '$('.repeat(1_000)];
  return [...made, ...options, ...controls, ...plain, ...files, ...unicode, ...long];
}

/** Texts that cannot reach a program as they are: they must be refused, not repaired. */
export const unsendable = ['\0', 'a\0b', 'end\0', '\ud800', 'a\udfffb', '\ud83d'] as const;
