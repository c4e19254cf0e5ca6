#!/bin/sh
# A hook: makes alerts of Alertmanager, and ends them when members are live again, or ended as planned. Needs curl and jq.
#   gossiper ... -on-change 'alertmanager.sh http://alertmanager:9093,status=dead,unresponsive,failing,left,decommissioned,name=alerts'
set -eu
# Alertmanager ends an alert that nobody repeats; these stay until their member is back or done, for a week at most.
jq -c '.text as $text | .cluster as $cluster | (.test // false) as $test | [.changes[] | {
  labels: ({alertname: "GossiperMember", cluster: $cluster, id: .id} + if $test then {test: "yes"} else {} end),
  annotations: {summary: (.id + " is " + .to + ": " + .reason), description: $text},
  startsAt: .at,
  endsAt: (if (.to | IN("live", "left", "decommissioned")) or $test then .at else (now + 604800 | todate) end)
}]' | curl -fsS --max-time 10 -H 'Content-Type: application/json' --data-binary @- "$1/api/v2/alerts"
