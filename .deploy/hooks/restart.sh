#!/bin/sh
# A hook: restarts a unit of systemd, over ssh, where its member is in trouble.
#   gossiper ... -tell-after 30s -on-change 'restart.sh web.service,tag=role=web,name=restart'
# One of the living runs it, so each of them needs a key that may do this, and nothing else, on the others.
set -eu
unit=$1
# Somebody tries the hook: no member has this address.
[ "${GOSSIPER_TEST-}" != 1 ] || { echo "would restart $unit at $GOSSIPER_ADDRESS"; exit 0; }
status=0 calls=
set -- $GOSSIPER_TO
for address in $GOSSIPER_ADDRESS; do
  to=$1
  shift
  # It is told as well when a member is live again.
  case $to in live | left | decommissioned) continue ;; esac
  host=${address%:*}
  host=${host#\[}
  host=${host%\]}
  # Members say their addresses themselves: after -- none of them is an option of ssh.
  # All at once: a hook has 30 s, and one after another six that are off would take them, each time.
  ssh -o BatchMode=yes -o ConnectTimeout=5 -- "$host" "sudo systemctl restart '$unit'" &
  calls="$calls $!"
done
for call in $calls; do wait "$call" || status=$?; done
exit $status
