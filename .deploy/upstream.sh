#!/bin/sh
# Keeps nginx' list of servers to the members that are live: run it beside nginx, as a service.
#   upstream.sh web /etc/nginx/conf.d/web.conf
# The members are nodes started with `-tag role=web -port-of web=3000`; nginx then takes `proxy_pass http://web;`.
set -eu
name=$1 file=$2
gossiper live -tag "role=$name" -port "$name" -watch | while read -r servers; do
  {
    echo "upstream $name {"
    for server in $servers; do echo "  server $server;"; done
    # nginx takes no empty list; with this one it answers 502.
    [ -n "$servers" ] || echo "  server 127.0.0.1:9 down;"
    echo "}"
  } > "$file.new"
  mv "$file.new" "$file"
  nginx -s reload || echo "upstream.sh: nginx takes no new list" >&2
done
