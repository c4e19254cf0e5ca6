#!/bin/sh
# Keeps nginx' list of servers to the members that are live: run it beside nginx, as a service,
#   upstream.sh web /etc/nginx/conf.d/web.conf
# or as a hook of the node there, under a name of its own, as no other host can do it:
#   -on-change 'upstream.sh web /etc/nginx/conf.d/web.conf,tag=role=web,status=dead,unresponsive,failing,left,decommissioned,live,name=nginx-lb1'
# A service writes a list as it starts. A hook writes its first at the first change, or by
# `gossiper hook test nginx-lb1`; do so after each start of the node, which tells of nobody whom it finds.
# At a -private node either form needs GOSSIPER_KEY_FILE, the hook in the node's environment.
# The members are nodes started with `-tag role=web -port-of web=3000`; nginx then takes `proxy_pass http://web;`.
set -eu
name=$1 file=$2
# With a dot before its name: of a folder all of which nginx reads, as sites-enabled, it would be a second list.
old=$(dirname "$file")/.$(basename "$file").old

write() {
  list=$(
    echo "upstream $name {"
    for server in $1; do echo "  server $server;"; done
    # nginx takes no empty list; with this one it answers 502.
    [ -n "$1" ] || echo "  server 127.0.0.1:9 down;"
    echo "}"
  )
  # Each step by its own status: in a function whose status is asked for, set -e ends nothing.
  if ! printf '%s\n' "$list" > "$file.new" || ! { [ ! -e "$file" ] || cp -p "$file" "$old"; } ||
    ! mv "$file.new" "$file"; then
    echo "upstream.sh: cannot write $file: the old list stays" >&2
    return 1
  fi
  if nginx -s reload; then
    rm -f "$old"
    return 0
  fi
  # Such as for a name that this host cannot look up: with that list nginx could not even start again.
  if ! nginx -t -q 2> /dev/null && [ -e "$old" ] && mv "$old" "$file"; then
    echo "upstream.sh: nginx refuses the new list: the old one stays" >&2
  else
    echo "upstream.sh: nginx takes no new list" >&2
  fi
  return 1
}

if [ -n "${GOSSIPER_HOOK-}" ]; then
  # Of a node that listens elsewhere, its address is the third word.
  servers=$(gossiper live -at "${3-localhost:8080}" -tag "role=$name" -port "$name") || [ $? -eq 1 ]
  write "$servers"
else
  gossiper live -tag "role=$name" -port "$name" -watch | while read -r servers; do
    write "$servers" || true
  done
  # It goes on for good while its node can be asked, and said why it did not: a service is started again.
  exit 1
fi
