// A POST whose answer counts, and nothing else of it: for loads that go on whatever becomes of one delivery.

/** The status, or 0 when there was no answer within the span. */
export async function post(url: string, headers: Record<string, string>, body: string, withinMs: number): Promise<number> {
  try {
    const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(withinMs) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}
