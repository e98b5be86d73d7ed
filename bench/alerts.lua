-- Bodies for wrk: BATCH alerts a request, taken in turn from KINDS identities, in the shape of POST /api/v2/alerts.
-- The environment says which: BATCH, KINDS, TOKEN.
local batch = tonumber(os.getenv("BATCH") or "1")
local kinds = tonumber(os.getenv("KINDS") or "10000")
local number = math.random(0, kinds - 1)

local alert = [[{"labels":{"alertname":"HighLatency","instance":"web%d.example.org:9100","job":"node","service":"shop-%d",]]
  .. [["severity":"critical","region":"eu-west-1","team":"payments"},"annotations":{"summary":"latency of shop-%d is above one second",]]
  .. [["description":"The 99th percentile of request latency has been above one second for more than five minutes; see the dashboard."},]]
  .. [["startsAt":"2026-11-21T04:00:00.000Z","generatorURL":"http://prometheus.example.org/graph?g0.expr=latency"}]]

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "")

request = function()
  local alerts = {}
  for place = 1, batch do
    number = (number + 1) % kinds
    alerts[place] = string.format(alert, number, number, number)
  end
  return wrk.format(nil, nil, nil, "[" .. table.concat(alerts, ",") .. "]")
end

done = function(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %.1f %d %d %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99), failed))
end
