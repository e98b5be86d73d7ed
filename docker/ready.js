// Health check of the container: whether the gateway in it wants work. Exit code 0 or 1.
const answer = await fetch('http://127.0.0.1:8686/readyz', { signal: AbortSignal.timeout(4_000) }).catch(() => null);
process.exit(answer?.ok === true ? 0 : 1);
